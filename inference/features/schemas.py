"""Named, ordered and versioned feature layouts. ``docs/features.md`` tells each in words.

Differential entropy of a band is that of a Gaussian of the same variance, ``0.5 ln(2 pi e var)`` (Duan, Zhu
and Lu 2013, *Differential entropy feature for EEG-based emotion classification*).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from acquisition.montage import canonical
from acquisition.signal import FloatArray
from inference.features.blocks import (
    DASM,
    FRONTAL_ALPHA,
    HJORTH,
    MEAN_FOUR,
    RASM,
    RELATIVE,
    SIX,
    SPECTRAL_ENTROPY,
    FeatureBlock,
)
from inference.features.montages import DEAP_32, SEED_62
from inference.features.spectrum import (
    BAND_NAMES,
    BANDS,
    HOMOLOGUES,
    Bands,
    Spectrum,
    band_power_of,
    spectrum_of,
)

FINE_BANDS: Bands = (
    *((float(low), float(low + 1)) for low in range(1, 13)),
    *((13, 15), (15, 18), (18, 21), (21, 24), (24, 27), (27, 30), (30, 33), (33, 36), (36, 40), (40, 45)),
)
TWO_PI_E = 2 * np.pi * np.e
MIN_VARIANCE_UV2 = 1e-6
"""Floor below any amplifier's noise, so that a flat channel yields a finite entropy."""


@dataclass(frozen=True, slots=True)
class FeatureSchema:
    """A layout: band entropies first, then ``blocks`` in their order.

    ``symmetric`` averages left and right homologues into one region; ``electrodes`` fixes the montage.
    """

    name: str
    bands: Bands
    symmetric: bool = False
    blocks: tuple[FeatureBlock, ...] = ()
    electrodes: tuple[str, ...] = ()

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
        """One name per feature: region major, band minor, e.g. ``Fp1+Fp2:8-9Hz``; then each block's own."""
        entropies = tuple(
            f"{'+'.join(region)}:{low:g}-{high:g}Hz"
            for region in self.regions(channels)
            for low, high in self.bands
        )
        return entropies + tuple(name for block in self.blocks for name in block.names(channels))

    def length(self, channels: Sequence[str]) -> int:
        entropies = len(self.regions(channels)) * len(self.bands)
        return entropies + sum(len(block.names(channels)) for block in self.blocks)

    def check(self, channels: Sequence[str]) -> None:
        """Raises ``ValueError`` where the montage is not the one this layout is defined for."""
        have, want = tuple(map(canonical, channels)), tuple(map(canonical, self.electrodes))
        if want and have != want:
            missing = [name for name in want if name not in have]
            how = f"missing {', '.join(missing)}" if missing else "in another order or with more"
            raise ValueError(f"layout {self.name} is defined for {len(want)} electrodes in order; {how}")


_RICH = (RELATIVE, DASM, RASM, FRONTAL_ALPHA, HJORTH, SPECTRAL_ENTROPY, SIX)

SCHEMAS: Mapping[str, FeatureSchema] = MappingProxyType(
    {
        schema.name: schema
        for schema in (
            FeatureSchema("de5@1", BANDS),
            FeatureSchema("de22@1", FINE_BANDS),
            FeatureSchema("symde5@1", BANDS, symmetric=True),
            FeatureSchema("symde22@1", FINE_BANDS, symmetric=True),
            FeatureSchema("rich@1", BANDS, blocks=_RICH),
            FeatureSchema("deap167", BANDS, blocks=(FRONTAL_ALPHA, MEAN_FOUR), electrodes=DEAP_32),
            FeatureSchema("seed310", BANDS, electrodes=SEED_62),
        )
    }
)


def schema_named(name: str) -> FeatureSchema:
    """The schema of that name. Raises ``ValueError`` naming those there are."""
    if name not in SCHEMAS:
        raise ValueError(f"unknown feature schema {name!r}: one of {', '.join(sorted(SCHEMAS))}")
    return SCHEMAS[name]


def band_power_uv2(samples_uv: FloatArray, rate_hz: float, bands: Bands = BANDS) -> FloatArray:
    """Variance in each band, shape (n_channels, n_bands) in uV^2, of samples (n_channels, n_samples)."""
    return band_power_of(spectrum_of(samples_uv, rate_hz), bands)


def differential_entropy(samples_uv: FloatArray, rate_hz: float, bands: Bands = BANDS) -> FloatArray:
    """Differential entropy in nats, shape (n_channels, n_bands)."""
    return _entropy(band_power_uv2(samples_uv, rate_hz, bands))


def _entropy(variance_uv2: FloatArray) -> FloatArray:
    """Computed in its place: nobody else holds the variance."""
    np.maximum(variance_uv2, MIN_VARIANCE_UV2, out=variance_uv2)
    variance_uv2 *= TWO_PI_E
    np.log(variance_uv2, out=variance_uv2)
    variance_uv2 *= 0.5
    return variance_uv2


class FeatureExtractor:
    """Computes one schema for one montage at one rate."""

    def __init__(self, schema: FeatureSchema, channels: Sequence[str], rate_hz: float) -> None:
        schema.check(channels)
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
        return self.of(spectrum_of(samples_uv, self.rate_hz), good)

    def of(self, spectrum: Spectrum, good: FloatArray | None = None) -> FloatArray:
        """The same, shape (n_features,), from a spectrum that is there already."""
        samples_uv = spectrum.samples_uv
        usable = np.ones((len(samples_uv), 1)) if good is None else good.reshape(len(samples_uv), -1)
        spectrum = Spectrum(samples_uv, spectrum.squares, spectrum.rate_hz, usable.max(axis=1))
        entropy = _entropy(band_power_of(spectrum, self.schema.bands))
        total = self._members @ usable
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.where(total > 0, (self._members @ (entropy * usable)) / total, np.nan)
        parts = [values.ravel(), *(block.compute(spectrum, self.channels) for block in self.schema.blocks)]
        return np.concatenate(parts) if len(parts) > 1 else parts[0]


__all__ = [
    "BANDS",
    "BAND_NAMES",
    "HOMOLOGUES",
    "SCHEMAS",
    "Bands",
    "FeatureExtractor",
    "FeatureSchema",
    "band_power_uv2",
    "differential_entropy",
    "schema_named",
]
