"""Whether the wearer's eyes are open or closed, from blinks on the forehead and alpha at the back.

Closing the eyes lifts the alpha rhythm at the back by itself, whatever the mood (Berger 1929), so that a
state is only comparable with a rest that was taken with the eyes as they are now.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence

import numpy as np

from acquisition.signal import FloatArray
from inference.emotion import Eyes
from inference.features.spectrum import Bands, Spectrum, band_power_of

BACK = frozenset({"O1", "O2", "Oz", "PO3", "PO4", "PO7", "PO8", "POz"})
ALPHA: Bands = ((8.0, 13.0), (4.5, 7.0), (14.0, 18.0))
"""The rhythm, and its neighbours on both sides."""
WIDTH_HZ = np.array([high - low for low, high in ALPHA])
AGAINST = np.array([1.0, -0.5, -0.5])
LEAST_UV2 = 1e-9
CLOSED_RATIO, OPEN_RATIO = 2.5, 1.7
"""Density of alpha against its neighbours above which eyes are closed, and below which open again."""
ALPHA_S = 6.0
BLINK_S = 3.0
"""So long after a blink the eyes are open, whatever alpha says."""
KNOWN_BLINKS = 3
"""So many say that this wearer's blinks can be seen, and that their absence means something."""
ABSENT_S = 20.0


class EyeReader:
    """For one stream, whose windows it is given in order."""

    def __init__(self, channels: Sequence[str]) -> None:
        self._back = np.array([float(name in BACK) for name in channels])
        self._has_back = bool(self._back.any())
        self._restart()

    def _restart(self) -> None:
        self._alpha: deque[tuple[float, float]] = deque()
        self._eyes: Eyes = "unknown"
        self._blinks, self._blink_s, self._last_s = 0, -np.inf, -np.inf

    def read(self, spectrum: Spectrum, good: FloatArray, blink: FloatArray, end_s: float) -> Eyes:
        """Of a window that was accepted; ``good`` and ``blink`` (n_channels,) are the gate's."""
        if end_s <= self._last_s:
            self._restart()
        self._last_s = end_s
        if blink.any():
            self._blinks += end_s - self._blink_s > BLINK_S
            self._blink_s = end_s
        if self._has_back and len(back := np.flatnonzero(self._back * good)):
            self._eyes = self._by_alpha(_log_ratio(spectrum, back), end_s)
        elif self._blinks >= KNOWN_BLINKS:
            self._eyes = "closed" if end_s - self._blink_s > ABSENT_S else "open"
        return "open" if end_s - self._blink_s <= BLINK_S else self._eyes

    def _by_alpha(self, log_ratio: float, end_s: float) -> Eyes:
        self._alpha.append((end_s, log_ratio))
        while self._alpha[0][0] <= end_s - ALPHA_S:
            self._alpha.popleft()
        ratio = math.exp(sum(value for _, value in self._alpha) / len(self._alpha))
        if self._eyes == "unknown":
            return "closed" if ratio > CLOSED_RATIO else "open"
        return "closed" if ratio > (OPEN_RATIO if self._eyes == "closed" else CLOSED_RATIO) else "open"


class EyesCount:
    """Of a stretch: how the eyes were in most of its windows."""

    def __init__(self) -> None:
        self._counts: Counter[Eyes] = Counter()

    def add(self, eyes: Eyes) -> None:
        """One window more."""
        self._counts[eyes] += 1

    @property
    def most(self) -> Eyes:
        """Unknown without windows, too."""
        return max(self._counts, key=self._counts.__getitem__, default="unknown")


def _log_ratio(spectrum: Spectrum, rows: np.ndarray) -> float:
    power = band_power_of(spectrum, ALPHA)[rows] / WIDTH_HZ
    log = np.log(np.maximum(power, LEAST_UV2)) @ AGAINST
    ordered, n = np.sort(log), len(log)
    return float(ordered[(n - 1) // 2] + ordered[n // 2]) / 2
