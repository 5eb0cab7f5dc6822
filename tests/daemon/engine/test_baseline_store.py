from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest

from acquisition.signal import StreamInfo
from daemon.engine.baseline_store import BaselineStore
from inference.baseline.baseline import Baseline
from inference.features.schemas import schema_named

CHANNELS = ("TP9", "AF7", "AF8", "TP10")
SCHEMA = "symde5@1"
INFO = StreamInfo("lsl:Muse", "Muse", CHANNELS, 256.0)


@pytest.fixture
def baseline() -> Baseline:
    length = schema_named(SCHEMA).length(CHANNELS)
    centre = np.linspace(-1, 1, length)
    centre[0] = np.nan
    return Baseline(SCHEMA, CHANNELS, centre, np.linspace(0.1, 1, length), 45.0)


def test_a_rest_comes_back_as_it_was(tmp_path: Path, baseline: Baseline) -> None:
    store = BaselineStore(tmp_path)
    assert store.load(INFO, SCHEMA, CHANNELS) is None
    store.save(INFO, baseline)
    back = store.load(INFO, SCHEMA, CHANNELS)
    assert back is not None
    np.testing.assert_array_equal(back.centre, baseline.centre)
    np.testing.assert_array_equal(back.scale, baseline.scale)
    assert back.seconds == 45.0
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_another_headset_or_layout_has_a_rest_of_its_own(tmp_path: Path, baseline: Baseline) -> None:
    store = BaselineStore(tmp_path)
    store.save(INFO, baseline)
    assert store.load(StreamInfo("lsl:Other", "x", CHANNELS, 256.0), SCHEMA, CHANNELS) is None
    assert store.load(INFO, SCHEMA, CHANNELS[::-1]) is None


@pytest.mark.parametrize("content", [b"", b"{}", b"[1", b'{"source": 1}', b"\xff" * 10])
def test_a_damaged_file_is_no_rest(tmp_path: Path, baseline: Baseline, content: bytes) -> None:
    store = BaselineStore(tmp_path)
    store.save(INFO, baseline)
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    assert store.load(INFO, SCHEMA, CHANNELS) is None


def test_a_rest_of_another_length_is_not_used(tmp_path: Path, baseline: Baseline) -> None:
    store = BaselineStore(tmp_path)
    short = Baseline(SCHEMA, CHANNELS, baseline.centre[:3], baseline.scale[:3], 45.0)
    store.save(INFO, short)
    assert store.load(INFO, SCHEMA, CHANNELS) is None
