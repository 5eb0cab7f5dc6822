"""A classifier that needs no model: signed weights on the baseline-normalised bands.

Mental work suppresses alpha over the back of the head and raises fast activity (Klimesch 1999, *EEG alpha
and theta oscillations reflect cognitive and memory performance*; Ray and Cole 1985, *EEG alpha activity
reflects attentional demands and beta activity reflects emotional and cognitive processes*). It is a coarse
cue, used when no network fits the montage or a network has failed, and it says so by its name.
"""

from __future__ import annotations

import math

import numpy as np

from acquisition.signal import FloatArray
from inference.emotion import ModelId
from inference.features.schemas import schema_named
from inference.port import ClassifierError

NAME = "band-power-rule"
LABELS = ("calm", "engaged")
WEIGHTS = ((1.0, 4.0, 0.0), (4.0, 8.0, 0.0), (8.0, 13.0, -0.9), (13.0, 30.0, 0.35), (30.0, 45.0, 0.35))
"""(from Hz, to Hz, weight of the mean z-score in log-odds)."""


class BandPowerClassifier:
    """Rule-based fallback for any montage."""

    def __init__(self, channels: tuple[str, ...], feature_schema: str = "symde5@1") -> None:
        schema = schema_named(feature_schema)
        self._channels, self._schema = channels, feature_schema
        n_regions = len(schema.regions(channels))
        per_band = np.array([_weight(low, high) for low, high in schema.bands])
        for low, high, wanted in WEIGHTS:
            inside = np.array([low <= band_low and high >= band_high for band_low, band_high in schema.bands])
            per_band[inside] = wanted / max(1, inside.sum())
        self._weights = np.tile(per_band / n_regions, n_regions)

    @property
    def model_id(self) -> ModelId:
        return ModelId(NAME)

    @property
    def channels(self) -> tuple[str, ...]:
        return self._channels

    @property
    def feature_schema(self) -> str:
        return self._schema

    @property
    def labels(self) -> tuple[str, ...]:
        return LABELS

    @property
    def sequence_length(self) -> int:
        return 1

    def predict(self, features: FloatArray) -> FloatArray:
        """Probabilities (calm, engaged) of features (1, n_features). Raises ``ClassifierError``."""
        if features.shape[-1] != len(self._weights):
            raise ClassifierError(f"{NAME}: wants {len(self._weights)} features, got {features.shape[-1]}")
        logit = float(features[-1] @ self._weights)
        if not math.isfinite(logit):
            raise ClassifierError(f"{NAME}: wants finite features, got {logit}")
        engaged = 1 / (1 + np.exp(-np.clip(logit, -30, 30)))
        return np.array([1 - engaged, engaged])

    def close(self) -> None:
        """Nothing to let go of."""


def _weight(low: float, high: float) -> float:
    return next((w for start, end, w in WEIGHTS if start <= low and high <= end), 0.0)
