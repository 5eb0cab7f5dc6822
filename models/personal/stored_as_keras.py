"""A shipped calm-engaged network as a Keras model, so that it can be tuned to one person.

The shipped networks compute ``ceiling * tanh(mean over the windows of a direction)`` as log-odds. Ceiling,
direction and offset are recovered from the answers of the very file that runs live, and checked elsewhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from acquisition.signal import FloatArray
from inference.networks.litert_classifier import LiteRtClassifier
from inference.networks.manifest import Manifest
from models.emotion_recognition_model import EmotionRecognitionModel
from models.errors import ModelsError
from models.networks.input_layout import InputLayout
from models.networks.keras_backend import keras
from models.networks.label_encoder import LabelEncoder

FAR = 1e3
"""Inputs so large that the bound is reached whatever the direction."""
MAX_ERROR = 2e-3
N_CHECKS = 32


def as_keras(manifest: Manifest) -> EmotionRecognitionModel:
    """The stored network as a model with input (sequence_length, n_features) and one head ``state``.

    Its layers are ``windows``, ``direction`` (convolution), ``over_time``, ``threshold`` (where the wearer's
    middle lies, learnt before the bound hides it), ``bound`` and ``state``. Raises
    ``ModelsError`` where the network is of another kind, ``ClassifierError`` where its file is damaged.
    """
    if len(manifest.labels) != 2 or "float" not in manifest.files:
        raise ModelsError(f"{manifest.name}: a float file with two labels is needed to personalise it")
    classifier = LiteRtClassifier(manifest, "float")
    try:
        ceiling = _ceiling(manifest, classifier)
        weights, offset = _direction(manifest, classifier, ceiling)
        model = _wrap(manifest, _network(manifest, weights, offset, ceiling))
        _check(manifest, classifier, model)
    finally:
        classifier.close()
    return model


def _log_odds(classifier: LiteRtClassifier, example: FloatArray) -> float:
    calm, engaged = np.clip(classifier.predict(example), 1e-9, 1)
    return float(np.log(engaged / calm))


def _ceiling(manifest: Manifest, classifier: LiteRtClassifier) -> float:
    """The bound of the log-odds: what the network says of inputs far out on either side."""
    rng = np.random.default_rng(2)
    runs = FAR * rng.normal(size=(8, 1, manifest.n_features)).repeat(manifest.sequence_length, axis=1)
    ceiling = max(abs(_log_odds(classifier, run)) for run in runs)
    if ceiling <= 0:
        raise ModelsError(f"{manifest.name}: the network gives one answer to every input")
    return ceiling


def _direction(manifest: Manifest, classifier: LiteRtClassifier, ceiling: float) -> tuple[FloatArray, float]:
    """Least squares on small inputs, where the bound is far."""
    rng = np.random.default_rng(0)
    n = manifest.n_features
    points = rng.normal(size=(4 * n, n)) * 0.3
    places = []
    for point in points:
        run = np.repeat(point[np.newaxis], manifest.sequence_length, axis=0)
        bounded = np.clip(_log_odds(classifier, run) / ceiling, -0.999, 0.999)
        places.append(np.arctanh(bounded))
    design = np.column_stack([points, np.ones(len(points))])
    solution: FloatArray = np.linalg.lstsq(design, np.array(places), rcond=None)[0]
    return solution[:-1], float(solution[-1])


def _network(manifest: Manifest, weights: FloatArray, offset: float, ceiling: float) -> Any:
    layers = keras().layers
    inputs = keras().Input((manifest.sequence_length, manifest.n_features), name="windows")
    x = layers.Conv1D(1, 1, use_bias=False, name="direction")(inputs)
    x = layers.GlobalAveragePooling1D(name="over_time")(x)
    x = layers.Dense(1, name="threshold")(x)
    x = layers.Activation("tanh", name="bound")(x)
    network = keras().Model(inputs, layers.Dense(2, activation="softmax", name="state")(x), name="personal")
    network.get_layer("direction").set_weights([weights[np.newaxis, :, np.newaxis]])
    network.get_layer("threshold").set_weights([np.ones((1, 1)), np.array([offset])])
    network.get_layer("state").set_weights([np.array([[-ceiling / 2, ceiling / 2]]), np.zeros(2)])
    return network


def _wrap(manifest: Manifest, network: Any) -> EmotionRecognitionModel:
    shape = (manifest.sequence_length, manifest.n_features)
    model = EmotionRecognitionModel(
        shape, model_name=manifest.name, heads={"state": 2}, layout=InputLayout(("time", "feature"), shape)
    )
    model.network, model.architecture = network, "cnn"
    model.encoders = {"state": LabelEncoder(manifest.labels)}
    return model


def _check(manifest: Manifest, classifier: LiteRtClassifier, model: EmotionRecognitionModel) -> None:
    rng = np.random.default_rng(1)
    runs = np.clip(rng.normal(size=(N_CHECKS, *model.input_shape)), -4, 4) + rng.normal(size=(N_CHECKS, 1, 1))
    theirs = np.stack([classifier.predict(run) for run in runs])
    error = float(np.abs(model.predict_proba(runs) - theirs).max())
    if error > MAX_ERROR:
        raise ModelsError(
            f"{manifest.name}: not a network of the kind that can be personalised ({error:.3f})"
        )
