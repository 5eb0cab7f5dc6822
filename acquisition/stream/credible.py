"""Numbers that no electrode can have measured are none at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acquisition.signal import EegChunk, FloatArray

MOST = 1e12
"""A million volts, and as much of whatever else is measured. Sums and squares of what is below stay finite,
also as 32-bit numbers. What a headset can measure is judged where it is read."""


def credible(chunk: EegChunk) -> EegChunk:
    """The chunk with NaN in the place of infinity and of whatever lies beyond ``MOST``."""
    samples_uv = _bounded(chunk.samples_uv)
    extras = None if chunk.extras is None else _bounded(chunk.extras)
    if samples_uv is chunk.samples_uv and extras is chunk.extras:
        return chunk
    return replace(chunk, samples_uv=samples_uv, extras=extras)


def _bounded(values: FloatArray) -> FloatArray:
    if not values.size or np.abs(values).max() <= MOST:
        return values
    return np.where(np.abs(values) <= MOST, values, np.nan)
