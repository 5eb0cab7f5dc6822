"""BrainFlow's boards: names, numbers, scales, and everything they measure beside the EEG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acquisition.headsets.brainflow_source import BrainFlowSource, board_number, describe_boards
from acquisition.port import UnknownSourceError
from acquisition.signal import EegChunk
from support.collecting import collect, opened
from support.peers.pty_cyton import PtyCyton


def _collect(source: BrainFlowSource, seconds: float) -> EegChunk:
    chunks = collect(source, seconds)
    extras = [chunk.extras for chunk in chunks if chunk.extras is not None]
    counters = [chunk.counter for chunk in chunks if chunk.counter is not None]
    return EegChunk(
        np.concatenate([chunk.samples_uv for chunk in chunks], axis=1),
        np.concatenate([chunk.times_s for chunk in chunks]),
        chunks[-1].battery_percent,
        np.concatenate(counters) if counters else None,
        np.concatenate(extras, axis=1),
    )


@pytest.mark.parametrize("name", ["SYNTHETIC_BOARD", "synthetic", "synthetic-board", "-1"])
def test_a_board_has_a_name_and_a_number(name: str) -> None:
    assert board_number(name) == -1


def test_a_name_that_is_nearly_right_is_suggested() -> None:
    with pytest.raises(UnknownSourceError, match=r"did you mean .*MUSE_2_BOARD"):
        board_number("muse2")


def test_options_that_cannot_be_are_named() -> None:
    with pytest.raises(UnknownSourceError, match="unknown BrainFlow option 'port'"):
        BrainFlowSource("CYTON_BOARD", {"port": "/dev/x"}).check()
    with pytest.raises(UnknownSourceError, match="ip_port must be a number, got 'x'"):
        BrainFlowSource("CYTON_BOARD", {"ip_port": "x"}).check()
    with pytest.raises(UnknownSourceError, match="has no EEG channels"):
        BrainFlowSource("EMOTIBIT_BOARD").check()
    with pytest.raises(UnknownSourceError, match="needs master_board=BOARD"):
        BrainFlowSource("STREAMING_BOARD").check()


def test_a_cyton_gives_microvolts_its_counter_and_its_accelerometer(tmp_path: Path) -> None:
    with PtyCyton(tmp_path) as board:
        source = BrainFlowSource("CYTON_BOARD", {"serial_port": str(board.link)})
        try:
            info = opened(source)
            found = _collect(source, 1.0)
        finally:
            source.close()
    assert info.channels == ("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2")
    assert info.counter_modulo == 256
    assert {"package", "accel_x", "accel_y", "accel_z"} <= set(info.extras)
    assert np.abs(found.samples_uv).max(axis=1) == pytest.approx(5.0 * np.arange(1, 9), rel=0.02)
    assert found.counter is not None
    assert set((np.diff(found.counter) % 256).tolist()) == {1.0}


def test_the_synthetic_board_gives_battery_gyroscope_and_all_the_rest() -> None:
    source = BrainFlowSource("SYNTHETIC_BOARD")
    try:
        info = source.open()
        found = _collect(source, 0.6)
    finally:
        source.close()
    assert found.battery_percent is not None
    assert {"gyro_x", "accel_z", "ppg_1", "temperature_1", "aux_1"} <= set(info.extras)
    assert found.extras is not None
    assert len(found.extras) == len(info.extras)
    # what comes beside the EEG at a rate of its own is there as well
    assert np.isfinite(found.extras[info.extras.index("aux_1"), -1])


def test_a_muse_is_known_to_have_a_gyroscope_at_a_rate_of_its_own() -> None:
    named = {row[0]: row for row in describe_boards()}
    assert {"gyro_x", "accel_y", "ppg_1"} <= set(named["brainflow:MUSE_2_BOARD"][4])


def test_a_board_that_lacks_its_port_is_refused_once_and_told_what_it_wants() -> None:
    source = BrainFlowSource("CYTON_BOARD")
    with pytest.raises(
        UnknownSourceError, match=r"CYTON_BOARD cannot do with these options \(none\).*serial_port="
    ):
        source.open()
    source.close()
