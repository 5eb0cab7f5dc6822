"""CNN-only networks run by Keras behind inference's port: an option for those who have the ``train`` extra.

LiteRT is an order of magnitude faster and loads none of TensorFlow; this is for a network that was never
converted. The same hash, the same golden vectors and the same checks of every answer apply.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np

from acquisition.signal import FloatArray
from inference.answers import check_golden, checked_probabilities
from inference.emotion import ModelId
from inference.model_store import Manifest, read_verified
from inference.port import ClassifierError
from models.errors import ModelsError
from models.keras_backend import keras
from models.network_guard import check_network_file

VARIANT = "keras"
RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "ConvLSTM1D", "ConvLSTM2D"})


class KerasClassifier:
    """One stored ``.keras`` or ``.h5`` network. Raises ``ClassifierError`` when it may not be used.

    Custom code and Lambda layers are refused before Keras sees the file, and recurrent layers after.
    """

    def __init__(self, manifest: Manifest, variant: str = VARIANT) -> None:
        self._manifest, self._variant = manifest, variant
        read_verified(manifest, variant)
        path = Path(manifest.folder) / manifest.files[variant].path
        try:
            check_network_file(path)
            network = keras().models.load_model(path, compile=False, safe_mode=True)
        except (ModelsError, ValueError, TypeError, OSError, KeyError) as error:
            raise ClassifierError(f"{manifest.name}: Keras refuses the file: {error}") from error
        self._wanted = (manifest.sequence_length, manifest.n_features)
        self._check_network(network)
        self._call = _compiled(network, (1, *self._wanted))
        check_golden(manifest, variant, self.predict)

    @property
    def model_id(self) -> ModelId:
        return ModelId(self._manifest.name, self._manifest.files[self._variant].sha256)

    @property
    def channels(self) -> tuple[str, ...]:
        return self._manifest.channels

    @property
    def feature_schema(self) -> str:
        return self._manifest.feature_schema

    @property
    def labels(self) -> tuple[str, ...]:
        return self._manifest.labels

    @property
    def sequence_length(self) -> int:
        return self._manifest.sequence_length

    def predict(self, features: FloatArray) -> FloatArray:
        """Probabilities (n_labels,) of features (sequence_length, n_features)."""
        name = self._manifest.name
        if features.shape != self._wanted:
            raise ClassifierError(f"{name}: wants features {self._wanted}, got {features.shape}")
        if self._call is None:
            raise ClassifierError(f"{name}: it was closed")
        answer = np.asarray(self._call(features[np.newaxis].astype(np.float32)), dtype=np.float64)
        return checked_probabilities(name, answer[0])

    def close(self) -> None:
        """Let go of the network."""
        self._call = None

    def _check_network(self, network: Any) -> None:
        name = self._manifest.name
        recurrent = sorted({type(layer).__name__ for layer in network.layers} & RECURRENT)
        if recurrent:
            raise ClassifierError(f"{name}: CNN-only networks run live by Keras, this has {recurrent[0]}")
        given, answer = tuple(network.input_shape[1:]), tuple(network.output_shape[1:])
        if given != self._wanted:
            raise ClassifierError(f"{name}: the manifest says input {self._wanted}, the file has {given}")
        if answer != (len(self._manifest.labels),):
            raise ClassifierError(
                f"{name}: the manifest has {len(self._manifest.labels)} labels, the file gives {answer}"
            )


def _compiled(network: Any, shape: tuple[int, ...]) -> Any:
    """The network as one graph: calling a Keras model layer by layer costs ten times as much."""
    import tensorflow as tf

    signature = [tf.TensorSpec(shape, tf.float32)]
    graph = tf.function(lambda x: network(x, training=False), input_signature=signature)
    lock = threading.Lock()

    def call(x: Any) -> Any:
        with lock:
            return graph(x).numpy()

    return call
