"""The pipeline on real recordings, with the fallback that needs no network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acquisition.signal import EegChunk, FloatArray, StreamInfo
from inference.classification.band_power_classifier import BandPowerClassifier
from inference.emotion import BaselineProgress, EmotionState, Estimate, SignalQuality
from inference.pipeline import Pipeline, PipelineSettings
from support.recordings.a_head import head_noise

MUSE = ("TP9", "AF7", "AF8", "TP10")


def _run(
    samples_uv: FloatArray, rate_hz: float, channels: tuple[str, ...], baseline_s: float
) -> list[object]:
    info = StreamInfo("test", "test", channels, rate_hz)
    pipeline = Pipeline(info, BandPowerClassifier(channels), PipelineSettings(baseline_s=baseline_s))
    times_s = np.arange(samples_uv.shape[1]) / rate_hz
    readings: list[object] = []
    for start in range(0, samples_uv.shape[1], 32):
        part = slice(start, start + 32)
        readings += pipeline.push(EegChunk(samples_uv[:, part], times_s[part]))
    return readings


def _states(readings: list[object]) -> list[EmotionState]:
    return [reading for reading in readings if isinstance(reading, EmotionState)]


def _muse(path: Path) -> FloatArray:
    table = np.genfromtxt(path, delimiter=",", skip_header=1)
    columns: FloatArray = table[:, 1:5].T
    return columns


@pytest.mark.eeg
def test_good_contact_is_accepted_and_settles(eeg_dir: Path) -> None:
    states = _states(_run(_muse(eeg_dir / "muse" / "clean.csv"), 256.0, MUSE, 30.0))
    assert [state.status for state in states[:3]] == ["calibrating"] * 3
    assert states[-1].status == "ok"
    assert not any(state.status == "unreliable" for state in states)


@pytest.mark.eeg
def test_a_saturated_headband_never_gets_a_mood(eeg_dir: Path) -> None:
    readings = _run(_muse(eeg_dir / "muse" / "saturated.csv"), 256.0, MUSE, 30.0)
    assert {state.emotion for state in _states(readings)} == {"unknown"}
    assert {state.status for state in _states(readings)} <= {"unreliable", "calibrating"}
    quality = [reading for reading in readings if isinstance(reading, SignalQuality)]
    assert any("railed" in channel.reasons for reading in quality for channel in reading.channels)


def test_nan_and_inf_never_reach_a_state() -> None:
    samples_uv = head_noise(3, 4, 256 * 40, 256.0)
    samples_uv[1, 3000:3400] = np.nan
    samples_uv[2, 5000:5010] = np.inf
    readings = _run(samples_uv, 256.0, MUSE, 8.0)
    estimates = [reading for reading in readings if isinstance(reading, Estimate)]
    assert estimates
    assert all(np.isfinite(list(estimate.probabilities.values())).all() for estimate in estimates)
    quality = [reading for reading in readings if isinstance(reading, SignalQuality)]
    assert any("not_finite" in reading.channels[1].reasons for reading in quality)


def test_the_rest_counts_trusted_seconds_only() -> None:
    samples_uv = head_noise(5, 4, 256 * 60, 256.0)
    samples_uv[:, : 256 * 20] = 0.0
    readings = _run(samples_uv, 256.0, MUSE, 10.0)
    progress = [reading for reading in readings if isinstance(reading, BaselineProgress)]
    assert progress[10].trusted_s == 0.0
    assert progress[-1].done
    first_ok = next(state for state in _states(readings) if state.status == "ok")
    assert first_ok.at_s > 30.0


def test_alpha_that_goes_away_reads_engaged() -> None:
    halves = [head_noise(7, 4, 256 * 45, 256.0, 10.0, rhythm) for rhythm in (3.0, 0.8)]
    samples_uv = np.concatenate(halves, axis=1)
    states = _states(_run(samples_uv, 256.0, MUSE, 20.0))
    assert states[-1].emotion == "focused"
    calm = next(state for state in states if state.at_s > 40)
    assert calm.affect.arousal is not None
    assert states[-1].affect.arousal is not None
    assert calm.affect.arousal < states[-1].affect.arousal
