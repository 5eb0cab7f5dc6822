"""The port every classifier stands behind."""

from __future__ import annotations

from typing import Protocol

from acquisition.signal import FloatArray
from inference.emotion import ModelId


class ClassifierError(Exception):
    """The classifier could not be loaded or gave no usable answer. The message names file and rule."""


class MissingRuntimeError(ClassifierError):
    """What runs networks is not on this machine; ``remedy`` says how to get it."""

    def __init__(self, missing: str, remedy: str) -> None:
        super().__init__(f"{missing}: {remedy}")
        self.missing, self.remedy = missing, remedy


class Classifier(Protocol):
    """Turns the newest windows' baseline-normalised features into the probability of being engaged.

    ``sequence_length`` is how many consecutive windows (oldest first) the network wants; 1 for a
    network that looks at a single window.
    """

    @property
    def model_id(self) -> ModelId: ...

    @property
    def channels(self) -> tuple[str, ...]:
        """Montage names the features are computed from, in order."""
        ...

    @property
    def feature_schema(self) -> str:
        """Name and version of the feature layout, e.g. ``de5@1``."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """What each output probability means, e.g. ``("calm", "engaged")``."""
        ...

    @property
    def sequence_length(self) -> int: ...

    def predict(self, features: FloatArray) -> FloatArray:
        """Probabilities, shape (n_labels,), for features of shape (sequence_length, n_features).

        Raises ``ClassifierError`` when the answer is not finite or does not sum to one.
        """
        ...

    def close(self) -> None:
        """Let go of the interpreter and, where there is one, the child process."""
        ...
