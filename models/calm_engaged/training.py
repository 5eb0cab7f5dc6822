"""From people's windows to a calibrated network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from models.calm_engaged.calibration import CEILING, fit_gain
from models.calm_engaged.fisher import FisherSettings, Moments, StatePair, direction_from, moments_of
from models.calm_engaged.network import CalmEngaged
from models.evidence import moving_mean


@dataclass(frozen=True, slots=True)
class RecipeSettings:
    """Everything that is chosen about a network."""

    schema: str = "symde22@1"
    sequence_length: int = 17
    """Windows of 2 s every 0.5 s: 17 of them span 10 s."""
    train_baselines_s: tuple[float, ...] = (60.0, 40.0, 20.0)
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


def train(pairs: Sequence[StatePair], settings: RecipeSettings) -> CalmEngaged:
    """The network of these people, ``pairs`` holding each person once for every training baseline in turn.

    Its gain comes from each person read by a direction of the others.
    """
    versions = len(settings.train_baselines_s)
    moments = all_moments(pairs, versions)
    direction = direction_from(moments, settings.fisher)
    length = settings.sequence_length
    calm, engaged = [], []
    for first in range(0, len(pairs), versions):
        held_out = direction_from(moments[:first] + moments[first + versions :], settings.fisher)
        rest, task = pairs[first]
        calm.append(moving_mean(held_out.along(rest), length))
        engaged.append(moving_mean(held_out.along(task), length))
    return CalmEngaged(direction, fit_gain(calm, engaged), CEILING, length)
