"""Named, ordered and versioned feature layouts.

Band power is the one-sided periodogram (Hann window, mean removed) summed over a band's bins; differential
entropy of a band is that of a Gaussian of the same variance, ``0.5 ln(2 pi e var)`` (Duan, Zhu and Lu 2013,
*Differential entropy feature for EEG-based emotion classification*).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from acquisition.signal import FloatArray

Bands = tuple[tuple[float, float], ...]

BANDS: Bands = ((1, 4), (4, 8), (8, 13), (13, 30), (30, 45))
BAND_NAMES = ("delta", "theta", "alpha", "beta", "gamma")
FINE_BANDS: Bands = (
    *((float(low), float(low + 1)) for low in range(1, 13)),
    *((13, 15), (15, 18), (18, 21), (21, 24), (24, 27), (27, 30), (30, 33), (33, 36), (36, 40), (40, 45)),
)
MIN_VARIANCE_UV2 = 1e-6
"""Floor below any amplifier's noise, so that a flat channel yields a finite entropy."""

HOMOLOGUES: Mapping[str, str] = MappingProxyType(
    {
        "Fp1": "Fp2",
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


@dataclass(frozen=True, slots=True)
class FeatureSchema:
    """A layout: which bands, and whether left and right homologues are averaged into one region."""

    name: str
    bands: Bands
    symmetric: bool = False

    def regions(self, channels: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Groups of channels that give one value per band, in order of their first channel."""
        if not self.symmetric:
            return tuple((channel,) for channel in channels)
        twins = {right: left for left, right in HOMOLOGUES.items()}
        groups: dict[str, list[str]] = {}
        for channel in channels:
            groups.setdefault(twins.get(channel, channel), []).append(channel)
        return tuple(tuple(group) for group in groups.values())

    def names(self, channels: Sequence[str]) -> tuple[str, ...]:
        """One name per feature: region major, band minor, e.g. ``Fp1+Fp2:8-9Hz``."""
        return tuple(
            f"{'+'.join(region)}:{low:g}-{high:g}Hz"
            for region in self.regions(channels)
            for low, high in self.bands
        )

    def length(self, channels: Sequence[str]) -> int:
        return len(self.regions(channels)) * len(self.bands)


SCHEMAS: Mapping[str, FeatureSchema] = MappingProxyType(
    {
        schema.name: schema
        for schema in (
            FeatureSchema("de5@1", BANDS),
            FeatureSchema("de22@1", FINE_BANDS),
            FeatureSchema("symde5@1", BANDS, symmetric=True),
            FeatureSchema("symde22@1", FINE_BANDS, symmetric=True),
        )
    }
)


def schema_named(name: str) -> FeatureSchema:
    """The schema of that name. Raises ``ValueError`` naming those there are."""
    if name not in SCHEMAS:
        raise ValueError(f"unknown feature schema {name!r}: one of {', '.join(sorted(SCHEMAS))}")
    return SCHEMAS[name]


@lru_cache(maxsize=16)
def _band_matrix(n_samples: int, rate_hz: float, bands: Bands) -> tuple[FloatArray, FloatArray]:
    """(Hann window (n,), matrix (n_bins, n_bands)) that turn |rFFT|^2 into band variance."""
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_samples) / n_samples)
    frequencies_hz = np.fft.rfftfreq(n_samples, 1 / rate_hz)
    one_sided = np.full(len(frequencies_hz), 2.0)
    one_sided[0] = 1.0
    if n_samples % 2 == 0:
        one_sided[-1] = 1.0
    scale = one_sided / (n_samples * np.sum(taper**2))
    members = [(frequencies_hz >= low) & (frequencies_hz < high) for low, high in bands]
    return taper, np.stack(members, axis=1) * scale[:, np.newaxis]


def band_power_uv2(samples_uv: FloatArray, rate_hz: float, bands: Bands = BANDS) -> FloatArray:
    """Variance in each band, shape (n_channels, n_bands) in uV^2, of samples (n_channels, n_samples)."""
    taper, matrix = _band_matrix(samples_uv.shape[1], rate_hz, bands)
    centred = samples_uv - samples_uv.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(centred * taper, axis=1)
    power: FloatArray = (spectrum.real**2 + spectrum.imag**2) @ matrix
    return power


def differential_entropy(samples_uv: FloatArray, rate_hz: float, bands: Bands = BANDS) -> FloatArray:
    """Differential entropy in nats, shape (n_channels, n_bands)."""
    variance = np.maximum(band_power_uv2(samples_uv, rate_hz, bands), MIN_VARIANCE_UV2)
    entropy: FloatArray = 0.5 * np.log(2 * np.pi * np.e * variance)
    return entropy


class FeatureExtractor:
    """Computes one schema for one montage at one rate."""

    def __init__(self, schema: FeatureSchema, channels: Sequence[str], rate_hz: float) -> None:
        self.schema, self.channels, self.rate_hz = schema, tuple(channels), rate_hz
        place = {channel: row for row, channel in enumerate(channels)}
        regions = schema.regions(channels)
        self._members = np.zeros((len(regions), len(channels)))
        for row, region in enumerate(regions):
            self._members[row, [place[channel] for channel in region]] = 1.0

    def __call__(self, samples_uv: FloatArray, good: FloatArray | None = None) -> FloatArray:
        """Features, shape (n_features,), of one window (n_channels, n_samples).

        ``good`` holds 1 for what may be used and 0 for what is masked, by channel (n_channels,) or by channel
        and band (n_channels, n_bands); a region without a good channel is NaN, for the caller to fill with
        its baseline.
        """
        entropy = differential_entropy(samples_uv, self.rate_hz, self.schema.bands)
        if good is None:
            good = np.ones(len(entropy))
        usable = good[:, np.newaxis] if good.ndim == 1 else good
        total = self._members @ usable
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.where(total > 0, (self._members @ (entropy * usable)) / total, np.nan)
        result: FloatArray = np.broadcast_to(values, (len(self._members), entropy.shape[1])).ravel()
        return result
