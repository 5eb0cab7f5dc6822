"""Units as files and streams give them: of voltage by their names, of time stamps by their size."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from acquisition.signal import FloatArray

MOST_UV = 1e9
"""A thousand volts: what lies beyond is no measurement, and overflows where it is squared."""

_PREFIXES: Mapping[str, float] = MappingProxyType(
    {"": 1e6, "n": 1e-3, "nano": 1e-3, "u": 1.0, "mu": 1.0, "micro": 1.0, "m": 1e3, "milli": 1e3}
)
_VOLTS = re.compile(rf"({'|'.join(_PREFIXES)})v(?:olts?)?")
_MICRO = re.compile("\u00c2?\u00b5|\u00ce\u00bc|\u03bc|\ufffd|\\?")
"""The micro sign, the Greek letter, both as UTF-8 read as Latin-1, and what is left of them when they
could not be read."""
_STAMP_UNITS_S = (1.0, 1e-3, 1e-6, 1e-9)
FAR = 1e11
"""In seconds the year 5138; today in milliseconds since 1970 is beyond it."""
LEAST_STAMPS = 8


def uv_per(unit: str) -> float | None:
    """By what a value is multiplied to be in microvolts; None for what is no unit of voltage.

    No unit stands for microvolts.
    """
    text = _MICRO.sub("u", unit.strip()).lower().replace(" ", "").replace("-", "").strip(".")
    if not text:
        return 1.0
    found = _VOLTS.fullmatch(text)
    return None if found is None else _PREFIXES[found[1]]


def in_uv(values: FloatArray, per_unit: FloatArray | float) -> FloatArray:
    """``values`` (n_channels, n) times ``per_unit``; NaN for what cannot have been measured."""
    with np.errstate(over="ignore", invalid="ignore"):
        samples_uv: FloatArray = np.asarray(values, dtype=np.float64) * per_unit
        credible = np.abs(samples_uv) <= MOST_UV
    if not credible.all():
        samples_uv[~credible] = np.nan
    return samples_uv


def stamp_unit_s(period: float, rate_hz: float) -> float:
    """Seconds to one unit of time stamps that lie ``period`` apart: 1, 1e-3 (BlueMuse), 1e-6 or 1e-9.

    1 where nothing fits a stream of ``rate_hz``.
    """
    if not (math.isfinite(period) and period > 0):
        return 1.0
    away = {unit_s: abs(math.log10(period * unit_s * rate_hz)) for unit_s in _STAMP_UNITS_S}
    nearest = min(away, key=away.__getitem__)
    return nearest if away[nearest] < 1.0 else 1.0


class StampUnit:
    """Learns from the first stamps of a live stream of ``rate_hz`` what unit they are in."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._unit_s: float | None = None

    def seconds(self, stamps: FloatArray) -> FloatArray:
        """The stamps (n,) in seconds. No clock of seconds has come so far as ``FAR``."""
        if self._unit_s is None:
            self._learn(stamps)
        return stamps if self._unit_s in (None, 1.0) else stamps * self._unit_s

    def _learn(self, stamps: FloatArray) -> None:
        newest = float(stamps[-1])
        if not math.isfinite(newest):
            return
        if newest > FAR:
            self._unit_s = next(unit_s for unit_s in reversed(_STAMP_UNITS_S) if newest * unit_s > FAR / 1e4)
        elif len(stamps) >= LEAST_STAMPS and (usual := float(np.median(np.diff(stamps)))) > 0:
            self._unit_s = stamp_unit_s(usual, self._rate_hz)
