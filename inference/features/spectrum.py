"""One window's spectrum, computed once for every feature that is read from it.

Band power is the one-sided periodogram (Hann window, mean removed) summed over a band's bins: what
``scipy.signal.welch`` gives with one segment, times the bin width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from acquisition.signal import FloatArray

Bands = tuple[tuple[float, float], ...]

BANDS: Bands = ((1, 4), (4, 8), (8, 13), (13, 30), (30, 45))
BAND_NAMES = ("delta", "theta", "alpha", "beta", "gamma")

HOMOLOGUES: Mapping[str, str] = MappingProxyType(
    {
        "Fp1": "Fp2",
        "F1": "F2",
        "F5": "F6",
        "FT7": "FT8",
        "FC3": "FC4",
        "C1": "C2",
        "C5": "C6",
        "CP3": "CP4",
        "P1": "P2",
        "P5": "P6",
        "PO5": "PO6",
        "CB1": "CB2",
        "AF3": "AF4",
        "AF7": "AF8",
        "F3": "F4",
        "F7": "F8",
        "FC1": "FC2",
        "FC5": "FC6",
        "T7": "T8",
        "C3": "C4",
        "CP1": "CP2",
        "CP5": "CP6",
        "TP9": "TP10",
        "TP7": "TP8",
        "P7": "P8",
        "P3": "P4",
        "PO3": "PO4",
        "PO7": "PO8",
        "O1": "O2",
        "T3": "T4",
        "T5": "T6",
    }
)
"""Left electrode to its right-hand twin in the 10-10 system."""


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """``samples_uv`` (n_channels, n); ``squares`` (n_channels, 2 n_bins) holds the squared real and imaginary
    parts, in turns, of the rFFT of the tapered, centred samples; ``good`` (n_channels,) is 0 for masked
    channels, or None when all may be used.
    """

    samples_uv: FloatArray
    squares: FloatArray
    rate_hz: float
    good: FloatArray | None = None

    @property
    def power(self) -> FloatArray:
        """|rFFT|^2, (n_channels, n_bins)."""
        total: FloatArray = self.squares[:, ::2] + self.squares[:, 1::2]
        return total

    @property
    def frequencies_hz(self) -> FloatArray:
        """Centre of each bin, (n_bins,)."""
        grid: FloatArray = np.fft.rfftfreq(self.samples_uv.shape[1], 1 / self.rate_hz).astype(np.float64)
        return grid


def spectrum_of(samples_uv: FloatArray, rate_hz: float, good: FloatArray | None = None) -> Spectrum:
    """The spectrum of one window (n_channels, n_samples)."""
    taper, halves = _taper(samples_uv.shape[1])
    # one pass over the parts as they lie in memory: the sum of the two is left to the band matrix
    parts = np.ascontiguousarray(np.fft.rfft(samples_uv * taper, axis=1)).view(np.float64)
    # a Hann window turns a mean into n/2 in bin 0 and -n/4 in bin 1 and nothing else: cheaper than to centre
    half_sums = samples_uv @ halves
    parts[:, 0] -= half_sums
    parts[:, 2] += 0.5 * half_sums
    return Spectrum(samples_uv, np.square(parts, out=parts), rate_hz, good)


def band_power_of(spectrum: Spectrum, bands: Bands = BANDS) -> FloatArray:
    """Variance in each band, (n_channels, n_bands) in uV^2."""
    first, matrix = _band_matrix(spectrum.samples_uv.shape[1], spectrum.rate_hz, bands)
    power: FloatArray = spectrum.squares[:, first : first + len(matrix)] @ matrix
    return power


@lru_cache(maxsize=16)
def _taper(n_samples: int) -> tuple[FloatArray, FloatArray]:
    """The periodic Hann window, and what makes half their sum of so many samples."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_samples) / n_samples), np.full(n_samples, 0.5)


@lru_cache(maxsize=64)
def _band_matrix(n_samples: int, rate_hz: float, bands: Bands) -> tuple[int, FloatArray]:
    """Where the bands begin in ``Spectrum.squares``, and what turns those up to their end into variance."""
    frequencies_hz = np.fft.rfftfreq(n_samples, 1 / rate_hz)
    one_sided = np.full(len(frequencies_hz), 2.0)
    one_sided[0] = 1.0
    if n_samples % 2 == 0:
        one_sided[-1] = 1.0
    scale = one_sided / (n_samples * np.sum(_taper(n_samples)[0] ** 2))
    members = [(frequencies_hz >= low) & (frequencies_hz < high) for low, high in bands]
    matrix = np.repeat(np.stack(members, axis=1) * scale[:, np.newaxis], 2, axis=0)
    used = np.flatnonzero(matrix.any(axis=1))
    if not len(used):
        return 0, np.zeros((2, len(bands)))
    return int(used[0]), np.ascontiguousarray(matrix[used[0] : used[-1] + 1])
