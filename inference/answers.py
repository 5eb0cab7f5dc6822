"""What every network's answers are held against, whichever library runs it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from acquisition.signal import FloatArray
from inference.model_store import Manifest
from inference.port import ClassifierError

SUM_TOLERANCE = 0.02


def checked_probabilities(name: str, probabilities: FloatArray) -> FloatArray:
    """The answer (n_labels,) scaled to sum to one. Raises ``ClassifierError`` where it cannot be meant."""
    # plain floats: for a handful of labels numpy's reductions cost more than the network
    values = probabilities.tolist()
    total = math.fsum(values)
    if not math.isfinite(total):
        raise ClassifierError(f"{name}: the network's answer is not finite")
    if abs(total - 1) > SUM_TOLERANCE or min(values) < -1e-6:
        raise ClassifierError(f"{name}: the network's probabilities sum to {total:.3f}, not 1")
    return probabilities / total


def check_golden(manifest: Manifest, variant: str, predict: Callable[[FloatArray], FloatArray]) -> None:
    """Run the manifest's golden vectors. Raises ``ClassifierError`` where there are none or one differs."""
    golden = manifest.golden
    outputs = golden.outputs.get(variant, [])
    if not golden.inputs or len(outputs) != len(golden.inputs):
        raise ClassifierError(
            f"{manifest.name}: {len(golden.inputs)} golden inputs and {len(outputs)} outputs of "
            f"{variant!r}; at least one of each, and as many, are needed"
        )
    tolerance = golden.tolerance.get(variant, 1e-3)
    for given, expected in zip(golden.inputs, outputs, strict=True):
        got = predict(np.asarray(given, dtype=np.float64))
        error = float(np.abs(got - np.asarray(expected)).max())
        if error > tolerance:
            raise ClassifierError(
                f"{manifest.name}: golden vectors differ by {error:.4f}, allowed {tolerance:g}"
            )
