"""The guided rest: collects clean windows until there is a baseline."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from acquisition.signal import FloatArray
from inference.baseline.baseline import MIN_SCALE, Baseline, fit_baseline
from inference.emotion import BaselineProgress
from inference.port import Classifier


class RestSettings(Protocol):
    """What of the settings is used here."""

    @property
    def hop_s(self) -> float: ...
    @property
    def baseline_s(self) -> float: ...
    @property
    def population_scale(self) -> FloatArray | None: ...
    @property
    def population_centre(self) -> FloatArray | None: ...


class RestCollector:
    """Counts trusted seconds only: a rest spent fiddling with the headset takes longer."""

    def __init__(self, settings: RestSettings, classifier: Classifier) -> None:
        self._settings, self._classifier = settings, classifier
        self._windows: list[FloatArray] = []

    def restart(self) -> None:
        """Begin the rest anew."""
        self._windows.clear()

    def push(self, features: FloatArray | None) -> tuple[BaselineProgress, Baseline | None]:
        """Add a window's features (n_features,), None for a refused one; the baseline comes with the last."""
        if features is not None:
            self._windows.append(features)
        wanted_s = self._settings.baseline_s
        trusted_s = min(wanted_s, len(self._windows) * self._settings.hop_s)
        if trusted_s < wanted_s or len(self._windows) < 4:
            return BaselineProgress(wanted_s, trusted_s, done=False), None
        baseline = fit_baseline(
            self._windows,
            schema=self._classifier.feature_schema,
            channels=self._classifier.channels,
            seconds=trusted_s,
            population_scale=self._settings.population_scale,
        )
        self._windows.clear()
        return BaselineProgress(wanted_s, trusted_s, done=True), baseline

    def without_rest(self) -> Baseline | None:
        """The population's rest, where none of the wearer's own is wanted and the network brings one."""
        centre, scale = self._settings.population_centre, self._settings.population_scale
        if self._settings.baseline_s > 0 or centre is None or scale is None:
            return None
        return Baseline(
            self._classifier.feature_schema,
            self._classifier.channels,
            centre,
            np.maximum(scale, MIN_SCALE),
            0.0,
        )
