"""The pipeline by value: what each reading says, by a clock that is turned by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from acquisition.signal import EegChunk, FloatArray, Gap, StreamInfo
from inference.baseline.baseline import Baseline
from inference.emotion import BaselineProgress, EmotionState, Estimate, LeftOut, ModelId, SignalQuality
from inference.features.schemas import FeatureExtractor, schema_named
from inference.pipeline import Pipeline, PipelineSettings
from inference.preprocessing.filter_design import group_delay_s
from inference.preprocessing.filters import band_sections
from inference.preprocessing.front_end import ReadyWindow
from inference.window_reader import WindowReader
from support.recordings.a_head import head_noise

RATE_HZ = 128.0
CHANNELS = ("Fz", "Cz", "Pz")
INFO = StreamInfo("test", "test", CHANNELS, RATE_HZ)
REST = Baseline("de5@1", ("Pz",), np.zeros(5), np.full(5, 2.0), 30.0)


class Clock:
    """Moves on by a second each time it is asked."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        self.now_s += 1.0
        return self.now_s


class Listening:
    """Remembers what it was asked, and is 80 % sure of engaged."""

    model_id, channels, feature_schema = ModelId("listening", "ab"), ("Pz",), "de5@1"
    labels, sequence_length = ("calm", "engaged"), 1

    def __init__(self) -> None:
        self.asked: list[FloatArray] = []
        self.engaged = 0.8

    def predict(self, features: FloatArray) -> FloatArray:
        self.asked.append(features.copy())
        return np.array([1 - self.engaged, self.engaged])

    def close(self) -> None: ...


class Pleasant:
    """The wearer's own valence, the same for ever."""

    def logit(self, z: FloatArray) -> float:
        return 1.0

    def forget(self) -> None: ...


def _pipeline(classifier: Listening | None = None, **changes: object) -> Pipeline:
    given = {"baseline": REST, "settings": PipelineSettings(mains_hz=None), "stopwatch": Clock()} | changes
    return Pipeline(INFO, classifier or Listening(), **given)  # type: ignore[arg-type]


def _chunk(seconds: float = 2.0, amplitude: float = 8.0) -> EegChunk:
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    row = amplitude * np.sin(2 * np.pi * 10 * times_s)
    return EegChunk(np.stack([0 * row, 0 * row, row]), times_s)


def _head(seconds: float) -> EegChunk:
    n = round(seconds * RATE_HZ)
    return EegChunk(head_noise(0, 3, n, RATE_HZ, 8.0), np.arange(n) / RATE_HZ)


def test_one_window_is_one_quality_one_estimate_and_one_state() -> None:
    classifier = Listening()
    quality, estimate, state = _pipeline(classifier).push(_chunk())
    assert isinstance(quality, SignalQuality)
    assert isinstance(estimate, Estimate)
    assert isinstance(state, EmotionState)
    assert [channel.channel for channel in quality.channels] == ["Pz"]
    assert estimate.probabilities == {"calm": pytest.approx(0.2), "engaged": pytest.approx(0.8)}
    assert estimate.affect.arousal == pytest.approx(0.6)
    assert estimate.affect.valence is None
    assert estimate.confidence == pytest.approx(0.8)
    assert estimate.model == classifier.model_id
    assert quality.at_s == estimate.at_s == state.at_s == 255 / RATE_HZ
    assert classifier.asked[0].shape == (1, 5)
    assert classifier.asked[0][0, 2] > 0 > classifier.asked[0][0, 4]


def test_one_can_be_as_sure_of_calm() -> None:
    classifier = Listening()
    classifier.engaged = 0.1
    estimate = _pipeline(classifier).push(_chunk())[1]
    assert isinstance(estimate, Estimate)
    assert (estimate.confidence, estimate.affect.arousal) == (pytest.approx(0.9), pytest.approx(-0.8))


def test_each_part_of_a_windows_time_is_told_in_milliseconds() -> None:
    state = _pipeline().push(_chunk())[-1]
    assert isinstance(state, EmotionState)
    latency_ms = dict(state.latency_ms)
    delay_ms = 1e3 * group_delay_s(band_sections(RATE_HZ, None), 10.0, RATE_HZ)
    assert latency_ms.pop("signal_delay") == round(delay_ms, 4)
    assert latency_ms == {name: 1000.0 for name in ("filter", "quality", "features", "classify", "settle")}  # noqa: C420


def test_a_poor_signal_costs_confidence_and_valence_is_the_wearers() -> None:
    pipeline = _pipeline(valence=Pleasant())
    _, estimate, state = pipeline.push(replace(_chunk(), interpolated=np.arange(256) < 32))
    assert isinstance(estimate, Estimate)
    assert isinstance(state, EmotionState)
    assert estimate.confidence == pytest.approx(0.8 * 0.875)
    assert estimate.affect.valence == pytest.approx(math.tanh(0.5))
    pipeline.use_valence(None)
    estimate = pipeline.push(replace(_chunk(0.5), times_s=2 + np.arange(64) / RATE_HZ))[1]
    assert isinstance(estimate, Estimate)
    assert estimate.affect.valence is None


