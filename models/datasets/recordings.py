"""Your own recordings with labels: muse-lsl CSV, OpenBCI text, EDF and BDF, npz and recorded sessions.

A folder holds ``dataset.json`` beside the recordings::

    {"name": "evenings", "licence": "mine", "labels": ["calm", "engaged"],
     "recordings": [{"file": "monday.csv", "person": "me", "session": "1", "baseline": [0, 60],
                     "segments": [{"start_s": 60, "end_s": 120, "label": "calm"}, ...]}]}
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from acquisition.port import UnknownSourceError
from acquisition.readers import Recording, open_recording
from models.datasets.trial import DatasetInfo, Trial
from models.errors import DatasetError

DESCRIPTION = "dataset.json"
MAX_BYTES = 1_000_000


class Segment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A labelled stretch of one recording, in seconds from its start."""

    start_s: float
    end_s: float
    label: str


class RecordingEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file: who wore the headset, where the rest is, and what happened when."""

    file: str
    person: str
    segments: list[Segment]
    session: str = "1"
    baseline: tuple[float, float] | None = None


class Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole folder."""

    name: str
    labels: tuple[str, ...]
    recordings: list[RecordingEntry]
    licence: str = "not stated"
    head: str = "emotion"


class LabelledRecordings:
    """The folder. All recordings must have the channels and the rate of the first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._description = _read_description(folder / DESCRIPTION)
        if not self._description.recordings:
            raise DatasetError(f"{folder / DESCRIPTION}: names no recording")
        first = self._open(self._description.recordings[0])
        self._info = DatasetInfo(
            self._description.name,
            first.info.channels,
            first.info.rate_hz,
            self._description.licence,
            str(folder),
            {self._description.head: self._description.labels},
        )
        for entry in self._description.recordings:
            self._check(entry)

    @property
    def info(self) -> DatasetInfo:
        return self._info

    def trials(self) -> Iterator[Trial]:
        """Every segment, with the recording's rest before it where one is given."""
        for entry in self._description.recordings:
            recording = self._open(entry)
            rest = self._places(*entry.baseline or (0, 0))
            for number, segment in enumerate(entry.segments, 1):
                places = np.concatenate([rest, self._places(segment.start_s, segment.end_s)])
                places = places[places < recording.samples_uv.shape[1]]
                yield Trial(
                    entry.person,
                    f"{entry.session}:{Path(entry.file).stem}",
                    number,
                    recording.samples_uv[:, places],
                    {self._description.head: segment.label},
                    len(rest) / self._info.rate_hz,
                    lost=None if recording.lost is None else recording.lost[places],
                )

    def _places(self, start_s: float, end_s: float) -> NDArray[np.intp]:
        """Which samples (n,) of a recording a stretch is."""
        return np.arange(round(start_s * self._info.rate_hz), round(end_s * self._info.rate_hz))

    def _check(self, entry: RecordingEntry) -> None:
        recording = self._open(entry)
        info, where = recording.info, f"{self._folder / entry.file}"
        if info.channels != self._info.channels or info.rate_hz != self._info.rate_hz:
            raise DatasetError(
                f"{where}: channels and rate must be those of the first recording"
                f" ({', '.join(self._info.channels)} at {self._info.rate_hz:g} Hz)"
            )
        spans = [(segment.start_s, segment.end_s) for segment in entry.segments]
        for start_s, end_s in spans + ([entry.baseline] if entry.baseline else []):
            if not 0 <= start_s < end_s <= recording.duration_s + 1e-6:
                rule = f"a stretch must lie inside 0..{recording.duration_s:g} s"
                raise DatasetError(f"{where}: {rule}, got {start_s:g}..{end_s:g}")
        unknown = [s.label for s in entry.segments if s.label not in self._description.labels]
        if unknown:
            raise DatasetError(
                f"{where}: label {unknown[0]!r} is not one of {', '.join(self._description.labels)}"
            )

    def _open(self, entry: RecordingEntry) -> Recording:
        path = self._folder / entry.file
        if not path.resolve().is_relative_to(self._folder.resolve()):
            raise DatasetError(f"{self._folder / DESCRIPTION}: {entry.file!r} lies outside the folder")
        try:
            return open_recording(path)
        except UnknownSourceError as error:
            raise DatasetError(str(error)) from error


def _read_description(path: Path) -> Description:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DatasetError(f"{path}: at most {MAX_BYTES} bytes are read")
        return msgspec.json.decode(path.read_bytes(), type=Description)
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror or error}") from error
    except msgspec.MsgspecError as error:
        raise DatasetError(f"{path}: {error}") from error
