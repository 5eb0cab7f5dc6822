"""How a training goes: lengths, schedule, stopping, weights, augmentation."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from models.errors import TrainingError
from models.training.augmentation import Augmentation

Schedule = Literal["plateau", "cosine", "constant"]
LEAST_STEP = 1e-5
"""A loss must fall by more to count as better."""


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """Epochs are passes over the training half; ``patience`` is in epochs without a better validation loss.

    ``plateau`` halves the learning rate after a third of the patience; ``cosine`` lets it fall to a hundredth
    over all epochs (Loshchilov and Hutter 2017).
    """

    epochs: int = 100
    batch_size: int = 32
    learning_rate: float = 1e-3
    schedule: Schedule = "plateau"
    patience: int = 15
    class_weights: bool = True
    label_smoothing: float = 0.0
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch_size", 1), ("patience", 1), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise TrainingError(f"{name} must be a whole number of at least {least}, got {value!r}")
        if not isinstance(self.learning_rate, int | float) or not 0 < self.learning_rate <= 1:
            raise TrainingError(f"learning_rate must be above 0 and at most 1, got {self.learning_rate!r}")
        smooth = self.label_smoothing
        if not isinstance(smooth, int | float) or not 0 <= smooth < 1:
            raise TrainingError(f"label_smoothing must be at least 0 and below 1, got {smooth!r}")
        if self.schedule not in get_args(Schedule):
            raise TrainingError(
                f"schedule must be one of {', '.join(get_args(Schedule))}, got {self.schedule!r}"
            )

    def rate_at(self, epoch: int, plateau_cuts: int) -> float:
        """The learning rate of an epoch (from 0)."""
        if self.schedule == "cosine":
            share = 0.5 * (1 + math.cos(math.pi * epoch / max(1, self.epochs)))
            return self.learning_rate * (0.01 + 0.99 * share)
        return self.learning_rate * (0.5**plateau_cuts if self.schedule == "plateau" else 1.0)

    def as_json(self) -> dict[str, Any]:
        """Plain values for the configuration file."""
        return dataclasses.asdict(self)


@dataclass(slots=True)
class Progress:
    """Where a training stands after an epoch: all that must be known to go on as if nothing had happened."""

    epoch: int = 0
    best_accuracy: float = 0.0
    best_loss: float = math.inf
    best_epoch: int = 0
    least_loss: float = math.inf
    waited: int = 0
    plateau_waited: int = 0
    plateau_cuts: int = 0
    history: dict[str, list[float]] = field(default_factory=dict)

    def note(self, figures: dict[str, float], settings: TrainingSettings) -> bool:
        """Add an epoch's figures; True where it is the best so far.

        That is the one of the highest balanced accuracy in validation (mean of the heads), and of several the
        one of the least loss. Patience is with the loss, which goes on telling where accuracy has few steps.
        """
        self.epoch += 1
        for name, value in figures.items():
            self.history.setdefault(name, []).append(value)
        watched = figures.get("val_loss", figures["loss"])
        told = [value for name, value in figures.items() if name.endswith("balanced_accuracy")]
        accuracy = sum(told) / len(told) if told else 0.0
        less = watched < self.best_loss - LEAST_STEP
        best = accuracy > self.best_accuracy or (accuracy == self.best_accuracy and less)
        if best:
            self.best_accuracy, self.best_loss, self.best_epoch = accuracy, watched, self.epoch
        if watched < self.least_loss - LEAST_STEP:
            self.least_loss = watched
            self.waited = self.plateau_waited = 0
            return best
        self.waited += 1
        self.plateau_waited += 1
        if self.plateau_waited >= max(1, settings.patience // 3):
            self.plateau_cuts += 1
            self.plateau_waited = 0
        return best

    def stopped(self, settings: TrainingSettings) -> bool:
        """True once the patience is at an end or all epochs are done."""
        return self.epoch >= settings.epochs or self.waited >= settings.patience
