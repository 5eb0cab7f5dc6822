"""Changed copies of training examples, drawn anew each epoch from the epoch's own generator."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from models.errors import TrainingError
from models.networks.input_layout import Axis, InputLayout

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Strengths, 0 for none.

    ``noise`` is a standard deviation in units of each feature's own; ``time_shift`` and ``frequency_shift``
    are the most steps (raw windows: Hz) an example moves; ``channel_dropout`` is the probability of losing
    an electrode; ``mixup`` is the alpha of Zhang et al. 2018 (*mixup: Beyond empirical risk minimization*).
    """

    noise: float = 0.0
    time_shift: int = 0
    channel_dropout: float = 0.0
    mixup: float = 0.0
    frequency_shift: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int | float) or not np.isfinite(value) or value < 0:
                raise TrainingError(f"augmentation {field.name} must be 0 or more, got {value!r:.80}")
        if self.channel_dropout >= 1:
            raise TrainingError(f"channel_dropout must be below 1, got {self.channel_dropout}")

    @property
    def active(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))

    def check(self, layout: InputLayout) -> None:
        """Raise ``TrainingError`` where the input lacks the axis that a change is made along."""
        for name, axes in _NEEDS.items():
            if getattr(self, name) and not set(axes) & set(layout.axes):
                raise TrainingError(
                    f"{name} needs an axis of {' or '.join(axes)}, the input has {layout.axes}"
                )


_NEEDS: dict[str, tuple[Axis, ...]] = {
    "time_shift": ("sample", "time"),
    "channel_dropout": ("electrode",),
    "frequency_shift": ("sample", "band"),
}


def augment(
    X: Array,
    targets: dict[str, Array],
    layout: InputLayout,
    how: Augmentation,
    rng: np.random.Generator,
    rate_hz: float = 128.0,
) -> tuple[Array, dict[str, Array]]:
    """New X (same shape) and one-hot targets by head (n, n_classes), softened where examples are mixed."""
    shaped = X.reshape(len(X), *layout.shape)
    mean, spread = shaped.mean(axis=0), shaped.std(axis=0) + 1e-6
    if how.time_shift:
        shaped = _shift_time(shaped, layout, how.time_shift, rng)
    if how.frequency_shift:
        shaped = _shift_frequency(shaped, layout, how.frequency_shift, rng, rate_hz)
    if how.channel_dropout:
        shaped = _drop_channels(shaped, layout, how.channel_dropout, mean, rng)
    if how.noise:
        shaped = shaped + rng.normal(size=shaped.shape) * spread * how.noise
    result = shaped.reshape(X.shape).astype(np.float32)
    return _mix(result, targets, how.mixup, rng) if how.mixup else (result, targets)


def _axis(layout: InputLayout, wanted: tuple[Axis, ...]) -> int:
    return 1 + next(layout.axes.index(name) for name in wanted if name in layout.axes)


def _shift_time(X: Array, layout: InputLayout, most: int, rng: np.random.Generator) -> Array:
    """Move each example by up to ``most`` steps; what leaves at one end comes in at the other."""
    axis = _axis(layout, ("sample", "time"))
    length = X.shape[axis]
    shifts = rng.integers(-most, most + 1, size=len(X))
    places = (np.arange(length)[np.newaxis] - shifts[:, np.newaxis]) % length
    shape = [1] * X.ndim
    shape[0], shape[axis] = len(X), length
    return np.take_along_axis(X, places.reshape(shape), axis=axis)


def _shift_frequency(
    X: Array, layout: InputLayout, most: float, rng: np.random.Generator, rate_hz: float
) -> Array:
    """Move the spectrum of raw windows by up to ``most`` Hz, or features by up to ``most`` bands.

    Raw windows are shifted through their analytic signal (Rommel et al. 2022, *Data augmentation for
    learning predictive models on EEG*); bands are interpolated between their neighbours.
    """
    shifts = rng.uniform(-most, most, size=len(X))
    if "sample" in layout.axes:
        axis = _axis(layout, ("sample",))
        signal = np.moveaxis(X, axis, -1)
        n = signal.shape[-1]
        gains = np.zeros(n)
        gains[0] = 1
        gains[1 : (n + 1) // 2] = 2
        if n % 2 == 0:
            gains[n // 2] = 1
        analytic = np.fft.ifft(np.fft.fft(signal, axis=-1) * gains, axis=-1)
        turn = np.exp(2j * np.pi * shifts[:, np.newaxis] * np.arange(n) / rate_hz)
        turned = analytic * turn.reshape(len(X), *([1] * (signal.ndim - 2)), n)
        moved: Array = np.moveaxis(turned.real, -1, axis).astype(np.float32)
        return moved
    axis = _axis(layout, ("band",))
    n = X.shape[axis]
    places = np.clip(np.arange(n)[np.newaxis] + shifts[:, np.newaxis], 0, n - 1)
    low = np.floor(places).astype(np.intp)
    shape = [1] * X.ndim
    shape[0], shape[axis] = len(X), n
    part = (places - low).reshape(shape)
    high = np.minimum(low + 1, n - 1).reshape(shape)
    below, above = (np.take_along_axis(X, i.reshape(shape), axis=axis) for i in (low, high))
    return ((1 - part) * below + part * above).astype(np.float32)


def _drop_channels(
    X: Array, layout: InputLayout, probability: float, mean: Array, rng: np.random.Generator
) -> Array:
    """Replace lost electrodes by the training mean, which says nothing; one always stays."""
    axis = _axis(layout, ("electrode",))
    n = X.shape[axis]
    lost = rng.random((len(X), n)) < probability
    lost[np.arange(len(X)), rng.integers(0, n, size=len(X))] = False
    shape = [1] * X.ndim
    shape[0], shape[axis] = len(X), n
    return np.where(lost.reshape(shape), mean, X)


def _mix(
    X: Array, targets: dict[str, Array], alpha: float, rng: np.random.Generator
) -> tuple[Array, dict[str, Array]]:
    partner = rng.permutation(len(X))
    share = rng.beta(alpha, alpha, size=len(X)).astype(np.float32)

    def blend(values: Array) -> Array:
        weight = share.reshape(-1, *([1] * (values.ndim - 1)))
        mixed: Array = weight * values + (1 - weight) * values[partner]
        return mixed

    return blend(X), {head: blend(target) for head, target in targets.items()}
