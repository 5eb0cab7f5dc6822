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

from acquisition.signal import BoolArray, FloatArray

StatePair = tuple[FloatArray, FloatArray]
"""One person's z-scored windows (n, n_features) at rest and in the task."""


MIN_SCATTER = 1e-9


@dataclass(frozen=True, slots=True)
class FisherSettings:
    """``within_shares`` is what averaging may leave of a window's scatter; ``shrinkage`` draws the covariance
    towards a multiple of the identity.

    How much averaging leaves depends on how alike neighbouring windows are, which differs between people:
    the directions for several shares are averaged, each at unit scatter, instead of one being picked.
    ``hears_hz`` is what of the spectrum may speak; ``disturbed`` weighs the scatter of disturbances.
    """

    within_shares: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0)
    shrinkage: float = 0.2
    hears_hz: tuple[float, float] = (1.0, 45.0)
    disturbed: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """``windows @ weights + offset`` is positive on the engaged side; weights have shape (n_features,)."""

    weights: FloatArray
    offset: float

    def along(self, windows: FloatArray) -> FloatArray:
        """Place of each window (..., n_features) on the axis."""
        result: FloatArray = windows @ self.weights + self.offset
        return result


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Means (n_features,) of one person's two states, and the mean (n_features, n_features) of their
    covariances.
    """

    calm: FloatArray
    engaged: FloatArray
    within: FloatArray


def moments_of(rest: FloatArray, task: FloatArray, within: FloatArray | None = None) -> Moments:
    """Moments of windows (n, n_features) of either state; ``within`` where it is known already."""
    if within is None:
        within = (np.atleast_2d(np.cov(rest.T)) + np.atleast_2d(np.cov(task.T))) / 2
    return Moments(rest.mean(axis=0), task.mean(axis=0), within)


def direction_from(
    people: Sequence[Moments],
    settings: FisherSettings,
    heard: BoolArray | None = None,
    disturbance: FloatArray | None = None,
) -> Direction:
    """Every person and state weighs the same. ``heard`` (n_features,) is what may have a weight (default:
    all), ``disturbance`` (n_features, n_features) how disturbances scatter. Raises ``ValueError`` with fewer
    than two people.
    """
    if len(people) < 2:
        raise ValueError(f"a direction across people needs at least 2 people, got {len(people)}")
    calm = np.array([person.calm for person in people])
    engaged = np.array([person.engaged for person in people])
    # one person told with several baselines has one scatter, and everyone is told equally often
    within = np.mean(list({id(person.within): person.within for person in people}.values()), axis=0)
    known = np.ones(calm.shape[1], dtype=np.bool_) if heard is None else heard
    square = np.ix_(known, known)
    calm, engaged, within = calm[:, known], engaged[:, known], within[square]
    between = (np.atleast_2d(np.cov(calm.T)) + np.atleast_2d(np.cov(engaged.T))) / 2
    extra = 0.0 if disturbance is None else settings.disturbed * disturbance[square]
    step, middle = (engaged - calm).mean(axis=0), (engaged + calm).mean(axis=0) / 2
    told = _weights(step, within, between, extra, settings)
    weights = np.zeros(len(known))
    weights[known] = told
    return Direction(weights, float(-told @ middle))


def _weights(
    step: FloatArray,
    within: FloatArray,
    between: FloatArray,
    extra: FloatArray | float,
    settings: FisherSettings,
) -> FloatArray:
    weights = np.zeros(len(step))
    for share in settings.within_shares:
        scatter = share * within + between
        size = np.trace(scatter) / len(scatter)
        shrunk = (1 - settings.shrinkage) * (scatter + extra) + settings.shrinkage * size * np.eye(len(step))
        one = np.linalg.solve(shrunk, step)
        weights += one / np.sqrt(one @ within @ one + MIN_SCATTER)
    weights /= len(settings.within_shares)
    return weights
