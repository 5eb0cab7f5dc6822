"""Faults F08, F13 and F15 to F17: what a bad signal does to the states, from the timeline to the pipeline."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from acquisition.headsets.simulated_source import SimulatedSource
from acquisition.signal import EegChunk, FloatArray, StreamInfo
from acquisition.stream.timeline import Timeline
from inference.classification.band_power_classifier import BandPowerClassifier
from inference.emotion import EmotionState, Estimate, Reading, SignalQuality
from inference.pipeline import Pipeline, PipelineSettings

RATE_HZ = 256.0
MUSE = ("TP9", "AF7", "AF8", "TP10")
REST_S = 10.0


@pytest.fixture(scope="module")
def wearer_uv() -> FloatArray:
    """Ninety seconds of the simulated wearer, who is calm for the first half."""
    source = SimulatedSource(seed=3, speed=None)
    source.open()
    chunks = [source.poll(0.05) for _ in range(round(90 * RATE_HZ / 16))]
    return np.concatenate([chunk.samples_uv for chunk in chunks if chunk is not None], axis=1)


def _feed(samples_uv: FloatArray, stamps_s: FloatArray, arrived_s: FloatArray) -> list[Reading]:
    """Through timeline and pipeline in chunks of 16 samples."""
    timeline = Timeline(RATE_HZ)
    info = StreamInfo("test", "test", MUSE, RATE_HZ)
    pipeline = Pipeline(info, BandPowerClassifier(MUSE), PipelineSettings(baseline_s=REST_S))
    readings: list[Reading] = []
    for i in range(0, samples_uv.shape[1], 16):
        part = slice(i, i + 16)
        for item in timeline.push(EegChunk(samples_uv[:, part], stamps_s[part]), float(arrived_s[i])):
            readings += pipeline.push(item)
    return readings


def _readings(samples_uv: FloatArray, kept: FloatArray | None = None, jump_s: float = 0.0) -> list[Reading]:
    times_s = np.arange(samples_uv.shape[1]) / RATE_HZ
    stamps_s = times_s + np.where(times_s >= 40, jump_s, 0.0)
    which = np.arange(len(times_s)) if kept is None else np.flatnonzero(kept)
    return _feed(samples_uv[:, which], stamps_s[which], times_s[which])


def _statuses(readings: list[Reading], begin_s: float, end_s: float) -> set[str]:
    return {r.status for r in readings if isinstance(r, EmotionState) and begin_s <= r.at_s < end_s}


def _kept(n: int, share: float) -> FloatArray:
    kept = np.random.default_rng(8).random(n) >= share
    kept[: int(15 * RATE_HZ)] = True
    return kept.astype(np.float64)


def test_f08_a_tenth_lost_is_flagged_and_the_states_go_on(wearer_uv: FloatArray) -> None:
    readings = _readings(wearer_uv, _kept(wearer_uv.shape[1], 0.1))
    late = [r for r in readings if isinstance(r, SignalQuality) and r.at_s > 20]
    assert all("lost" in channel.reasons for quality in late for channel in quality.channels)
    assert _statuses(readings, 40, 88) == {"ok"}
    windows = [r.at_s for r in readings if isinstance(r, SignalQuality)]
    assert np.allclose(np.diff(windows), 0.5, atol=0.01), "no window is missing"


def test_f08_half_lost_is_refused(wearer_uv: FloatArray) -> None:
    readings = _readings(wearer_uv, _kept(wearer_uv.shape[1], 0.5))
    assert not [r for r in readings if isinstance(r, Estimate) and r.at_s > 20]
    assert "ok" not in _statuses(readings, 40, 88)


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0, 200_000.0])
def test_f13_a_clock_that_is_set_moves_no_window(wearer_uv: FloatArray, jump_s: float) -> None:
    clean = [r.probabilities for r in _readings(wearer_uv) if isinstance(r, Estimate)]
    jumped = [r.probabilities for r in _readings(wearer_uv, jump_s=jump_s) if isinstance(r, Estimate)]
    assert jumped == clean


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
def test_f15_nan_and_infinity_go_no_further_than_the_quality(wearer_uv: FloatArray, poison: float) -> None:
    samples_uv = wearer_uv.copy()
    samples_uv[1, int(30 * RATE_HZ) : int(32 * RATE_HZ)] = poison
    samples_uv[:, int(50 * RATE_HZ) :: 997] = poison
    readings = _readings(samples_uv)
    for reading in readings:
        if isinstance(reading, Estimate):
            assert np.isfinite(list(reading.probabilities.values())).all()
            assert np.isfinite(reading.confidence)
        if isinstance(reading, EmotionState):
            assert reading.affect.arousal is None or np.isfinite(reading.affect.arousal)
            assert np.isfinite(reading.confidence)
        if isinstance(reading, SignalQuality):
            assert np.isfinite([channel.score for channel in reading.channels]).all()
    poisoned = [r for r in readings if isinstance(r, SignalQuality) and 30 < r.at_s < 32]
    assert all("not_finite" in r.channels[1].reasons for r in poisoned)


def _flat(uv: FloatArray) -> FloatArray:
    return np.zeros_like(uv)


def _railed(uv: FloatArray) -> FloatArray:
    return np.clip(40 * uv, -500, 500)


def _hum(uv: FloatArray) -> FloatArray:
    times_s = np.arange(uv.shape[-1]) / RATE_HZ
    return uv + 3000 * np.sin(2 * np.pi * 50 * times_s)


def _off(uv: FloatArray) -> FloatArray:
    return np.random.default_rng(16).normal(size=uv.shape).cumsum(axis=-1) * 60


@pytest.mark.parametrize("fault", [_flat, _railed, _off])
def test_f16_one_bad_electrode_is_named_and_the_state_does_not_flap(
    wearer_uv: FloatArray, fault: object
) -> None:
    assert callable(fault)
    samples_uv = wearer_uv[:, : int(45 * RATE_HZ)].copy()
    samples_uv[3, int(25 * RATE_HZ) :] = fault(samples_uv[3:4, int(25 * RATE_HZ) :])[0]
    readings = _readings(samples_uv)
    late = [r for r in readings if isinstance(r, SignalQuality) and r.at_s > 28]
    assert all(r.channels[3].score < 0.5 and r.channels[3].reasons for r in late)
    assert all(channel.score >= 0.5 for r in late for channel in r.channels[:1])
    emotions = [r.emotion for r in readings if isinstance(r, EmotionState) and r.at_s > 25]
    assert sum(a != b for a, b in itertools.pairwise(emotions)) <= 1


def test_f16_hum_is_named(wearer_uv: FloatArray) -> None:
    samples_uv = wearer_uv[:, : int(20 * RATE_HZ)].copy()
    samples_uv[2] = _hum(samples_uv[2])
    late = [r for r in _readings(samples_uv) if isinstance(r, SignalQuality) and r.at_s > 12]
    assert all("line_noise" in r.channels[2].reasons and r.channels[2].score < 0.95 for r in late)
    assert not any("line_noise" in r.channels[0].reasons for r in late)


@pytest.mark.parametrize("fault", [_flat, _railed, _off])
def test_f17_ten_minutes_without_contact_claim_nothing_and_end_with_it(
    wearer_uv: FloatArray, fault: object
) -> None:
    assert callable(fault)
    good = wearer_uv[:, : int(40 * RATE_HZ)]
    bad = fault(np.tile(good, 15))
    readings = _readings(np.concatenate([good, bad, good], axis=1))
    # what the state was may be held for some seconds; then nothing may be claimed
    assert _statuses(readings, 40 + 32, 40 + 600) == {"unreliable"}
    assert "ok" in _statuses(readings, 640 + 5, 680)
