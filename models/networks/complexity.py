"""How large and how costly a network is: parameters and multiply-accumulates of one prediction."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Complexity:
    """``parameters`` counts all weights, ``macs`` multiply-accumulates of one input (batch of 1)."""

    parameters: int
    trainable: int
    macs: int


def complexity(network: Any) -> Complexity:
    """Count a built Keras model. Additions alone, pooling and normalisation (folded) are not counted."""
    trainable = sum(math.prod(weight.shape) for weight in network.trainable_weights)
    macs = sum(_macs(layer) for layer in network.layers)
    return Complexity(int(network.count_params()), int(trainable), int(macs))


def _macs(layer: Any) -> int:
    count = _COUNTS.get(type(layer).__name__)
    return count(layer) if count else 0


def _dense(layer: Any) -> int:
    return int(math.prod(layer.kernel.shape))


def _convolution(layer: Any) -> int:
    """Kernel taps times output places: every kernel weight is used once per place."""
    return int(math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:-1]))


def _separable(layer: Any) -> int:
    places = int(math.prod(layer.output.shape[1:-1]))
    kernels = (layer.depthwise_kernel.shape, layer.pointwise_kernel.shape)
    return places * sum(int(math.prod(shape)) for shape in kernels)


def _lstm(layer: Any) -> int:
    steps = int(layer.input.shape[1])
    return steps * _cell(layer.cell)


def _bidirectional(layer: Any) -> int:
    steps = int(layer.input.shape[1])
    return steps * (_cell(layer.forward_layer.cell) + _cell(layer.backward_layer.cell))


def _cell(cell: Any) -> int:
    """The input's and the state's kernels, each used once a step."""
    return int(math.prod(cell.kernel.shape) + math.prod(cell.recurrent_kernel.shape))


_COUNTS: Mapping[str, Callable[[Any], int]] = {
    "Dense": _dense,
    "Conv1D": _convolution,
    "Conv2D": _convolution,
    "DepthwiseConv2D": _convolution,
    "SeparableConv2D": _separable,
    "SeparableConv1D": _separable,
    "LSTM": _lstm,
    "Bidirectional": _bidirectional,
}
