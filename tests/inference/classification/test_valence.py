"""Valence is null until the wearer's own calibration has beaten chance; only then is happy or sad said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from acquisition.signal import EegChunk, StreamInfo
from inference.baseline.baseline import Baseline
from inference.classification.band_power_classifier import BandPowerClassifier
from inference.classification.smoothing import Settler, SettleSettings
from inference.classification.valence import ValenceNetwork, ValenceReader, read_valence
from inference.emotion import EmotionState, Estimate, ModelId
from inference.pipeline import Pipeline, PipelineSettings
from inference.port import ClassifierError

MUSE = ("TP9", "AF7", "AF8", "TP10")
N = 10


def _network(**changes: Any) -> ValenceNetwork:
    """Pleasant for a high first feature."""
    weights = np.zeros((N, 2))
    weights[0] = (1.0, -1.0)
    network = ValenceNetwork(
        format=1,
        feature_schema="symde5@1",
        channels=MUSE,
        window_s=2.0,
        hop_s=0.5,
        windows=4,
        mean=[0.0] * N,
        scale=[1.0] * N,
        hidden=weights.tolist(),
        hidden_bias=[0.0, 0.0],
        output=[1.5, -1.5],
        output_bias=0.0,
        balanced_accuracy=0.74,
        p_value=0.01,
        pieces=12,
    )
    return msgspec.structs.replace(network, **changes)


def test_it_reads_the_mean_of_its_windows() -> None:
    reader = ValenceReader(_network())
    z = np.zeros(N)
    z[0] = 2.0
    assert reader.logit(z) == pytest.approx(3.0)
    for _ in range(4):
        last = reader.logit(-z)
    assert last == pytest.approx(-3.0)
    reader.forget()
    assert reader.logit(z) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"balanced_accuracy": 0.5}, "must beat chance on held-out pieces: accuracy 0.50"),
        ({"p_value": 0.2}, "must beat chance on held-out pieces: accuracy 0.74, p 0.200"),
        ({"scale": [0.0] * N}, "scales must be above 0"),
        ({"output": [1.0]}, "output needs 2 weights, got 1"),
        ({"mean": [0.0]}, "1 means need as many"),
        ({"format": 2}, "format must be 1"),
        ({"windows": 0}, "windows must be 1-256"),
    ],
)
def test_what_does_not_beat_chance_or_fit_together_is_refused(
    tmp_path: Path, changes: dict[str, Any], rule: str
) -> None:
    path = tmp_path / "valence.json"
    path.write_bytes(msgspec.json.encode(_network(**changes)))
    with pytest.raises(ClassifierError, match=rule):
        read_valence(path)


def test_a_garbled_file_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "valence.json"
    path.write_text("{")
    with pytest.raises(ClassifierError, match=r"valence\.json"):
        read_valence(path)


@pytest.mark.parametrize(
    ("engaged", "pleasant", "emotion"),
    [
        (2.0, 2.0, "happy"),
        (-2.0, -2.0, "sad"),
        (2.0, -2.0, "focused"),
        (-2.0, 2.0, "relaxed"),
        (2.0, 0.1, "focused"),
    ],
)
def test_the_quarters_of_the_plane(engaged: float, pleasant: float, emotion: str) -> None:
    settler = Settler(SettleSettings(), 0.5, ModelId("test"))
    for i in range(60):
        state = settler.push(0.5 * i, engaged, pleasant)
    assert state.emotion == emotion
    assert state.affect.valence == pytest.approx(np.tanh(pleasant / 2), abs=1e-3)


def _states(valence: ValenceReader | None) -> list[EmotionState | Estimate]:
    rest = Baseline("symde5@1", MUSE, np.full(N, 1.5), np.full(N, 0.4), 30.0)
    info = StreamInfo("test", "test", MUSE, 256.0)
    pipeline = Pipeline(info, BandPowerClassifier(MUSE), PipelineSettings(), rest, valence=valence)
    samples_uv = np.random.default_rng(0).normal(size=(4, 256 * 20)) * 10
    readings = pipeline.push(EegChunk(samples_uv, np.arange(256 * 20) / 256))
    return [reading for reading in readings if isinstance(reading, EmotionState | Estimate)]


def test_without_a_calibration_valence_is_null_and_with_one_it_is_not() -> None:
    assert {reading.affect.valence for reading in _states(None)} == {None}
    told = [
        reading.affect.valence for reading in _states(ValenceReader(_network())) if reading.status == "ok"
    ]
    assert told
    assert all(value is not None and -1 <= value <= 1 for value in told)
