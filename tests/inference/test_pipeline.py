"""The whole inference side: same states whatever the chunks, hot swap, fallback, and hostile input."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquisition.signal import EegChunk, FloatArray, Gap, StreamInfo
from inference.baseline.baseline import Baseline
from inference.classification.band_power_classifier import BandPowerClassifier
from inference.emotion import EmotionState, Estimate, ModelId, Reading, SignalQuality
from inference.networks.litert_classifier import LiteRtClassifier
from inference.pipeline import Pipeline, PipelineSettings
from inference.port import Classifier, ClassifierError
from inference.preprocessing.filter_design import group_delay_s
from inference.preprocessing.filters import band_sections
from support.networks.network_copy import tiny
from support.recordings.a_head import head_noise

MUSE = ("TP9", "AF7", "AF8", "TP10")
REST = Baseline("symde5@1", MUSE, np.full(10, 1.5), np.full(10, 0.4), 30.0)


def _info(rate_hz: float = 256.0, channels: tuple[str, ...] = MUSE) -> StreamInfo:
    return StreamInfo("test", "test", channels, rate_hz)


def _rule() -> BandPowerClassifier:
    return BandPowerClassifier(MUSE, "symde5@1")


def _eeg(seconds: float, rate_hz: float = 256.0, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    n = round(seconds * rate_hz)
    samples_uv = head_noise(seed, 4, n, rate_hz, 3.0)
    return samples_uv, np.arange(n) / rate_hz


class Broken:
    """A network that answers a while and then no more."""

    model_id = ModelId("broken", "00")
    channels = MUSE
    feature_schema = "symde5@1"
    labels = ("calm", "engaged")
    sequence_length = 1

    def __init__(self, answers: int) -> None:
        self._left = answers

    def predict(self, features: FloatArray) -> FloatArray:
        self._left -= 1
        if self._left < 0:
            raise ClassifierError("broken: the network's answer is not finite")
        return np.array([0.2, 0.8])

    def close(self) -> None:
        pass


def _states(readings: list[Reading]) -> list[EmotionState]:
    return [reading for reading in readings if isinstance(reading, EmotionState)]


def _run(pipeline: Pipeline, samples_uv: FloatArray, times_s: FloatArray, edges: list[int]) -> list[Reading]:
    return [
        reading
        for a, b in pairwise(edges)
        for reading in pipeline.push(EegChunk(samples_uv[:, a:b], times_s[a:b]))
    ]


@settings(max_examples=15, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 400), min_size=5, max_size=60),
    rate_hz=st.sampled_from((128.0, 200.0, 250.0, 256.0, 500.0, 1000.0)),
)
def test_estimates_do_not_depend_on_how_the_samples_come(sizes: list[int], rate_hz: float) -> None:
    samples_uv, times_s = _eeg(8, rate_hz)
    edges = [0, *np.cumsum(sizes).tolist(), len(times_s)]
    edges = sorted({min(edge, len(times_s)) for edge in edges})
    whole = _run(_on(rate_hz), samples_uv, times_s, [0, len(times_s)])
    parts = _run(_on(rate_hz), samples_uv, times_s, edges)
    ours = [reading for reading in parts if isinstance(reading, Estimate)]
    theirs = [reading for reading in whole if isinstance(reading, Estimate)]
    assert len(ours) == len(theirs) >= 10
    for a, b in zip(ours, theirs, strict=True):
        assert a.at_s == pytest.approx(b.at_s, abs=1e-9)
        assert a.probabilities["engaged"] == pytest.approx(b.probabilities["engaged"], abs=1e-9)
        assert a.confidence == pytest.approx(b.confidence, abs=1e-9)


def _on(rate_hz: float, classifier: Classifier | None = None, **changes: float) -> Pipeline:
    return Pipeline(_info(rate_hz), classifier or _rule(), PipelineSettings(**changes), REST)


def test_it_is_causal() -> None:
    """What comes later changes nothing that was said before."""
    samples_uv, times_s = _eeg(10)
    other_uv = samples_uv.copy()
    other_uv[:, 256 * 6 :] = _eeg(4, seed=9)[0]
    before = _run(_on(256.0), samples_uv, times_s, [0, 1536, 2560])
    after = _run(_on(256.0), other_uv, times_s, [0, 1536, 2560])
    early = [(a, b) for a, b in zip(_states(before), _states(after), strict=True) if a.at_s < 6]
    late = [(a, b) for a, b in zip(_states(before), _states(after), strict=True) if a.at_s > 8]
    assert all(a.affect == b.affect for a, b in early)
    assert any(a.affect != b.affect for a, b in late)


def test_channels_in_another_order_give_the_same() -> None:
    samples_uv, times_s = _eeg(8)
    expected = _run(_on(256.0), samples_uv, times_s, [0, len(times_s)])
    turned = Pipeline(_info(channels=(*MUSE[::-1], "Fz")), _rule(), PipelineSettings(), REST, channels=MUSE)
    rows = np.concatenate([samples_uv[::-1], samples_uv[:1]])
    got = _run(turned, rows, times_s, [0, len(times_s)])
    assert [s.affect for s in _states(got)] == [s.affect for s in _states(expected)]


def test_a_missing_channel_is_named() -> None:
    with pytest.raises(ValueError, match="the stream has TP9, AF7: AF8, TP10 missing"):
        Pipeline(_info(channels=("TP9", "AF7")), _rule(), PipelineSettings(), REST)


@pytest.mark.parametrize("shape", [(3, 64), (4, 63), (5, 64)])
def test_a_chunk_of_another_shape_is_refused_in_words(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"a chunk must be \(4 channels, 64 times\), got"):
        _on(256.0).push(EegChunk(np.zeros(shape), np.arange(64) / 256))


@pytest.mark.parametrize("rate_hz", [99.0, 1001.0])
def test_a_rate_out_of_range_is_refused(rate_hz: float) -> None:
    with pytest.raises(ValueError, match=r"sampling rate must lie inside 100\.\.1000"):
        _on(rate_hz)


def _finite(reading: Reading) -> bool:
    match reading:
        case SignalQuality():
            return all(math.isfinite(c.score) for c in reading.channels) and math.isfinite(reading.overall)
        case Estimate():
            numbers = [*reading.probabilities.values(), reading.confidence, reading.affect.arousal or 0.0]
            return all(math.isfinite(number) for number in numbers)
        case EmotionState():
            numbers = [reading.confidence, reading.affect.arousal or 0.0, *reading.latency_ms.values()]
            return all(math.isfinite(number) for number in numbers)
        case _:
            return True


NASTY = (0.0, np.nan, np.inf, -np.inf, 1e300, -1e300, 1e-300, 187_500.0)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 2000), st.integers(1, 900), st.sampled_from(NASTY)),
        max_size=8,
    )
)
def test_nothing_hostile_in_the_samples_reaches_a_reading(
    stretches: list[tuple[int, int, int, float]],
) -> None:
    samples_uv, times_s = _eeg(10)
    for row, start, length, value in stretches:
        samples_uv[row, start : start + length] = value
    readings = _run(_on(256.0), samples_uv, times_s, list(range(0, len(times_s) + 1, 64)))
    assert readings
    assert all(_finite(reading) for reading in readings)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300, 1e7])
def test_a_monstrous_sample_is_forgotten_with_its_window(value: float) -> None:
    samples_uv, times_s = _eeg(20)
    clean = _run(_on(256.0), samples_uv, times_s, [0, len(times_s)])
    samples_uv = samples_uv.copy()
    samples_uv[1, 256 * 8 + 3] = value
    marred = _run(_on(256.0), samples_uv, times_s, [0, len(times_s)])
    for a, b in zip(clean, marred, strict=True):
        if isinstance(a, Estimate) and isinstance(b, Estimate) and a.at_s > 14:
            assert a.probabilities["engaged"] == pytest.approx(b.probabilities["engaged"], abs=1e-3)


def test_all_channels_dead_says_unreliable_and_no_mood() -> None:
    readings = _run(_on(256.0), np.zeros((4, 256 * 20)), np.arange(256 * 20) / 256, [0, 256 * 20])
    assert {state.emotion for state in _states(readings)} == {"unknown"}
    assert _states(readings)[-1].status == "unreliable"


def test_no_window_spans_a_gap() -> None:
    pipeline = _on(256.0)
    samples_uv, times_s = _eeg(3)
    assert _run(pipeline, samples_uv, times_s, [0, len(times_s)])
    assert pipeline.push(Gap(3.0, 4.0, 256, "lost")) == ()
    assert not _run(pipeline, samples_uv[:, :500], times_s[:500] + 4, [0, 500])
    assert _run(pipeline, samples_uv[:, 500:540], times_s[500:540] + 4, [0, 40])


def test_a_network_is_swapped_in_between_two_windows() -> None:
    pipeline = Pipeline(_info(), _rule(), PipelineSettings(), REST, fallback=_rule())
    samples_uv, times_s = _eeg(12)
    early = _run(pipeline, samples_uv, times_s, [0, 1536])
    pipeline.use(LiteRtClassifier(tiny(), "int8"))
    late = _run(pipeline, samples_uv, times_s, [1536, len(times_s)])
    assert {e.model.name for e in early if isinstance(e, Estimate)} == {"band-power-rule"}
    assert {e.model.name for e in late if isinstance(e, Estimate)} == {"tiny"}
    gaps_s = np.diff([state.at_s for state in _states(early + late)])
    assert gaps_s == pytest.approx(np.full(len(gaps_s), 0.5))
    assert _states(late)[0].status == "warming_up"
    assert pipeline.model_id.sha256 == tiny().files["int8"].sha256


def test_a_network_of_other_features_is_not_swapped_in() -> None:
    pipeline = _on(256.0)
    with pytest.raises(ClassifierError, match=r"band-power-rule reads de5@1 of .*; running is symde5@1"):
        pipeline.use(BandPowerClassifier(MUSE, "de5@1"))
    assert pipeline.model_id.name == "band-power-rule"


def test_a_network_that_fails_gives_way_to_the_rule_at_once_and_says_so() -> None:
    pipeline = Pipeline(_info(), Broken(6), PipelineSettings(), REST, fallback=_rule())
    samples_uv, times_s = _eeg(15)
    readings = _run(pipeline, samples_uv, times_s, list(range(0, len(times_s) + 1, 64)))
    models = [(e.at_s, e.model.name) for e in readings if isinstance(e, Estimate)]
    last_good_s = max(at_s for at_s, name in models if name == "broken")
    first_rule_s = min(at_s for at_s, name in models if name == "band-power-rule")
    assert first_rule_s - last_good_s == pytest.approx(0.5)
    assert pipeline.trouble == "broken: the network's answer is not finite"
    assert pipeline.baseline is REST
    settled = [s for s in _states(readings) if s.status == "ok" and s.model.name == "band-power-rule"]
    assert settled[0].at_s - last_good_s < 5.0


def test_without_a_fallback_a_failing_network_is_an_error() -> None:
    samples_uv, times_s = _eeg(8)
    with pytest.raises(ClassifierError):
        _run(_on(256.0, Broken(2)), samples_uv, times_s, [0, len(times_s)])


def test_a_sequence_network_gets_its_windows_oldest_first() -> None:
    seen: list[FloatArray] = []

    class Sequence(Broken):
        sequence_length = 4

        def predict(self, features: FloatArray) -> FloatArray:
            seen.append(features.copy())
            return super().predict(features)

    samples_uv, times_s = _eeg(6)
    _run(_on(256.0, Sequence(100)), samples_uv, times_s, [0, len(times_s)])
    assert all(features.shape == (4, 10) for features in seen)
    assert np.array_equal(seen[5][:3], seen[4][1:])
    assert np.array_equal(seen[0][0], seen[0][3])


def test_temperature_tempers_the_confidence() -> None:
    samples_uv, times_s = _eeg(8)
    sure = _run(_on(256.0, Broken(100)), samples_uv, times_s, [0, len(times_s)])
    tempered = _run(_on(256.0, Broken(100), temperature=2.0), samples_uv, times_s, [0, len(times_s)])
    assert _states(sure)[-1].confidence == pytest.approx(0.8, abs=1e-3)
    assert _states(tempered)[-1].confidence == pytest.approx(2 / 3, abs=1e-3)


def test_each_state_tells_its_latency_by_stage() -> None:
    samples_uv, times_s = _eeg(8)
    states = _states(_run(_on(256.0), samples_uv, times_s, [0, len(times_s)]))
    wanted = {"signal_delay", "filter", "quality", "features", "classify", "settle"}
    assert set(states[-1].latency_ms) == wanted
    assert all(0 <= ms < 10_000 for ms in states[-1].latency_ms.values())


@pytest.mark.parametrize("rate_hz", [128.0, 250.0, 256.0, 1000.0])
def test_the_stated_signal_delay_is_that_of_a_burst_of_alpha(rate_hz: float) -> None:
    """The envelope of a 10 Hz burst comes out of resampler and filters as late as is said."""
    pipeline = _on(rate_hz, window_s=2.0)
    times_s = np.arange(round(8 * rate_hz)) / rate_hz
    burst = np.exp(-(((times_s - 4.0) / 0.25) ** 2)) * np.sin(2 * np.pi * 10 * times_s)
    front = pipeline._front
    windows = list(front.push(np.tile(burst * 50, (4, 1)), times_s))
    window = next(w for w in windows if abs(w.end_s - 5.0) < 0.3)
    samples = window.filtered_uv[0]
    ends_s = window.end_s - np.arange(len(samples))[::-1] / 128.0
    centre_s = float(np.sum(ends_s * samples**2) / np.sum(samples**2))
    filters_ms = 1e3 * (centre_s - 4.0)
    assert filters_ms == pytest.approx(pipeline.signal_delay_ms - front.wait_ms, abs=4.0)
    assert 1e3 * group_delay_s(band_sections(128.0, 50.0), 10.0, 128.0) <= pipeline.signal_delay_ms


def test_going_stale_claims_nothing_and_starts_over() -> None:
    pipeline = _on(256.0)
    samples_uv, times_s = _eeg(10)
    _run(pipeline, samples_uv, times_s, [0, len(times_s)])
    stale = pipeline.mark_stale(12.0)
    assert (stale.emotion, stale.status, stale.affect.arousal) == ("unknown", "stale", None)
    again = _states(_run(pipeline, samples_uv, times_s + 20, [0, len(times_s)]))
    assert again[0].status == "warming_up"


def test_recalibrating_asks_for_a_new_rest() -> None:
    pipeline = _on(256.0, baseline_s=4.0)
    samples_uv, times_s = _eeg(30)
    _run(pipeline, samples_uv, times_s, [0, 2560])
    pipeline.recalibrate()
    states = _states(_run(pipeline, samples_uv, times_s, [2560, len(times_s)]))
    assert states[0].status == "calibrating"
    assert states[-1].status == "ok"
    assert pipeline.baseline is not None
    assert pipeline.baseline is not REST
