"""From people's windows to a calibrated network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from acquisition.signal import BoolArray, FloatArray
from models.calm_engaged.fisher import FisherSettings, Moments, StatePair, direction_from, moments_of
from models.calm_engaged.network import CalmEngaged
from models.evaluation.evidence import moving_mean

GAINS = np.geomspace(0.1, 5.0, 50)
CEILING = 2.5
"""Log-odds that the network never exceeds, 92 %: one or two in ten people are read wrongly however far they
lie on the axis, so that no distance deserves more. A constant, because fitted without the one misread
person it comes out too high for just that person.
"""


def fit_gain(calm: Sequence[FloatArray], engaged: Sequence[FloatArray]) -> float:
    """The gain for which ``CEILING * tanh(gain * place)`` has the least cross-entropy (as Platt 1999, without
    his bias: the threshold stays the discriminant's own).

    ``calm`` and ``engaged`` hold each person's places (n,) on the axis after the evidence of one sequence;
    every person and state weighs the same.
    """
    places, sides, weights = _pooled(calm, engaged)
    gains = GAINS / (float(np.sqrt(np.average(places**2, weights=weights))) or 1.0)
    losses = [
        float(np.sum(weights * np.logaddexp(0, -CEILING * sides * np.tanh(gain * places)))) for gain in gains
    ]
    return float(gains[int(np.argmin(losses))])


def _pooled(
    calm: Sequence[FloatArray], engaged: Sequence[FloatArray]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Places, sides (-1 calm, +1 engaged) and weights of all people."""
    places, sides, weights = [], [], []
    for side, parts in ((-1.0, calm), (1.0, engaged)):
        for part in parts:
            if len(part):
                places.append(part)
                sides.append(np.full(len(part), side))
                weights.append(np.full(len(part), 1 / len(part)))
    weight = np.concatenate(weights)
    return np.concatenate(places), np.concatenate(sides), weight / weight.sum()


@dataclass(frozen=True, slots=True)
class RecipeSettings:
    """Everything that is chosen about a network."""

    schema: str = "symde22@1"
    sequence_length: int = 17
    """Windows of 2 s every 0.5 s: 17 of them span 10 s."""
    train_baselines_s: tuple[float, ...] = (60.0, 30.0, 10.0)
    """Each person is shown with rests of these lengths, so that a short rest costs little."""
    fisher: FisherSettings = field(default_factory=FisherSettings)


def all_moments(pairs: Sequence[StatePair], versions: int) -> list[Moments]:
    """Moments of each person with each training baseline, in order of ``pairs``.

    Windows scatter alike whichever baseline they are measured from, so that is computed once a person.
    """
    found: list[Moments] = []
    for index, (rest, task) in enumerate(pairs):
        first = found[index - index % versions] if index % versions else None
        found.append(moments_of(rest, task, None if first is None else first.within))
    return found


def train(
    pairs: Sequence[StatePair],
    settings: RecipeSettings,
    heard: BoolArray | None = None,
    disturbance: FloatArray | None = None,
) -> CalmEngaged:
    """The network of these people, ``pairs`` holding each person once for every training baseline in turn.

    ``heard`` (n_features,) and ``disturbance`` (n_features, n_features) are as ``direction_from`` has them.
    The gain comes from each person read by a direction of the others.
    """
    versions = len(settings.train_baselines_s)
    moments = all_moments(pairs, versions)
    direction = direction_from(moments, settings.fisher, heard, disturbance)
    length = settings.sequence_length
    calm, engaged = [], []
    for first in range(0, len(pairs), versions):
        others = moments[:first] + moments[first + versions :]
        held_out = direction_from(others, settings.fisher, heard, disturbance)
        rest, task = pairs[first]
        calm.append(moving_mean(held_out.along(rest), length))
        engaged.append(moving_mean(held_out.along(task), length))
    return CalmEngaged(direction, fit_gain(calm, engaged), CEILING, length)
