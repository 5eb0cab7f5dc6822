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
from inference.networks.manifest import Manifest, read_verified
from inference.networks.stored_network import StoredNetwork, check_golden, checked_probabilities
from inference.port import ClassifierError
from models.errors import ModelsError
from models.files.network_guard import check_network_file
from models.networks.keras_backend import keras

VARIANT = "keras"
RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "ConvLSTM1D", "ConvLSTM2D"})


class KerasClassifier(StoredNetwork):
    """One stored ``.keras`` or ``.h5`` network. Raises ``ClassifierError`` when it may not be used.

    Custom code and Lambda layers are refused before Keras sees the file, and recurrent layers after.
    """

    def __init__(self, manifest: Manifest, variant: str = VARIANT) -> None:
        super().__init__(manifest, variant)
        read_verified(manifest, variant)
        path = Path(manifest.folder) / manifest.files[variant].path
        try:
            check_network_file(path)
            network = keras().models.load_model(path, compile=False, safe_mode=True)
        except (ModelsError, ValueError, TypeError, OSError, KeyError) as error:
            raise ClassifierError(f"{manifest.name}: Keras refuses the file: {error}") from error
        self._check_network(network)
        self._call = _compiled(network, (1, *self._wanted))
        check_golden(manifest, variant, self.predict)

    def predict(self, features: FloatArray) -> FloatArray:
        """Probabilities (n_labels,) of features (sequence_length, n_features). Raises ``ClassifierError``."""
        name = self._manifest.name
        self._check_features(features)
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
        # Keras leaves the batch open; the graph made of it takes one
        self._check_shapes([1, *network.input_shape[1:]], [1, *network.output_shape[1:]])


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
