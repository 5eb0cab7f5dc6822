"""What the axes of a network's input mean, so that a convolution runs over time or electrodes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from models.errors import TrainingError

Axis = Literal["time", "electrode", "band", "feature", "sample"]
AXES: tuple[Axis, ...] = get_args(Axis)
ORDERED: tuple[Axis, ...] = ("sample", "time", "electrode")
"""Axes along which neighbours mean something, the first that is there is convolved over."""
DEFAULT_AXES: dict[int, tuple[Axis, ...]] = {
    1: ("feature",),
    2: ("time", "feature"),
    3: ("time", "electrode", "band"),
}


@dataclass(frozen=True, slots=True)
class InputLayout:
    """Names and lengths of the axes. A flat vector of 20 may be ``(electrode 4, band 5)``, row-major."""

    axes: tuple[Axis, ...]
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        unknown = [axis for axis in self.axes if axis not in AXES]
        if unknown or len(set(self.axes)) != len(self.axes):
            raise TrainingError(f"axes must be different ones of {', '.join(AXES)}, got {self.axes}")
        if len(self.axes) != len(self.shape) or any(length < 1 for length in self.shape):
            raise TrainingError(f"axes {self.axes} need as many lengths of at least 1, got {self.shape}")

    @property
    def steps_axis(self) -> int | None:
        """The axis a convolution or recurrence runs over; None where no axis has an order."""
        for wanted in ORDERED:
            if wanted in self.axes and self.shape[self.axes.index(wanted)] > 1:
                return self.axes.index(wanted)
        return None

    @property
    def n_values(self) -> int:
        return math.prod(self.shape)

    @property
    def sequence_shape(self) -> tuple[int, int]:
        """(steps, values per step) of the input as a sequence; what has no order is one step."""
        axis = self.steps_axis
        steps = 1 if axis is None else self.shape[axis]
        return steps, self.n_values // steps

    @property
    def normal_axes(self) -> tuple[int, ...]:
        """Axes (of a batch) with a mean and spread of their own: all but time and samples."""
        kept = tuple(1 + i for i, axis in enumerate(self.axes) if axis not in ("time", "sample"))
        return kept or (len(self.axes),)

    def describe(self) -> str:
        """One sentence for the card."""
        axis = self.steps_axis
        over = "one step, for features have no order" if axis is None else self.axes[axis]
        sizes = " x ".join(f"{n} {name}" for n, name in zip(self.shape, self.axes, strict=True))
        return f"{sizes}; convolution and recurrence run over {over}"


def layout_for(
    input_shape: tuple[int, ...], architecture: str, layout: InputLayout | None = None
) -> InputLayout:
    """The given layout checked against the shape, or the usual one for the shape's rank.

    Raises ``TrainingError`` where they do not agree.
    """
    if not input_shape or any(not isinstance(n, int) or n < 1 for n in input_shape):
        raise TrainingError(f"input_shape must hold positive integers, got {input_shape}")
    if architecture == "eegnet" and layout is None:
        if len(input_shape) != 2:
            raise TrainingError(f"eegnet wants raw windows (electrodes, samples), got shape {input_shape}")
        return InputLayout(("electrode", "sample"), input_shape)
    if layout is None:
        if len(input_shape) not in DEFAULT_AXES:
            raise TrainingError(f"an input has 1 to 3 axes, got shape {input_shape}")
        return InputLayout(DEFAULT_AXES[len(input_shape)], input_shape)
    if layout.n_values != math.prod(input_shape):
        raise TrainingError(f"layout {layout.shape} holds {layout.n_values} values, the input {input_shape}")
    return layout
