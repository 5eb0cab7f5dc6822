"""Who somebody is by their samples: known again in another file, under another name, scaled or cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from acquisition.signal import FloatArray

BITS = 64
N_KEPT = 8
SAME_SHARE = 0.5
"""So many of the kept hashes found again are the same recording, or a good half of it."""
MIX = np.uint64(0x9E3779B97F4A7C15)


def sample_hashes(samples: FloatArray) -> tuple[str, ...]:
    """The eight smallest hashes of one electrode's samples (n,): which they are does not depend on where
    they stand, so that a recording that was cut keeps those that are left.
    """
    return tuple(f"{value:016x}" for value in _hashes(samples)[:N_KEPT].tolist())


def known_as(samples: FloatArray, known: Mapping[str, Sequence[str]]) -> str:
    """By which of the ``known`` names, with their hashes, one electrode's samples (n,) go; "" for none."""
    there = {f"{value:016x}" for value in _hashes(samples).tolist()}
    found = (name for name, hashes in known.items() if hashes and _share(hashes, there) >= SAME_SHARE)
    return next(found, "")


def _share(hashes: Sequence[str], there: set[str]) -> float:
    return sum(one in there for one in hashes) / len(hashes)


def _hashes(samples: FloatArray) -> NDArray[np.uint64]:
    """Of each run of 64 steps up or not, sorted, each once: neither unit nor number format changes these."""
    up = (np.diff(samples) > 0).astype(np.uint64)
    n = max(0, len(up) - BITS + 1)
    patterns = np.zeros(n, dtype=np.uint64)
    for bit in range(BITS):
        patterns |= up[bit : bit + n] << np.uint64(bit)
    patterns = patterns[(patterns != 0) & (patterns != ~np.uint64(0))]
    mixed = (patterns ^ (patterns >> np.uint64(31))) * MIX
    return np.unique(mixed ^ (mixed >> np.uint64(29)))
