"""The baseline in use: a stored one on trial first, then refreshed slowly, never far, and reversible."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, Protocol

import numpy as np

from acquisition.signal import FloatArray
from inference.baseline.baseline import Baseline
from inference.emotion import EmotionState

TRIAL_S = 10.0
TRIAL_Z = 2.5
TRIAL_SHARE = 0.7
"""A stored rest agrees when, on the trial's median, so many features lie within so many spreads of it."""
REST_CONFIDENCE = 0.75
REST_QUALITY = 0.8
MAX_DRIFT = 0.5
"""Spreads that refreshing may move a centre from the rest it began with: enough for drying gel, too little
to make a mood the new normal."""

Trial = Literal["pending", "agrees", "differs"]


class KeeperSettings(Protocol):
    """What of the settings is used here."""

    @property
    def hop_s(self) -> float: ...
    @property
    def refresh_s(self) -> float: ...


class BaselineKeeper:
    """Holds one wearer's baseline over a session."""

    def __init__(self, settings: KeeperSettings, baseline: Baseline | None, *, stored: bool) -> None:
        self._settings = settings
        self._rest: Baseline | None = baseline
        self.current: Baseline | None = baseline
        self._on_trial = stored and baseline is not None
        self._windows: list[FloatArray] = []

    @property
    def on_trial(self) -> bool:
        return self._on_trial

    @property
    def rest(self) -> Baseline | None:
        """The baseline as it was measured, before any refreshing."""
        return self._rest

    def replace(self, baseline: Baseline | None) -> None:
        """A rest has been measured now (None: forget the one there was)."""
        self._rest = self.current = baseline
        self._on_trial = False
        self._windows.clear()

    def try_window(self, features: FloatArray) -> Trial:
        """Hold a good window (n_features,) against a stored baseline; ``differs`` asks for a new rest."""
        if not self._on_trial or self.current is None:
            return "agrees"
        self._windows.append(features)
        if len(self._windows) * self._settings.hop_s < TRIAL_S:
            return "pending"
        baseline = self.current
        middle = np.nan_to_num(np.nanmedian(_filled(self._windows, baseline), axis=0))
        away = np.abs(np.nan_to_num((middle - baseline.centre) / baseline.scale))
        self._on_trial = False
        self._windows.clear()
        return "agrees" if float(np.mean(away <= TRIAL_Z)) >= TRIAL_SHARE else "differs"

    def refresh(self, features: FloatArray, quality: float, state: EmotionState) -> None:
        """Follow a slow drift of the electrodes, in trusted rest only, by one window (n_features,)."""
        baseline, rest = self.current, self._rest
        trusted = (
            state.status == "ok"
            and state.emotion == "relaxed"
            and state.confidence >= REST_CONFIDENCE
            and quality >= REST_QUALITY
        )
        if baseline is None or rest is None or self._settings.refresh_s <= 0 or not trusted:
            return
        step = np.nan_to_num(features - baseline.centre, nan=0.0)
        moved = baseline.centre + self._settings.hop_s / self._settings.refresh_s * step
        reach = MAX_DRIFT * rest.scale
        self.current = replace(baseline, centre=np.clip(moved, rest.centre - reach, rest.centre + reach))


def _filled(windows: list[FloatArray], baseline: Baseline) -> FloatArray:
    """Windows (n, n_features) with masked features at the baseline's own centre."""
    rows: FloatArray = np.stack(windows)
    return np.where(np.isfinite(rows), rows, baseline.centre)
