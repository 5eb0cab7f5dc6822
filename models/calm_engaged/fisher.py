"""The direction from rest to task that holds across people: Fisher's discriminant for seconds of evidence.

Two things blur a person's mean over some seconds: how windows scatter inside the person, which averaging
shrinks, and how people differ, which it does not. Fisher's discriminant (1936) with
``S = share * within + between`` weighs both as they are after that averaging. The answer is one fixed
direction, so a feature can only ever speak for the same side: the size of a change alone says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acquisition.signal import FloatArray

StatePair = tuple[FloatArray, FloatArray]
"""One person's z-scored windows (n, n_features) at rest and in the task."""


@dataclass(frozen=True, slots=True)
class FisherSettings:
    """``within_share`` is what averaging leaves of a window's scatter; ``shrinkage`` draws the covariance
    towards a multiple of the identity.
    """

    within_share: float = 1.0
    shrinkage: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """``windows @ weights + offset`` is positive on the engaged side; weights have shape (n_features,)."""

    weights: FloatArray
    offset: float

    def along(self, windows: FloatArray) -> FloatArray:
        """Place of each window (..., n_features) on the axis."""
        result: FloatArray = windows @ self.weights + self.offset
        return result


def fit_direction(pairs: Sequence[StatePair], settings: FisherSettings) -> Direction:
    """Every person and state weighs the same. Raises ``ValueError`` with fewer than two people."""
    if len(pairs) < 2:
        raise ValueError(f"a direction across people needs at least 2 people, got {len(pairs)}")
    calm = np.array([rest.mean(axis=0) for rest, _ in pairs])
    engaged = np.array([task.mean(axis=0) for _, task in pairs])
    within = np.mean([np.cov(rest.T) + np.cov(task.T) for rest, task in pairs], axis=0) / 2
    between = (np.cov(calm.T) + np.cov(engaged.T)) / 2
    scatter = np.atleast_2d(settings.within_share * within + between)
    size = np.trace(scatter) / len(scatter)
    scatter = (1 - settings.shrinkage) * scatter + settings.shrinkage * size * np.eye(len(scatter))
    step = (engaged - calm).mean(axis=0)
    weights = np.linalg.solve(scatter, step)
    middle = (engaged + calm).mean(axis=0) / 2
    return Direction(weights, float(-weights @ middle))
