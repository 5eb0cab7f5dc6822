"""Small made-up examples that a network can learn in a few epochs."""

from __future__ import annotations

from typing import Any

import numpy as np

SMALL: dict[str, Any] = {"filters": (4, 6), "lstm_units": (4,), "dense_units": (8,), "temporal_filters": 2}
EMOTIONS = ("focused", "happy", "neutral", "relaxed", "sad")


def blobs(
    shape: tuple[int, ...] = (20,), n: int = 120, n_classes: int = 2, n_groups: int = 6, seed: int = 0
) -> tuple[Any, Any, Any]:
    """(X, y, groups): classes that differ by their mean, every group with every class."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    centres = np.random.default_rng(99).normal(size=(n_classes, *shape)) * 1.5
    X = (centres[y] + rng.normal(size=(n, *shape))).astype(np.float32)
    return X, y, np.arange(n) // n_classes % n_groups
