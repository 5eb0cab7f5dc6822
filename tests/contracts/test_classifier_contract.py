"""What every classifier promises, held against the rule, LiteRT's networks, the shipped ones and Keras'."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.classification.band_power_classifier import BandPowerClassifier
from inference.classification.with_fallback import MOST_SURE, ClassifierWithFallback
from inference.emotion import AROUSAL_OF_LABEL
from inference.features.schemas import schema_named
from inference.networks.litert_classifier import LiteRtClassifier
from inference.networks.manifest import read_manifest
from inference.port import Classifier, ClassifierError
from support.networks.network_copy import TINY, tiny

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "pretrained"
Make = Callable[[Path], Classifier]


def _shipped(name: str, variant: str) -> Make:
    return lambda _folder: LiteRtClassifier(read_manifest(SHIPPED / name / "manifest.json"), variant)


def _keras(folder: Path) -> Classifier:
    """A network of one layer, stored as the training side stores it."""
    pytest.importorskip("tensorflow", reason="the train extra is not installed")
    keras = importlib.import_module("models.networks.keras_backend").keras()
    keras.utils.set_random_seed(1)
    layers: list[Any] = [keras.Input((1, 10)), keras.layers.Flatten()]
    network = keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")])
    network.save(folder / "net.keras")
    content = (folder / "net.keras").read_bytes()
    inputs = np.random.default_rng(3).normal(size=(4, 1, 10)).round(3)
    document = json.loads((TINY / "manifest.json").read_text())
    sha256 = hashlib.sha256(content).hexdigest()
    document["files"] = {"keras": {"path": "net.keras", "sha256": sha256, "bytes": len(content)}}
    outputs = np.asarray(network(inputs.astype(np.float32))).tolist()
    document["golden"] = {"inputs": inputs.tolist(), "outputs": {"keras": outputs}, "tolerance": {}}
    (folder / "manifest.json").write_text(json.dumps(document))
    module = importlib.import_module("models.networks.keras_classifier")
    made: Classifier = module.KerasClassifier(read_manifest(folder / "manifest.json"))
    return made


MAKERS: dict[str, Make] = {
    "the rule on four electrodes": lambda _folder: BandPowerClassifier(("TP9", "AF7", "AF8", "TP10")),
    "the rule on two": lambda _folder: BandPowerClassifier(("C3", "C4"), "de5@1"),
    "LiteRT, float": lambda _folder: LiteRtClassifier(tiny(), "float"),
    "LiteRT, int8": lambda _folder: LiteRtClassifier(tiny(), "int8"),
    **{
        f"{path.parent.name}, {variant}": _shipped(path.parent.name, variant)
        for path in sorted(SHIPPED.glob("*/manifest.json"))
        for variant in ("float", "int8")
    },
}
every_classifier = pytest.mark.parametrize("kind", [*MAKERS, pytest.param("Keras", marks=pytest.mark.train)])


@pytest.fixture
def classifier(kind: str, tmp_path: Path) -> Classifier:
    return {**MAKERS, "Keras": _keras}[kind](tmp_path)


def _shape(classifier: Classifier) -> tuple[int, int]:
    schema = schema_named(classifier.feature_schema)
    return classifier.sequence_length, schema.length(classifier.channels)


def _inputs(classifier: Classifier, count: int = 6) -> Any:
    """What a baseline gives: z-scores within +-4, rest and both ends among them."""
    drawn = np.random.default_rng(0).normal(size=(count, *_shape(classifier))).clip(-4, 4)
    return [
        np.zeros(_shape(classifier)),
        np.full(_shape(classifier), 4.0),
        -4.0 * np.ones(_shape(classifier)),
        *drawn,
    ]


@every_classifier
def test_it_says_what_it_reads_and_what_it_means(kind: str, classifier: Classifier) -> None:
    assert classifier.channels
    assert len(set(classifier.channels)) == len(classifier.channels)
    assert classifier.sequence_length >= 1
    assert len(set(classifier.labels)) == len(classifier.labels) >= 2
    assert {AROUSAL_OF_LABEL[label] for label in classifier.labels} >= {-1, 1}
    assert classifier.model_id.name
    assert len(classifier.model_id.sha256) in (0, 64)
    classifier.close()


@every_classifier
def test_it_answers_with_probabilities_and_the_same_ones_again(kind: str, classifier: Classifier) -> None:
    for features in _inputs(classifier):
        given = features.copy()
        answer = np.array(classifier.predict(features))
        assert answer.shape == (len(classifier.labels),)
        assert answer.min() >= 0
        assert answer.sum() == pytest.approx(1, abs=1e-3)
        assert np.array_equal(answer, classifier.predict(features))
        assert np.array_equal(features, given), "what is read is not changed"
    classifier.close()


@every_classifier
def test_it_refuses_what_it_cannot_read_in_one_line(kind: str, classifier: Classifier) -> None:
    length, size = _shape(classifier)
    missing = np.zeros((length, size))
    missing[-1, 0] = np.nan
    for wrong in (np.zeros((length, size + 1)), np.zeros((length, size - 1)), missing):
        with pytest.raises(ClassifierError) as caught:
            classifier.predict(wrong)
        assert classifier.model_id.name in str(caught.value)
        assert "\n" not in str(caught.value)
    assert classifier.predict(np.zeros((length, size))).sum() == pytest.approx(1, abs=1e-3)
    classifier.close()


@every_classifier
def test_it_may_be_closed_twice(kind: str, classifier: Classifier) -> None:
    classifier.close()
    classifier.close()


@every_classifier
def test_the_pipeline_reads_it_window_by_window(kind: str, classifier: Classifier) -> None:
    """Also a network that looks at several: the first window stands for those before it."""
    mind = ClassifierWithFallback(classifier, None, 1.5)
    for features in _inputs(classifier):
        window = features[-1]
        opinion = mind.read(window)
        assert set(opinion.probabilities) == set(classifier.labels)
        assert MOST_SURE <= opinion.engaged <= 1 - MOST_SURE
        assert opinion.engaged == pytest.approx(1 / (1 + np.exp(-opinion.logit)))
        assert opinion.model == classifier.model_id
        mind.forget()
        alone = np.repeat(window[np.newaxis], classifier.sequence_length, axis=0)
        assert mind.read(window).probabilities == pytest.approx(
            dict(zip(classifier.labels, classifier.predict(alone).tolist(), strict=True))
        )
        mind.forget()
    classifier.close()


class Broken:
    """A network whose file has gone while it ran."""

    def __init__(self, of: Classifier) -> None:
        self.model_id, self.channels = of.model_id, of.channels
        self.feature_schema, self.labels = of.feature_schema, of.labels
        self.sequence_length = of.sequence_length

    def predict(self, features: Any) -> Any:
        raise ClassifierError("broken: it was closed")

    def close(self) -> None: ...


@every_classifier
def test_it_stands_in_for_one_that_breaks_and_the_rule_stands_in_for_it(
    kind: str, classifier: Classifier
) -> None:
    window = np.full(_shape(classifier)[1], 0.5)
    mind = ClassifierWithFallback(Broken(classifier), classifier, 2.0)
    alone = np.repeat(window[np.newaxis], classifier.sequence_length, axis=0)
    wanted = dict(zip(classifier.labels, classifier.predict(alone).tolist(), strict=True))
    assert mind.read(window).probabilities == pytest.approx(wanted)
    assert mind.trouble == "broken: it was closed"
    with pytest.raises(ClassifierError, match="broken"):
        ClassifierWithFallback(Broken(classifier), None, 1.0).read(window)
    classifier.close()
