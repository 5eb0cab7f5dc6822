"""Whether what the electrodes carry may come from a head at all, told from some seconds of windows.

Noise, tones, a signal copied to every electrode and an amplifier's own hiss have good contact by every other
measure, and a network names them with confidence. A head gives each electrode its own mixture of common
sources, a spectrum that falls but never along one straight line, and rhythms that wax and wane.
Limits were set on 18 people with 4, 8 and 19 electrodes (`bench/inference/not_eeg.py`, with what they cost).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from acquisition.signal import FloatArray
from inference.emotion import QualityReason
from inference.features.spectrum import Bands, Spectrum, band_power_of

MEMORY_S = 6.0
SPAN_S = 4.0
"""Windows must lie so far apart, first to last, before they are judged."""
SEEN_SHARE = 0.5
"""An electrode counts where it was good in so many of them."""
LEAST_UV2 = 1e-9
FLATTEN = 0.9
"""Share of the sample before that is taken away: with as much of every rhythm, chance correlates least."""

NARROW: Bands = tuple((low / 2, low / 2 + 2) for low in range(8, 87))
COARSE_HZ = (2.0, 3.0, 4.0, 5.5, 7.5, 10.0, 13.0, 17.0, 22.0, 28.0, 35.0, 42.0)
COARSE: Bands = tuple(pairwise(COARSE_HZ))
RHYTHMS: Bands = ((4.0, 8.0), (8.0, 13.0), (13.0, 30.0), (30.0, 42.0))
WHOLE: Bands = ((4.0, 45.0),)
TOLD = NARROW + COARSE + RHYTHMS + WHOLE
_N_SHARES = len(NARROW) + len(COARSE)
_WIDTH_HZ = np.diff(COARSE_HZ)
_OCTAVES = np.log(np.sqrt(np.array(COARSE_HZ[:-1]) * np.array(COARSE_HZ[1:])))
_OCTAVES -= _OCTAVES.mean()

Curve = tuple[tuple[float, ...], tuple[float, ...]]
"""Numbers of electrodes, and the limit at each: the more pairs there are the likelier is a close one, and the
more electrodes the surer is their mean.
"""
ALIKE: Curve = ((3, 4), (0.995, 0.93))
UNRELATED: Curve = ((2, 4, 8), (0.1, 0.135, 0.3))
STRAIGHT: Curve = ((4, 8, 19), (0.085, 0.11, 0.12))
LARGEST_SHARE = 0.75
SLOPES = (-2.6, -0.15)
BENT = 1.6
STEADY = 0.17
EASE = 1.35
"""What was refused is believed again only so far on this side of the limits that noise passes by chance."""


@dataclass(frozen=True, slots=True)
class HeadMeasures:
    """What is told of the last seconds, over electrodes and pairs.

    ``closest`` and ``usual`` are the highest and the median correlation of pairs (both 0 for one electrode);
    ``largest`` is the share of 4-45 Hz in the strongest 2 Hz; ``slope`` and ``bend`` are of log power against
    log frequency, its line and what departs from it (``common_bend``: of the mean of all electrodes);
    ``change`` is the spread of log band power from window to window; ``electrodes`` how many counted.
    """

    closest: float
    usual: float
    largest: float
    slope: float
    bend: float
    common_bend: float
    change: float
    electrodes: int


class Plausibility:
    """Remembers the last seconds of one stream's windows; what a gap has made old falls out by itself."""

    def __init__(self) -> None:
        self._held: deque[_Told] = deque()
        self._sums = self._together = np.zeros((0, 0))
        self._refused = False

    def judge(self, spectrum: Spectrum, good: FloatArray, end_s: float) -> QualityReason | None:
        """Why these seconds are no head's, or None. ``good`` (n_channels,) is 1.0 for what may be used."""
        measures = self.measure(spectrum, good, end_s)
        reason = None if measures is None else reason_of(measures, EASE if self._refused else 1.0)
        self._refused = reason is not None
        return reason

    def measure(self, spectrum: Spectrum, good: FloatArray, end_s: float) -> HeadMeasures | None:
        """Add a window, ``good`` (n_channels,) of it, and measure the last seconds; None while too few."""
        held = self._held
        if held and end_s <= held[-1].end_s:
            held.clear()
        told = _told_of(spectrum, good)
        if held:
            self._sums += told
            self._together += np.outer(good, good)
        else:
            self._sums, self._together = told.copy(), np.outer(good, good)
        held.append(_Told(end_s, good, told))
        while held[0].end_s <= end_s - MEMORY_S:
            old = held.popleft()
            self._sums -= old.told
            self._together -= np.outer(old.good, old.good)
        if end_s - held[0].end_s < SPAN_S:
            return None
        seen = np.flatnonzero(self._together.diagonal() >= SEEN_SHARE * len(held))
        return _measures(self._sums, self._together, seen) if len(seen) else None


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    end_s: float
    good: FloatArray
    told: FloatArray


