"""One rule: the running engine, scoring and training read the same recording alike, faults and all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from acquisition.signal import EegChunk, FloatArray, Gap, StreamInfo
from acquisition.stream.timeline import Timeline
from inference.baseline.baseline import Baseline, fit_baseline
from inference.emotion import ModelId, SignalQuality
from inference.offline import FeatureSequence, feature_sequence
from inference.pipeline import Pipeline, PipelineSettings
from models.datasets import DatasetInfo, ExampleSettings, Trial, build_examples
from models.datasets.against_rest import filled_from_others
from models.errors import DatasetError
from support.recordings.a_head import head_noise

CHANNELS = ("AF7", "AF8", "TP9", "TP10")
RATE_HZ = 256.0
REST_S = 16.0
SECONDS = 30.0
SCHEMA = "de5@1"
HOP_S = 0.5


@dataclass
class Listening:
    """A network that remembers what it was given."""

    sequence_length: int
    given: list[FloatArray] = field(default_factory=list)
    model_id = ModelId("listening", "00")
    channels = CHANNELS
    feature_schema = SCHEMA
    labels = ("calm", "engaged")

    def predict(self, features: FloatArray) -> FloatArray:
        self.given.append(features.copy())
        return np.array([0.5, 0.5])

    def close(self) -> None:
        pass


INFO = DatasetInfo("one", CHANNELS, RATE_HZ, "", "", {"emotion": ("calm", "engaged")})


@dataclass(frozen=True)
class OneTrial:
    """A data set of one recording, the first seconds of which are rest."""

    samples_uv: FloatArray
    baseline_s: float = REST_S
    info: DatasetInfo = INFO

    def trials(self) -> Iterator[Trial]:
        yield Trial("p", "1", 1, self.samples_uv, {"emotion": "calm"}, self.baseline_s)


def recording(seed: int, seconds: float = SECONDS) -> FloatArray:
    """Noise with a rhythm, of a plausible amplitude."""
    n = round(seconds * RATE_HZ)
    alpha = 8 * np.sin(2 * np.pi * 10 * np.arange(n) / RATE_HZ)
    return head_noise(seed, len(CHANNELS), n, RATE_HZ, 12.0) + alpha


stretch = st.tuples(st.floats(0.5, SECONDS - 4), st.floats(0.1, 4))
faults = st.lists(
    st.tuples(st.sampled_from(("flat", "loose", "nan", "blink")), st.integers(0, 3), stretch), max_size=6
)
holes = st.lists(
    st.tuples(st.floats(2, SECONDS - 3), st.sampled_from((1, 5, 40, 63, 66, 200, 700))), max_size=4
)


def spoiled(samples_uv: FloatArray, what: list[tuple[str, int, tuple[float, float]]]) -> FloatArray:
    """With bad electrodes for a while."""
    spoiled_uv = samples_uv.copy()
    for kind, row, (start_s, length_s) in what:
        part = slice(round(start_s * RATE_HZ), round((start_s + length_s) * RATE_HZ))
        n = spoiled_uv[row, part].size
        if kind == "flat":
            spoiled_uv[row, part] = 3.0
        elif kind == "loose":
            spoiled_uv[row, part] *= 30
        elif kind == "nan":
            spoiled_uv[row, part.start : part.start + 20] = np.nan
        else:
            spoiled_uv[row, part] += 180 * np.hanning(n)
    return spoiled_uv


def live(samples_uv: FloatArray, network: Listening, rest: Baseline) -> list[SignalQuality]:
    """Through timeline and pipeline, as a headset that counts its samples; NaN columns never come."""
    times_s = np.arange(samples_uv.shape[1]) / RATE_HZ
    there = np.isfinite(samples_uv).any(axis=0)
    timeline = Timeline(RATE_HZ, counter_modulo=1 << 30)
    info = StreamInfo("test", "test", CHANNELS, RATE_HZ)
    pipeline = Pipeline(info, network, PipelineSettings(hop_s=HOP_S, refresh_s=0), rest)
    seen: list[SignalQuality] = []
    for start in range(0, len(times_s), 37):
        part = np.flatnonzero(there[start : start + 37]) + start
        if not len(part):
            continue
        chunk = EegChunk(samples_uv[:, part], times_s[part], counter=part.astype(np.float64))
        for item in timeline.push(chunk):
            assert isinstance(item, EegChunk | Gap)
            seen += [reading for reading in pipeline.push(item) if isinstance(reading, SignalQuality)]
    return seen


# two holes of a quarter second in one window are too many interpolated samples; three seconds are a gap
@example(seed=0, what=[], gone=[(20.0, 63), (20.6, 63)], length=3)
@example(seed=1, what=[("flat", 2, (18.0, 4.0))], gone=[(24.0, 700)], length=3)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), what=faults, gone=holes, length=st.sampled_from((1, 3)))
def test_live_scoring_and_training_read_a_recording_alike(
    seed: int,
    what: list[tuple[str, int, tuple[float, float]]],
    gone: list[tuple[float, int]],
    length: int,
) -> None:
    samples_uv = spoiled(recording(seed), what)
    for start_s, n in gone:
        samples_uv[:, round(start_s * RATE_HZ) : round(start_s * RATE_HZ) + n] = np.nan
    found = feature_sequence(samples_uv, RATE_HZ, CHANNELS, SCHEMA, PipelineSettings(hop_s=HOP_S))
    if len(found.clean(0, REST_S)) < 20:
        return
    rest = fit_baseline(found.clean(0, REST_S), schema=SCHEMA, channels=CHANNELS, seconds=REST_S)
    network = Listening(length)
    seen = live(samples_uv, network, rest)

    assert [quality.at_s for quality in seen] == pytest.approx(found.end_s.tolist(), abs=1e-6)
    assert [quality.worn for quality in seen] == found.accepted.tolist()
    scored = rest.z(found.clean())
    np.testing.assert_allclose(np.array([run[-1] for run in network.given]), scored, atol=1e-6)

    made = build_examples(OneTrial(samples_uv), ExampleSettings(schema=SCHEMA, hop_s=HOP_S, sequence=length))
    task = found.inside(REST_S) & found.accepted
    runs = [
        run
        for run, gap, at_s in zip(
            network.given, found.gaps[found.accepted], found.end_s[found.accepted], strict=True
        )
        if np.sum(task & (found.gaps == gap) & (found.end_s <= at_s)) >= length and at_s > REST_S
    ]
    np.testing.assert_allclose(made.X, np.array(runs).reshape(len(runs), -1), atol=1e-5)
    assert made.left_out == int(np.sum(found.inside(REST_S) & ~found.accepted))


def test_an_electrode_that_is_flat_throughout_costs_no_example() -> None:
    whole, one_flat = recording(1), recording(1)
    one_flat[2] = 0.0
    expected = build_examples(OneTrial(whole), ExampleSettings(schema=SCHEMA))
    made = build_examples(OneTrial(one_flat), ExampleSettings(schema=SCHEMA))
    assert len(made.X) == len(expected.X) > 10
    by_electrode = made.X.reshape(-1, 4, 5)
    assert not by_electrode[:, 2].any()
    np.testing.assert_array_equal(by_electrode[:, [0, 1, 3]], expected.X.reshape(-1, 4, 5)[:, [0, 1, 3]])
    three_flat = one_flat.copy()
    three_flat[:2] = 0.0
    with pytest.raises(DatasetError, match="no window was good enough"):
        build_examples(OneTrial(three_flat), ExampleSettings(schema=SCHEMA))


@pytest.mark.parametrize("baseline_s", [0.0, 4.0])
def test_with_little_or_no_rest_a_masked_electrode_says_least(baseline_s: float) -> None:
    samples_uv = recording(2)
    samples_uv[1, round(15 * RATE_HZ) :] = 0.0
    made = build_examples(OneTrial(samples_uv, baseline_s), ExampleSettings(schema=SCHEMA))
    values = made.X.reshape(-1, 4, 5)
    assert np.isfinite(values).all()
    masked = (values[:, 1] == values[-1, 1]).all(axis=1)
    assert masked[-6:].all()
    assert not masked[:6].any()
    expected = np.zeros(5) if baseline_s else values[~masked, 1].mean(axis=0)
    np.testing.assert_allclose(values[-1, 1], expected, atol=1e-5)


def test_what_is_masked_is_the_persons_own_mean_first() -> None:
    values = np.array([[1.0, np.nan, np.nan], [3.0, np.nan, np.nan], [np.nan, 5.0, np.nan]])
    filled = filled_from_others(values, np.array(["a", "a", "b"]))
    assert filled.tolist() == [[1, 5, 0], [3, 5, 0], [2, 5, 0]]


def test_a_window_that_begins_with_the_stretch_is_left_out_and_one_that_ends_with_it_stays() -> None:
    end_s = np.arange(4) * 0.5 + 2 - 1 / 128
    windows = FeatureSequence.of_accepted(end_s, np.zeros((4, 1)), 2.0)
    assert windows.inside(0).tolist() == [False, True, True, True]
    assert windows.inside(0.5, 3.0).tolist() == [False, False, True, False]
