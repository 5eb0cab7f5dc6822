"""Names of the classes a network's outputs stand for."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelFileError, TrainingError
from models.files.inert_pickle import InertObject, inert_load
from models.files.writing import read_json, write_json

Label = str | int


@dataclass(frozen=True, slots=True)
class LabelEncoder:
    """Classes in the order of the outputs: all text or all whole numbers, each once."""

    classes: tuple[Label, ...]

    def __post_init__(self) -> None:
        if not self.classes or len(set(self.classes)) != len(self.classes):
            raise TrainingError(f"labels must be different ones, got {list(self.classes)}")
        kinds = {type(label) for label in self.classes}
        if kinds not in ({str}, {int}):
            raise TrainingError(f"labels must be all text or all whole numbers, got {list(self.classes)}")

    @classmethod
    def fit(cls, y: Sequence[Any] | NDArray[Any], n_classes: int) -> LabelEncoder:
        """Sorted labels of ``y`` (n,). Whole numbers from 0 stand for themselves, also where some are absent.

        Raises ``TrainingError`` where ``y`` has more labels than there are classes, or fewer names.
        """
        found = sorted({_plain(label) for label in np.asarray(y).ravel().tolist()}, key=_order)
        if len(found) < 2:
            raise TrainingError(f"training needs at least 2 classes, got only {found}")
        numbers = [label for label in found if isinstance(label, int)]
        if len(numbers) == len(found) and numbers[0] >= 0 and numbers[-1] < n_classes:
            return cls(tuple(range(n_classes)))
        if len(found) != n_classes:
            raise TrainingError(f"n_classes is {n_classes}, but y has {len(found)} labels: {found}")
        return cls(tuple(found))

    def transform(self, y: Sequence[Any] | NDArray[Any]) -> NDArray[np.int64]:
        """Index of each label, (n,). Raises ``TrainingError`` naming a label that is unknown."""
        place = {label: index for index, label in enumerate(self.classes)}
        plain = [_plain(label) for label in np.asarray(y).ravel().tolist()]
        unknown = next((label for label in plain if label not in place), None)
        if unknown is not None:
            raise TrainingError(f"unknown label {unknown!r}: one of {list(self.classes)}")
        return np.array([place[label] for label in plain], dtype=np.int64)

    def inverse(self, indices: NDArray[np.int64]) -> NDArray[Any]:
        """The labels of ``indices`` (n,)."""
        return np.asarray(self.classes)[indices]


def _plain(label: Any) -> Label:
    if isinstance(label, str):
        return label
    if isinstance(label, int | float) and float(label).is_integer():
        return int(label)
    raise TrainingError(f"a label must be text or a whole number, got {label!r}")


def _order(label: Label) -> tuple[bool, Label]:
    return isinstance(label, str), label


def write_encoder_pickle(path: Path, encoder: LabelEncoder) -> None:
    """Write scikit-learn's own ``LabelEncoder``, which is what other programs expect in this file."""
    from sklearn.preprocessing import LabelEncoder as TheirEncoder

    theirs = TheirEncoder()
    theirs.classes_ = np.asarray(encoder.classes)
    path.write_bytes(pickle.dumps(theirs, protocol=4))


def write_encoder_json(path: Path, encoders: dict[str, LabelEncoder]) -> None:
    """The native form: class names by head."""
    write_json(path, {head: list(encoder.classes) for head, encoder in encoders.items()})


def read_encoder_json(path: Path) -> dict[str, LabelEncoder]:
    """Encoders by head. Raises ``ModelFileError``."""
    value = read_json(path)
    if not isinstance(value, dict) or not all(isinstance(names, list) for names in value.values()):
        raise ModelFileError(f"{path}: must map each head to its list of labels")
    return {str(head): _trusted(path, names) for head, names in value.items()}


def read_encoder_pickle(path: Path) -> LabelEncoder:
    """Read scikit-learn's encoder as data only. Raises ``ModelFileError`` for anything else."""
    value = inert_load(path)
    if isinstance(value, InertObject):
        value = value.state.get("classes_")
    if isinstance(value, np.ndarray) and value.ndim == 1:
        value = value.tolist()
    if not isinstance(value, list):
        raise ModelFileError(f"{path}: holds no list of classes")
    return _trusted(path, value)


def _trusted(path: Path, names: list[Any]) -> LabelEncoder:
    try:
        return LabelEncoder(tuple(_plain(name) for name in names))
    except (TrainingError, TypeError) as error:
        raise ModelFileError(f"{path}: {error}") from error
