"""The network that ships: convolution over the windows, mean over time, a bounded answer, softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from acquisition.signal import FloatArray
from models.calm_engaged.fisher import Direction
from models.keras_backend import keras

SURE = 4.0
"""The network's log-odds stay inside +-4: nobody is ever called calm or engaged with more than 98 %."""


@dataclass(frozen=True, slots=True, eq=False)
class CalmEngaged:
    """``logit = SURE * tanh(gain * mean over time of the direction)``: monotone in one direction.

    ``gain`` makes the probability after 10 s of evidence a calibrated one.
    """

    direction: Direction
    gain: float
    sequence_length: int

    def logit(self, runs: FloatArray) -> FloatArray:
        """Log-odds of being engaged (n,) of sequences (n, sequence_length, n_features)."""
        place = self.direction.along(runs).mean(axis=-1)
        result: FloatArray = SURE * np.tanh(self.gain * place)
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
        model.get_layer("state").set_weights([np.array([[-SURE / 2, SURE / 2]]), np.zeros(2)])
        return model
