"""The network that ships: convolution over the windows, mean over time, a bounded answer, softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from acquisition.signal import FloatArray
from models.calm_engaged.fisher import Direction
from models.networks.keras_backend import keras


@dataclass(frozen=True, slots=True, eq=False)
class CalmEngaged:
    """``logit = ceiling * tanh(gain * mean over time of the direction)``: monotone in one direction.

    ``gain`` and ``ceiling`` make the probability after 10 s of evidence a calibrated one.
    """

    direction: Direction
    gain: float
    ceiling: float
    sequence_length: int

    def logit(self, runs: FloatArray) -> FloatArray:
        """Log-odds of being engaged (n,) of sequences (n, sequence_length, n_features)."""
        place = self.direction.along(runs).mean(axis=-1)
        result: FloatArray = self.ceiling * np.tanh(self.gain * place)
        return result

    def keras_model(self) -> Any:
        """The same function as a Keras model, ready for TensorFlow Lite."""
        layers = keras().layers
        inputs = keras().Input(
            batch_shape=(1, self.sequence_length, len(self.direction.weights)), name="windows"
        )
        x = layers.Conv1D(1, 1, name="direction")(inputs)
        x = layers.GlobalAveragePooling1D(name="over_time")(x)
        x = layers.Activation("tanh", name="bound")(x)
        outputs = layers.Dense(2, activation="softmax", name="state")(x)
        model = keras().Model(inputs, outputs, name="calm_engaged")
        kernel = self.gain * self.direction.weights[np.newaxis, :, np.newaxis]
        constant = np.array([self.gain * self.direction.offset])
        model.get_layer("direction").set_weights([kernel, constant])
        model.get_layer("state").set_weights([np.array([[-self.ceiling / 2, self.ceiling / 2]]), np.zeros(2)])
        return model
