"""One stretch of EEG under one label, and the set it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from acquisition.signal import BoolArray, FloatArray
from models.errors import DatasetError


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What is true of a whole set. ``channels`` are 10-10 names in the order of every trial's rows."""

    name: str
    channels: tuple[str, ...]
    rate_hz: float
    licence: str
    reference: str
    labels: Mapping[str, tuple[str, ...]]
    """Head -> names of its classes, in the order of a network's outputs."""
    note: str = ""
    expectation: str = ""
    """What leak-free accuracy on unseen people the literature reports, for those who train on it."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Samples (n_channels, n) in microvolts; the first ``baseline_s`` seconds are rest before the trial.

    ``labels`` has one class name per head; ``ratings`` what the person said, in the set's own scale;
    ``lost`` (n,) marks samples that never came and were interpolated.
    """

    person: str
    session: str
    number: int
    samples_uv: FloatArray
    labels: Mapping[str, str]
    baseline_s: float = 0.0
    ratings: Mapping[str, float] = field(default_factory=dict)
    lost: BoolArray | None = None

    @property
    def key(self) -> str:
        """A name no other trial of the set has."""
        return f"{self.person}/{self.session}/{self.number:03}"


class TrialSource(Protocol):
    """A set that has been opened: described at once, read one trial at a time."""

    @property
    def info(self) -> DatasetInfo: ...

    def trials(self) -> Iterator[Trial]:
        """Every trial, people and trials in order. Raises ``DatasetError``."""
        ...


def need_files(folder: Path, names: list[str], what: str) -> list[Path]:
    """The files, all there. Raises ``DatasetError`` naming the folder or the first that is missing."""
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder ({what})")
    paths = [folder / name for name in names]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise DatasetError(f"{folder}: {missing[0]}{others} missing; {what} has {len(paths)} files here")
    return paths
