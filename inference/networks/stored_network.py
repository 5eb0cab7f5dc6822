"""What every classifier that is a file in the store has in common: its manifest speaks for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from acquisition.signal import FloatArray
from inference.emotion import ModelId
from inference.networks.manifest import Manifest
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
    """Run the manifest's golden vectors, each (sequence_length, n_features), through ``predict``.

    Raises ``ClassifierError`` where there are none or an answer (n_labels,) differs.
    """
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


class StoredNetwork:
    """The part of ``Classifier`` that stands in the manifest, and the checks against it."""

    def __init__(self, manifest: Manifest, variant: str) -> None:
        self._manifest, self._variant = manifest, variant
        self._wanted = (manifest.sequence_length, manifest.n_features)

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    @property
    def model_id(self) -> ModelId:
        return ModelId(self._manifest.name, self._manifest.files[self._variant].sha256)

    @property
    def channels(self) -> tuple[str, ...]:
        return self._manifest.channels

    @property
    def feature_schema(self) -> str:
        return self._manifest.feature_schema

    @property
    def labels(self) -> tuple[str, ...]:
        return self._manifest.labels

    @property
    def sequence_length(self) -> int:
        return self._manifest.sequence_length

    def _check_shapes(self, given: Sequence[int], answer: Sequence[int]) -> None:
        """Hold the file's shapes, batch included, against the manifest. Raises ``ClassifierError``."""
        manifest, wanted = self._manifest, [1, *self._wanted]
        if list(given) != wanted:
            raise ClassifierError(f"{manifest.name}: the manifest says input {wanted}, the file has {given}")
        if list(answer) != [1, len(manifest.labels)]:
            raise ClassifierError(
                f"{manifest.name}: the manifest has {len(manifest.labels)} labels, the file gives {answer}"
            )

    def _check_features(self, features: FloatArray) -> None:
        if features.shape != self._wanted:
            raise ClassifierError(
                f"{self._manifest.name}: wants features {self._wanted}, got {features.shape}"
            )
        if not np.isfinite(features).all():  # as whole numbers of 8 bits they would read as any others
            raise ClassifierError(f"{self._manifest.name}: wants finite features, got NaN or Inf")
