"""A headset too slow or too fast to be read is refused in one line that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from acquisition.port import UnknownSourceError
from acquisition.signal import StreamInfo
from daemon.diagnosis.signal_preview import _listener
from daemon.engine.network_choice import PipelineMaker
from daemon.settings import Settings

MUSE = ("TP9", "AF7", "AF8", "TP10")


@pytest.mark.parametrize("rate_hz", [50.0, 99.0, 1600.0, 2000.0, 16_000.0])
def test_the_rate_is_named_with_the_rule(rate_hz: float, tmp_path: Path) -> None:
    info = StreamInfo("brainflow:BOARD", "a board", MUSE, rate_hz)
    settings = Settings(state_dir=str(tmp_path), cache_dir=str(tmp_path))
    for make in (PipelineMaker(settings, ()), _listener):
        with pytest.raises(UnknownSourceError) as refused:
            make(info)
        rule = "the sampling rate must lie inside 100..1000 Hz"
        assert str(refused.value) == f"source: a board: {rule}, got {rate_hz:g}"
