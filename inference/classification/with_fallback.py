"""The classifier in use and the one that takes over when it gives no usable answer."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from acquisition.signal import FloatArray
from inference.emotion import AROUSAL_OF_LABEL, ModelId
from inference.port import Classifier, ClassifierError

MOST_SURE = 1e-6
"""Probabilities are kept this far from 0 and 1, so that one window cannot outweigh all others."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """One window's answer: probabilities by label, P(engaged), its calibrated log-odds, and who gave it."""

    probabilities: Mapping[str, float]
    engaged: float
    logit: float
    model: ModelId


class ClassifierWithFallback:
    """Keeps the newest windows' features for networks that look at a sequence, and asks the classifier."""

    def __init__(self, classifier: Classifier, fallback: Classifier | None, temperature: float) -> None:
        self._classifier, self._fallback, self._temperature = classifier, fallback, temperature
        self._sequence: deque[FloatArray] = deque(maxlen=classifier.sequence_length)
        self.trouble = ""

    @property
    def model_id(self) -> ModelId:
        return self._classifier.model_id

    def forget(self) -> None:
        """Drop the sequence, as after a gap."""
        self._sequence.clear()

    def use(self, classifier: Classifier, temperature: float) -> None:
        """Ask another one from the next window on. Raises ``ClassifierError`` for other features."""
        now, name = self._classifier, classifier.model_id.name
        if (classifier.channels, classifier.feature_schema) != (now.channels, now.feature_schema):
            raise ClassifierError(
                f"{name} reads {classifier.feature_schema} of {', '.join(classifier.channels)}; "
                f"running is {now.feature_schema} of {', '.join(now.channels)}"
            )
        self._replace(classifier, temperature)
        self.trouble = ""

    def read(self, z: FloatArray) -> Opinion:
        """What the classifier makes of the newest window's z-scores (n_features,)."""
        self._sequence.append(z)
        try:
            return self._ask(z)
        except ClassifierError as error:
            if self._fallback is None or self._classifier is self._fallback:
                raise
            self.trouble = str(error)
            self._replace(self._fallback, 1.0)
            return self._ask(z)

    def _ask(self, z: FloatArray) -> Opinion:
        classifier, sequence = self._classifier, self._sequence
        while len(sequence) < classifier.sequence_length:
            sequence.appendleft(z)
        window = z[np.newaxis] if classifier.sequence_length == 1 else np.stack(sequence)
        answer = classifier.predict(window).tolist()
        probabilities = dict(zip(classifier.labels, answer, strict=True))
        side = sum(p * AROUSAL_OF_LABEL.get(label, 0) for label, p in probabilities.items())
        engaged = min(max((1 + side) / 2, MOST_SURE), 1 - MOST_SURE)
        logit = math.log(engaged / (1 - engaged)) / self._temperature
        calibrated = 1 / (1 + math.exp(-logit))
        return Opinion(probabilities, calibrated, logit, classifier.model_id)

    def _replace(self, classifier: Classifier, temperature: float) -> None:
        self._classifier, self._temperature = classifier, temperature
        self._sequence = deque(self._sequence, maxlen=classifier.sequence_length)
