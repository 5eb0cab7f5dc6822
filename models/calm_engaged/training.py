"""From people's windows to a calibrated network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from models.calm_engaged.calibration import fit_gain
from models.calm_engaged.fisher import Direction, FisherSettings, StatePair, fit_direction
from models.calm_engaged.network import CalmEngaged
from models.evidence import moving_mean


@dataclass(frozen=True, slots=True)
class RecipeSettings:
    """Everything that is chosen about a network."""

    schema: str = "symde22@1"
    sequence_length: int = 17
    """Windows of 2 s every 0.5 s: 17 of them span 10 s."""
    train_baselines_s: tuple[float, ...] = (60.0,)
    fisher: FisherSettings = field(default_factory=FisherSettings)


def train(pairs: Sequence[StatePair], settings: RecipeSettings) -> CalmEngaged:
    """The network of these people; its gain comes from each person read by a direction of the others."""
    direction = fit_direction(pairs, settings.fisher)
    length = settings.sequence_length
    calm, engaged = [], []
    for index, (rest, task) in enumerate(pairs):
        others = [pair for place, pair in enumerate(pairs) if place != index]
        held_out: Direction = fit_direction(others, settings.fisher)
        calm.append(moving_mean(held_out.along(rest), length))
        engaged.append(moving_mean(held_out.along(task), length))
    return CalmEngaged(direction, fit_gain(calm, engaged), length)