def _told_of(spectrum: Spectrum, good: FloatArray) -> FloatArray:
    """Of each electrode (n_channels, ...): its correlation with all, its shares of power, its log powers and
    their squares; 0 for what is masked.
    """
    power = band_power_of(spectrum, TOLD)
    flattened = spectrum.samples_uv[:, 1:] - FLATTEN * spectrum.samples_uv[:, :-1]
    centred = flattened - flattened.mean(axis=1, keepdims=True)
    product = centred @ centred.T
    length = np.sqrt(np.maximum(product.diagonal(), LEAST_UV2)) / np.maximum(good, LEAST_UV2)
    shares = power[:, :_N_SHARES] / np.maximum(power[:, -1:], LEAST_UV2)
    rhythms = np.log(np.maximum(power[:, _N_SHARES:-1], LEAST_UV2))
    told = np.hstack([product / np.outer(length, length), shares, rhythms, rhythms * rhythms])
    told[:, len(good) :] *= good[:, np.newaxis]
    return told


def _measures(sums: FloatArray, together: FloatArray, seen: NDArray[np.intp]) -> HeadMeasures:
    """From sums (n_channels, ...) over windows, and over how many (n_channels, n_channels) of each pair."""
    n_channels = len(sums)
    rows, columns = _pairs(len(seen))
    left, right = seen[rows], seen[columns]
    related = np.abs(sums[left, right] / np.maximum(together[left, right], 1.0)) if len(rows) else np.zeros(1)
    mean = sums[seen, n_channels:] / together[seen, seen][:, np.newaxis]
    spectrum = np.log(np.maximum(mean[:, len(NARROW) : _N_SHARES] / _WIDTH_HZ, LEAST_UV2))
    slope = spectrum @ _OCTAVES / (_OCTAVES @ _OCTAVES)
    rest = spectrum - spectrum.mean(axis=1, keepdims=True) - np.outer(slope, _OCTAVES)
    rhythms, squares = mean[:, _N_SHARES : -len(RHYTHMS)], mean[:, -len(RHYTHMS) :]
    return HeadMeasures(
        closest=float(related.max()),
        usual=_middle(related),
        largest=_middle(mean[:, : len(NARROW)].max(axis=1)),
        slope=_middle(slope),
        bend=float(np.sqrt((rest * rest).mean(axis=1)).mean()),
        common_bend=float(np.sqrt((rest.mean(axis=0) ** 2).mean())),
        change=float(np.sqrt(np.maximum(squares - rhythms * rhythms, 0.0)).mean()),
        electrodes=len(seen),
    )


@lru_cache(maxsize=64)
def _pairs(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    rows, columns = np.triu_indices(n, 1)
    return rows, columns


def _middle(values: FloatArray) -> float:
    """The median; numpy's own costs more than everything else here."""
    ordered, n = np.sort(values), len(values)
    return float(ordered[(n - 1) // 2] + ordered[n // 2]) / 2


@lru_cache(maxsize=256)
def _limit(curve: Curve, electrodes: int) -> float:
    return float(np.interp(electrodes, *curve))


def reason_of(of: HeadMeasures, ease: float = 1.0) -> QualityReason | None:
    """The first of the limits that is passed, or None; with ``ease`` above 1 more is taken for noise."""
    if of.electrodes > 1:
        if of.usual > _limit(ALIKE, of.electrodes):
            return "alike"
        if of.closest < ease * _limit(UNRELATED, of.electrodes):
            return "unrelated"
    if of.largest > LARGEST_SHARE or of.bend > BENT:
        return "narrow"
    if not SLOPES[0] <= of.slope <= SLOPES[1]:
        return "slope"
    if of.common_bend < ease * _limit(STRAIGHT, of.electrodes):
        return "featureless"
    if of.change < STEADY:
        return "steady"
    return None
