"""The five networks: cnn_bilstm, cnn, bilstm and dense for features, eegnet for raw windows.

All use ReLU: ELU stays in float when a network is quantised to int8 and makes it slower.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from models.errors import TrainingError
from models.networks.input_layout import InputLayout
from models.networks.keras_backend import keras

MAX_PLACES = 64
"""So many places along time or electrodes are told apart after the convolutions of ``cnn``."""


@dataclass(frozen=True, slots=True)
class ArchitectureSettings:
    """Sizes of a network. What an architecture has no use for is ignored."""

    filters: tuple[int, ...] = (64, 128)
    kernel_size: int = 3
    lstm_units: tuple[int, ...] = (64,)
    dense_units: tuple[int, ...] = (64,)
    dropout: float = 0.3
    temporal_filters: int = 8
    depth: int = 2
    temporal_kernel: int = 64
    normalise: bool = True
    unroll: bool = False

    def __post_init__(self) -> None:
        for name in ("filters", "lstm_units", "dense_units"):
            sizes = getattr(self, name)
            whole = isinstance(sizes, tuple) and all(isinstance(size, int) for size in sizes)
            if not whole or any(not 1 <= size <= 4096 for size in sizes):
                raise TrainingError(f"{name} must be integers from 1 to 4096, got {sizes!r:.80}")
        if not isinstance(self.dropout, int | float) or not 0 <= self.dropout < 1:
            raise TrainingError(f"dropout must be at least 0 and below 1, got {self.dropout!r:.80}")
        for name in ("kernel_size", "temporal_kernel", "temporal_filters", "depth"):
            value = getattr(self, name)
            if not isinstance(value, int) or not 1 <= value <= 4096:
                raise TrainingError(f"{name} must be an integer from 1 to 4096, got {value!r:.80}")


DEFAULTS: Mapping[str, ArchitectureSettings] = {
    "cnn_bilstm": ArchitectureSettings(),
    "cnn": ArchitectureSettings(filters=(64, 128, 256)),
    "bilstm": ArchitectureSettings(lstm_units=(64, 32)),
    "dense": ArchitectureSettings(dense_units=(256, 128, 64)),
    "eegnet": ArchitectureSettings(dropout=0.25),
}
ARCHITECTURES = tuple(DEFAULTS)


def settings_for(architecture: str, changes: Mapping[str, Any]) -> ArchitectureSettings:
    """The architecture's own defaults with ``changes``. Raises ``TrainingError`` on unknown names."""
    if architecture not in DEFAULTS:
        raise TrainingError(f"unknown architecture {architecture!r}: one of {', '.join(ARCHITECTURES)}")
    known = {field.name for field in fields(ArchitectureSettings)}
    unknown = sorted(set(changes) - known)
    if unknown:
        raise TrainingError(f"unknown setting {unknown[0]!r}: one of {', '.join(sorted(known))}")
    default = DEFAULTS[architecture]
    values = {name: getattr(default, name) for name in known}
    values |= {name: tuple(v) if isinstance(v, list) else v for name, v in changes.items()}
    return ArchitectureSettings(**values)


def build_network(
    architecture: str,
    input_shape: tuple[int, ...],
    heads: Mapping[str, int],
    layout: InputLayout,
    settings: ArchitectureSettings,
    name: str = "network",
) -> Any:
    """An uncompiled Keras model with one softmax output per head, named after it."""
    layers = keras().layers
    inputs = keras().Input(input_shape, name="eeg")
    x = inputs if layout.shape == input_shape else layers.Reshape(layout.shape, name="layout")(inputs)
    if settings.normalise:
        axes = layout.normal_axes
        x = layers.Normalization(axis=axes if len(axes) > 1 else axes[0], name="normalise")(x)
    body = _BODIES[architecture](layers, x, layout, settings)
    outputs = {head: layers.Dense(n, activation="softmax", name=head)(body) for head, n in heads.items()}
    only = next(iter(outputs.values())) if len(outputs) == 1 else outputs
    return keras().Model(inputs, only, name=name)


def _as_sequence(layers: Any, x: Any, layout: InputLayout) -> Any:
    """(batch, steps, values) whatever the order of the axes."""
    axis = layout.steps_axis
    if axis not in (None, 0):
        order = (axis, *(i for i in range(len(layout.shape)) if i != axis))
        x = layers.Permute(tuple(i + 1 for i in order), name="steps_first")(x)
    return layers.Reshape(layout.sequence_shape, name="sequence")(x)


