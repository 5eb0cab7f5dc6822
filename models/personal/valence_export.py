"""A wearer's valence model as the file that a running engine reads, if held-out pieces proved it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from inference.classification.valence import ValenceNetwork, ValenceReader
from inference.networks.manifest import Manifest
from models.emotion_recognition_model import EmotionRecognitionModel
from models.errors import TrainingError
from models.files.writing import whole_file
from models.model_personalization import Verdict

MAX_ERROR = 1e-4
N_CHECKS = 16


def store_valence(
    path: Path, model: EmotionRecognitionModel, verdict: Verdict, manifest: Manifest, pleasant: str
) -> ValenceNetwork:
    """Write ``path`` whole or not at all. ``pleasant`` is the label that stands for pleasant music.

    Raises ``TrainingError`` when the verdict did not keep the model or its layers are others than
    ``calibrate_valence`` builds.
    """
    if not verdict.kept:
        raise TrainingError(f"valence is not stored: {verdict.reason}")
    network = _as_file(model, verdict, manifest, pleasant)
    _check(network, model, pleasant)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial:
        partial.write_bytes(msgspec.json.encode(network))
    path.chmod(0o600)
    return network


def _as_file(
    model: EmotionRecognitionModel, verdict: Verdict, manifest: Manifest, pleasant: str
) -> ValenceNetwork:
    layers = {layer.name: layer for layer in model.network.layers}
    missing = sorted({"normalise", "dense0", "valence"} - set(layers))
    if missing:
        raise TrainingError(f"a valence model needs the layer {missing[0]!r}, got {', '.join(layers)}")
    mean, variance, *_ = layers["normalise"].get_weights()
    hidden, hidden_bias = layers["dense0"].get_weights()
    output, output_bias = layers["valence"].get_weights()
    place = _place(model, pleasant)
    return ValenceNetwork(
        format=1,
        feature_schema=manifest.feature_schema,
        channels=manifest.channels,
        window_s=manifest.window_s,
        hop_s=manifest.hop_s,
        windows=manifest.sequence_length,
        mean=_floats(mean),
        scale=_floats(np.maximum(np.sqrt(variance), 1e-7)),
        hidden=[_floats(row) for row in hidden],
        hidden_bias=_floats(hidden_bias),
        output=_floats(output[:, place] - output[:, 1 - place]),
        output_bias=float(output_bias[place] - output_bias[1 - place]),
        balanced_accuracy=verdict.personal_accuracy,
        p_value=verdict.p_value,
        pieces=verdict.n_trials,
    )


def _place(model: EmotionRecognitionModel, pleasant: str) -> int:
    labels = [str(label) for label in model.encoder("valence").classes]
    if len(labels) != 2 or pleasant not in labels:
        raise TrainingError(f"valence has two labels, one of them {pleasant!r}, got {', '.join(labels)}")
    return labels.index(pleasant)


def _floats(values: object) -> list[float]:
    return [float(value) for value in np.asarray(values).ravel()]


def _check(network: ValenceNetwork, model: EmotionRecognitionModel, pleasant: str) -> None:
    """The file must answer as the model does."""
    given = np.random.default_rng(0).normal(size=(N_CHECKS, len(network.mean)))
    expected = np.asarray(model.predict_proba(given.astype(np.float32)))[:, _place(model, pleasant)]
    logits = np.array([ValenceReader(network).logit(row) for row in given])
    error = float(np.abs(1 / (1 + np.exp(-logits)) - expected).max())
    if error > MAX_ERROR:
        raise TrainingError(f"the stored valence answers {error:.4f} off the model, allowed {MAX_ERROR:g}")
