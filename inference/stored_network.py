"""What every classifier that is a file in the store has in common: its manifest speaks for it."""

from __future__ import annotations

from collections.abc import Sequence

from acquisition.signal import FloatArray
from inference.emotion import ModelId
from inference.model_store import Manifest
from inference.port import ClassifierError


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