def _convolve(layers: Any, x: Any, settings: ArchitectureSettings) -> Any:
    for i, filters in enumerate(settings.filters):
        kernel = min(settings.kernel_size, x.shape[1])
        x = layers.Conv1D(filters, kernel, padding="same", use_bias=False, name=f"conv{i}")(x)
        x = layers.BatchNormalization(name=f"conv{i}_norm")(x)
        x = layers.ReLU(name=f"conv{i}_relu")(x)
        if x.shape[1] >= 8:
            x = layers.MaxPooling1D(2, name=f"conv{i}_pool")(x)
        x = layers.Dropout(settings.dropout, name=f"conv{i}_drop")(x)
    return x


def _recur(layers: Any, x: Any, settings: ArchitectureSettings) -> Any:
    for i, units in enumerate(settings.lstm_units):
        cell = layers.LSTM(units, return_sequences=True, unroll=settings.unroll)
        x = layers.Bidirectional(cell, name=f"bilstm{i}")(x)
        x = layers.Dropout(settings.dropout, name=f"bilstm{i}_drop")(x)
    return _gather(layers, x)


def _gather(layers: Any, x: Any) -> Any:
    """All steps side by side: a mean over them, or the last alone, would forget where on the head, or when,
    something was. What is long is told more coarsely.
    """
    if x.shape[1] > MAX_PLACES:
        x = layers.AveragePooling1D(math.ceil(x.shape[1] / MAX_PLACES), padding="same", name="pool")(x)
    return layers.Flatten(name="flat")(x)


def _decide(layers: Any, x: Any, settings: ArchitectureSettings) -> Any:
    for i, units in enumerate(settings.dense_units):
        x = layers.Dense(units, activation="relu", name=f"dense{i}")(x)
        x = layers.Dropout(settings.dropout, name=f"dense{i}_drop")(x)
    return x


def _cnn_bilstm(layers: Any, x: Any, layout: InputLayout, settings: ArchitectureSettings) -> Any:
    x = _convolve(layers, _as_sequence(layers, x, layout), settings)
    return _decide(layers, _recur(layers, x, settings), settings)


def _cnn(layers: Any, x: Any, layout: InputLayout, settings: ArchitectureSettings) -> Any:
    x = _convolve(layers, _as_sequence(layers, x, layout), settings)
    return _decide(layers, _gather(layers, x), settings)


def _bilstm(layers: Any, x: Any, layout: InputLayout, settings: ArchitectureSettings) -> Any:
    return _decide(layers, _recur(layers, _as_sequence(layers, x, layout), settings), settings)


def _dense(layers: Any, x: Any, layout: InputLayout, settings: ArchitectureSettings) -> Any:
    return _decide(layers, layers.Flatten(name="flat")(x), settings)


def _eegnet(layers: Any, x: Any, layout: InputLayout, settings: ArchitectureSettings) -> Any:
    """EEGNet (Lawhern et al. 2018, J. Neural Eng. 15(5):056013) with ReLU in the place of ELU."""
    if layout.axes != ("electrode", "sample"):
        raise TrainingError(f"eegnet wants raw windows of axes (electrode, sample), got {layout.axes}")
    electrodes, samples = layout.shape
    if samples < 32:
        raise TrainingError(f"eegnet pools time by 32: a window needs at least 32 samples, got {samples}")
    n, depth = settings.temporal_filters, settings.depth
    max_norm = keras().constraints.MaxNorm
    x = layers.Reshape((electrodes, samples, 1), name="plane")(x)
    kernel = min(settings.temporal_kernel, samples)
    x = layers.Conv2D(n, (1, kernel), padding="same", use_bias=False, name="temporal")(x)
    x = layers.BatchNormalization(name="temporal_norm")(x)
    x = layers.DepthwiseConv2D(
        (electrodes, 1),
        depth_multiplier=depth,
        use_bias=False,
        depthwise_constraint=max_norm(1.0),
        name="spatial",
    )(x)
    x = layers.ReLU(name="spatial_relu")(layers.BatchNormalization(name="spatial_norm")(x))
    x = layers.AveragePooling2D((1, 4), name="spatial_pool")(x)
    x = layers.Dropout(settings.dropout, name="spatial_drop")(x)
    x = layers.SeparableConv2D(n * depth, (1, 16), padding="same", use_bias=False, name="separable")(x)
    x = layers.ReLU(name="separable_relu")(layers.BatchNormalization(name="separable_norm")(x))
    x = layers.AveragePooling2D((1, 8), name="separable_pool")(x)
    x = layers.Dropout(settings.dropout, name="separable_drop")(x)
    return layers.Flatten(name="flat")(x)


_Body = Callable[[Any, Any, InputLayout, ArchitectureSettings], Any]
_BODIES: Mapping[str, _Body] = {
    "cnn_bilstm": _cnn_bilstm,
    "cnn": _cnn,
    "bilstm": _bilstm,
    "dense": _dense,
    "eegnet": _eegnet,
}
