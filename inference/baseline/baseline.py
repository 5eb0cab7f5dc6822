"""The wearer's own rest, against which everything else is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acquisition.signal import FloatArray
from inference.features.schemas import schema_named

MAD_TO_SD = 1.4826
"""Makes the median absolute deviation of Gaussian data equal its standard deviation."""
CLIP_Z = 4.0
MIN_SCALE = 0.05
LOUDEST = 3.0
"""Times the wearer's amplitude at rest; the loudest of 12 316 windows of 26 people was 2.66 times as loud."""
POPULATION_SHARE = 0.5
"""How far a person's scale is drawn towards the population's: a minute is short for a spread."""


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """Centre and spread of every feature at rest; both shape (n_features,)."""

    schema: str
    channels: tuple[str, ...]
    centre: FloatArray
    scale: FloatArray
    seconds: float

    def too_loud(self, features: FloatArray) -> bool:
        """Whether a window (n_features,) has more than ``LOUDEST`` times the amplitude of rest: the median
        over electrodes and bands.
        """
        schema = schema_named(self.schema)
        n_entropies = len(schema.regions(self.channels)) * len(schema.bands)
        nats = features[:n_entropies] - self.centre[:n_entropies]
        seen = nats[np.isfinite(nats)]
        return bool(len(seen) and np.median(seen) > np.log(LOUDEST))

    def z(self, features: FloatArray) -> FloatArray:
        """Robust z-scores of features (..., n_features), clipped to +-4; NaN (masked) becomes 0."""
        z: FloatArray = (features - self.centre) / self.scale
        np.minimum(z, CLIP_Z, out=z)
        np.maximum(z, -CLIP_Z, out=z)
        z[np.isnan(z)] = 0.0
        return z


def fit_baseline(
    features: Sequence[FloatArray] | FloatArray,
    *,
    schema: str,
    channels: Sequence[str],
    seconds: float,
    population_scale: FloatArray | None = None,
) -> Baseline:
    """Median and MAD over windows of rest, shape (n_windows, n_features).

    Raises ``ValueError`` with fewer than four windows or a feature that was never seen.
    """
    rest = np.asarray(features, dtype=np.float64)
    if rest.ndim != 2 or len(rest) < 4:
        raise ValueError(f"a baseline needs at least 4 windows of rest, got {len(rest)}")
    seen = np.isfinite(rest).any(axis=0)
    if not seen.any():
        raise ValueError("a baseline needs at least one clean channel, got none")
    rest = np.where(seen, rest, 0.0)
    centre = np.nanmedian(rest, axis=0)
    scale = MAD_TO_SD * np.nanmedian(np.abs(rest - centre), axis=0)
    centre = np.where(seen, centre, np.nan)
    return Baseline(schema, tuple(channels), centre, drawn_to(population_scale, scale), seconds)


def drawn_to(population_scale: FloatArray | None, scale: FloatArray) -> FloatArray:
    """A person's spread (n_features,) half way to the population's, where that is known; never too small."""
    if population_scale is not None:
        scale = POPULATION_SHARE * population_scale + (1 - POPULATION_SHARE) * scale
    least: FloatArray = np.maximum(scale, MIN_SCALE)
    return least
