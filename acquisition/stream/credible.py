"""Numbers that no electrode can have measured are none at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acquisition.signal import EegChunk, FloatArray
from acquisition.units import MOST_UV


def credible(chunk: EegChunk) -> EegChunk:
    """The chunk with NaN in the place of infinity and of whatever lies beyond ``MOST_UV``, extras too.

    The gate of every live source, whatever its reader does.
    """
    samples_uv = _bounded(chunk.samples_uv)
    extras = None if chunk.extras is None else _bounded(chunk.extras)
    if samples_uv is chunk.samples_uv and extras is chunk.extras:
        return chunk
    return replace(chunk, samples_uv=samples_uv, extras=extras)


def _bounded(values: FloatArray) -> FloatArray:
    if not values.size or np.abs(values).max() <= MOST_UV:
        return values
    return np.where(np.abs(values) <= MOST_UV, values, np.nan)