def test_the_rest_is_counted_and_a_new_one_begins_anew() -> None:
    settings = PipelineSettings(mains_hz=None, baseline_s=2.0)
    pipeline = _pipeline(baseline=None, settings=settings)
    told = [one for one in pipeline.push(_chunk(4.0)) if isinstance(one, BaselineProgress)]
    assert [(one.trusted_s, one.wanted_s, one.done) for one in told] == [
        (0.5, 2.0, False), (1.0, 2.0, False), (1.5, 2.0, False), (2.0, 2.0, True),
    ]  # fmt: skip
    assert pipeline.baseline is not None
    assert pipeline.baseline.seconds == 2.0
    assert pipeline.state is not None
    assert pipeline.state.status == "warming_up"
    pipeline.recalibrate()
    assert pipeline.baseline is None
    again = pipeline.push(replace(_chunk(0.5), times_s=4 + np.arange(64) / RATE_HZ))
    assert [one.status for one in again if isinstance(one, EmotionState)] == ["calibrating"]


def test_a_refused_window_of_rest_is_unreliable_and_does_not_count() -> None:
    pipeline = _pipeline(baseline=None)
    _, progress, state = pipeline.push(_chunk(amplitude=0.0))
    assert isinstance(progress, BaselineProgress)
    assert isinstance(state, EmotionState)
    assert (progress.trusted_s, state.status) == (0.0, "unreliable")


def test_with_a_rest_a_refused_window_is_refused() -> None:
    readings = _pipeline().push(_chunk(amplitude=0.0))
    assert [type(one) for one in readings] == [SignalQuality, EmotionState]
    assert isinstance(readings[1], EmotionState)
    assert readings[1].status == "unreliable"


def test_a_stored_rest_is_on_trial_for_ten_seconds() -> None:
    far = replace(REST, centre=np.full(5, 1e3))
    pipeline = _pipeline(baseline=far, stored=True)
    head = _head(12.0)
    states = [one.status for one in pipeline.push(head) if isinstance(one, EmotionState)]
    assert states == ["warming_up"] * 19 + ["calibrating"] * 2
    assert pipeline.stored_refused
    kept = _pipeline(baseline=replace(REST, scale=np.full(5, 1e3)), stored=True)
    kept.push(head)
    assert not kept.stored_refused
    measured = _pipeline(baseline=far)
    measured.push(head)
    assert not measured.stored_refused


def test_what_is_too_late_is_left_out() -> None:
    readings = _pipeline(too_late=lambda end_s: end_s < 2.4).push(_chunk(2.5))
    assert readings[0] == LeftOut(255 / RATE_HZ)
    assert [type(one) for one in readings[1:]] == [SignalQuality, Estimate, EmotionState]


def test_a_real_gap_begins_windows_anew_and_a_bridged_one_does_not() -> None:
    for bridged, count in ((True, 3), (False, 0)):
        pipeline = _pipeline()
        pipeline.push(_chunk(1.5))
        assert pipeline.push(Gap(1.5, 1.6, 12, "lost", bridged=bridged)) == ()
        assert len(pipeline.push(replace(_chunk(0.5), times_s=1.6 + np.arange(64) / RATE_HZ))) == count


def test_what_a_pipeline_tells_of_itself() -> None:
    pipeline = _pipeline()
    assert (pipeline.state, pipeline.trouble, pipeline.mains_hz) == (None, "", None)
    assert pipeline.model_id == ModelId("listening", "ab")
    assert pipeline.dwell_s == 10.0
    pipeline.dwell_s = 3.0
    assert pipeline.dwell_s == 3.0
    stale = pipeline.mark_stale(7.0)
    assert (stale.at_s, stale.status, stale.emotion) == (7.0, "stale", "unknown")
    other = Listening()
    other.model_id = ModelId("other", "cd")
    pipeline.use(other)
    assert pipeline.model_id == other.model_id
    assert pipeline.state is not None
    assert pipeline.state.model == other.model_id
    assert pipeline.push(_chunk(1.0)) == ()
    for wrong in (np.zeros((2, 10)), np.zeros((3, 9)), np.zeros(10)):
        with pytest.raises(ValueError, match="a chunk must be"):
            pipeline.push(EegChunk(wrong, np.arange(10) / RATE_HZ))
    with pytest.raises(ValueError, match="Oz missing"):
        _pipeline(channels=("Oz",))


def test_mains_found_late_change_the_delay_that_is_told() -> None:
    settings = PipelineSettings(mains_hz="auto")
    pipeline = Pipeline(replace(INFO, rate_hz=256.0), Listening(), settings, REST)
    assert pipeline.mains_hz == 50.0
    before_ms = pipeline.signal_delay_ms
    times_s = np.arange(1024) / 256.0
    hum = np.tile(50 * np.sin(2 * np.pi * 60 * times_s), (3, 1))
    pipeline.push(EegChunk(hum + np.random.default_rng(0).normal(size=hum.shape), times_s))
    assert pipeline.mains_hz == 60.0
    assert pipeline.signal_delay_ms != before_ms


def test_a_window_is_read_once_for_gate_and_features() -> None:
    samples = 10 * np.random.default_rng(0).normal(size=(2, 256))
    window = ReadyWindow(samples, samples, 7.0, np.array([1.0, 0.0]))
    read = WindowReader("de5@1", ("C3", "C4"), 128.0, 128.0, electrodes=("T7", "T8"), stopwatch=Clock()).read(
        window
    )
    assert [one.channel for one in read.quality.channels] == ["T7", "T8"]
    assert read.latency_ms == {"quality": 1000.0, "features": 1000.0}
    assert (read.end_s, read.accepted) == (7.0, True)
    expected = FeatureExtractor(schema_named("de5@1"), ("C3", "C4"), 128.0)(samples, np.array([1.0, 0.0]))
    assert read.features == pytest.approx(expected, nan_ok=True)
    plain = WindowReader("de5@1", ("C3", "C4"), 128.0, 128.0).read(window)
    assert [one.channel for one in plain.quality.channels] == ["C3", "C4"]
