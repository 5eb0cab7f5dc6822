"""Mains hum: found in the signal, and its notch chosen at the same sample whatever the chunks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acquisition.readers import open_recording
from acquisition.signal import FloatArray
from inference.pipeline import PipelineSettings
from inference.preprocessing.front_end import FrontEnd
from inference.preprocessing.mains import find_mains_hz


def _head(rate_hz: float, mains_hz: float | None, hum_uv: float = 20.0, seconds: float = 12.0) -> FloatArray:
    rng = np.random.default_rng(11)
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    samples_uv = rng.normal(size=(4, len(times_s))) * 8
    if mains_hz is not None:
        samples_uv += hum_uv * np.sin(2 * np.pi * (mains_hz + 0.05) * times_s)
    return samples_uv


@pytest.mark.parametrize("rate_hz", [128.0, 200.0, 250.0, 256.0, 500.0, 1000.0])
@pytest.mark.parametrize("mains_hz", [50.0, 60.0, None])
def test_the_hum_is_found_at_every_rate(rate_hz: float, mains_hz: float | None) -> None:
    found = find_mains_hz(_head(rate_hz, mains_hz)[:, : round(4 * rate_hz)], rate_hz)
    assert found == (None if mains_hz == 60.0 and rate_hz < 124 else mains_hz)


def test_one_loose_electrode_does_not_decide() -> None:
    samples_uv = _head(256.0, 60.0)
    samples_uv[0] += 400 * np.sin(2 * np.pi * 50 * np.arange(samples_uv.shape[1]) / 256)
    assert find_mains_hz(samples_uv[:, :1024], 256.0) == 60.0


def test_channels_that_are_not_finite_are_left_out() -> None:
    samples_uv = _head(256.0, 60.0)
    samples_uv[2, 100] = np.nan
    assert find_mains_hz(samples_uv[:, :1024], 256.0) == 60.0
    assert find_mains_hz(np.full((2, 1024), np.nan), 256.0) is None


@pytest.mark.eeg
def test_the_hum_of_a_real_american_recording_is_60_hz(eeg_dir: Path) -> None:
    recording = open_recording(str(eeg_dir / "openbci" / "OpenBCI_GUI-v6-blinks-jawClench-alpha.txt"))
    assert find_mains_hz(recording.samples_uv[:, 5000:6000], recording.info.rate_hz) == 60.0


@pytest.mark.parametrize("size", [7, 64, 1000, 1024, 4096])
def test_auto_takes_the_right_notch_at_the_same_sample_whatever_the_chunks(size: int) -> None:
    settings = PipelineSettings(mains_hz="auto")
    samples_uv = _head(256.0, 60.0)
    times_s = np.arange(samples_uv.shape[1]) / 256.0
    whole = FrontEnd(256.0, 4, settings)
    expected = list(whole.push(samples_uv, times_s))
    assert whole.mains_hz == 60.0
    chunked = FrontEnd(256.0, 4, settings)
    got = [
        window
        for start in range(0, samples_uv.shape[1], size)
        for window in chunked.push(samples_uv[:, start : start + size], times_s[start : start + size])
    ]
    assert [window.end_s for window in got] == pytest.approx([window.end_s for window in expected])
    for ours, theirs in zip(got, expected, strict=True):
        assert np.abs(ours.filtered_uv - theirs.filtered_uv).max() < 1e-9
        assert np.array_equal(ours.raw_uv, theirs.raw_uv)


def test_auto_equals_a_set_50_hz_where_50_hz_hums() -> None:
    samples_uv = _head(256.0, 50.0)
    times_s = np.arange(samples_uv.shape[1]) / 256.0
    auto = list(FrontEnd(256.0, 4, PipelineSettings(mains_hz="auto")).push(samples_uv, times_s))
    fixed = list(FrontEnd(256.0, 4, PipelineSettings(mains_hz=50.0)).push(samples_uv, times_s))
    assert len(auto) == len(fixed)
    assert all(np.array_equal(a.filtered_uv, b.filtered_uv) for a, b in zip(auto, fixed, strict=True))


def test_a_gap_before_the_decision_begins_the_listening_anew_and_one_after_changes_nothing() -> None:
    front = FrontEnd(256.0, 4, PipelineSettings(mains_hz="auto"))
    times_s = np.arange(12 * 256) / 256.0
    samples_uv = _head(256.0, 60.0)
    for start_s in (0.0, 10.0):
        list(front.push(samples_uv[:, :900], times_s[:900] + start_s))
        assert front.mains_hz == 50.0
        front.reset()
    list(front.push(samples_uv, times_s + 20))
    front.reset()
    list(front.push(_head(256.0, 50.0), times_s + 40))
    assert front.mains_hz == 60.0
