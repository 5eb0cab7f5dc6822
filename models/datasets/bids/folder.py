"""People of a BIDS folder (Pernet et al. 2019, *EEG-BIDS*), by recording and by what they did when.

``sub-XX/[ses-YY/]eeg/sub-XX[_ses-YY]_task-LABEL[_run-N]_eeg.EXT`` with ``_events.tsv`` and ``_channels.tsv``
beside it, or further up as BIDS lets them be inherited. Formats are those that ``acquisition.readers`` opens.
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path

from acquisition.montage import canonical
from acquisition.port import UnknownSourceError
from acquisition.readers import Recording, open_recording
from models.datasets.bids.protocols import BidsEvent, Stretch, stretches_of
from models.errors import DatasetError

FORMATS = (".edf", ".bdf", ".vhdr", ".xdf")
OTHERS = (".set", ".fif", ".cnt", ".mef", ".nwb")
DESCRIPTION = "dataset_description.json"
ENTITY = re.compile(r"(sub|ses|task|acq|run)-([A-Za-z0-9+]+)")
DATASET = re.compile(r"ds\d{6}|on\d{6}")
MAX_TEXT_BYTES = 50_000_000
MAX_RECORDINGS = 20_000


@dataclass(frozen=True, slots=True)
class BidsRecording:
    """One file of EEG, its task, and what happened when."""

    path: Path
    task: str
    stretches: tuple[Stretch, ...]
    electrodes: tuple[str, ...]
    rate_hz: float

    def open(self) -> Recording:
        """Raises ``DatasetError``."""
        return _opened(self.path)


@dataclass(frozen=True, slots=True)
class BidsPeople:
    """Everyone who has both a calm and an engaged stretch; ``channels`` are what all recordings have."""

    path: Path
    name: str
    recordings: dict[str, tuple[BidsRecording, ...]]
    channels: tuple[str, ...]
    left_out: dict[str, str]

    @property
    def people(self) -> tuple[str, ...]:
        return tuple(self.recordings)


def open_bids(folder: Path) -> BidsPeople:
    """Look through a folder. Raises ``DatasetError`` where nobody in it can be scored."""
    about = _description(folder)
    files = _files(folder)
    found: dict[str, list[BidsRecording]] = {}
    for path in files:
        entities = dict(ENTITY.findall(path.name))
        found.setdefault(f"sub-{entities['sub']}", []).append(_recording(folder, path, entities, about))
    kept: dict[str, tuple[BidsRecording, ...]] = {}
    left_out: dict[str, str] = {}
    for person, recordings in found.items():
        states = {stretch.state for one in recordings for stretch in one.stretches}
        if {"calm", "engaged"} <= states:
            kept[person] = tuple(one for one in recordings if one.stretches)
        else:
            lacking = " and ".join(sorted({"calm", "engaged"} - states))
            tasks = ", ".join(sorted({one.task for one in recordings}))
            left_out[person] = f"no {lacking} stretch in {tasks}"
    if not kept:
        why = next(iter(left_out.items()))
        raise DatasetError(f"{folder}: nobody rests and works with the head there; {why[0]}: {why[1]}")
    every = [set(one.electrodes) for recordings in kept.values() for one in recordings]
    first = next(iter(kept.values()))[0].electrodes
    channels = tuple(name for name in first if all(name in names for names in every))
    return BidsPeople(folder, about.name, kept, channels, left_out)


@dataclass(frozen=True, slots=True)
class _About:
    name: str
    dataset: str


def _description(folder: Path) -> _About:
    path = folder / DESCRIPTION
    if not path.is_file():
        raise DatasetError(f"{folder}: no {DESCRIPTION}, so no BIDS folder")
    try:
        told = json.loads(_text(path))
        name, doi = str(told["Name"]), str(told.get("DatasetDOI", ""))
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path}: must be JSON with a Name: {error}") from error
    dataset = DATASET.search(f"{doi} {folder.resolve().name}".lower())
    return _About(name, dataset[0].replace("on", "ds") if dataset else "")


def _files(folder: Path) -> list[Path]:
    """Every recording of EEG, in order; those of formats that are not read are named."""
    every = sorted(path for path in folder.glob("sub-*/**/eeg/sub-*_task-*_eeg.*"))[:MAX_RECORDINGS]
    files = [path for path in every if path.suffix.lower() in FORMATS]
    if files:
        return files
    other = next((path for path in every if path.suffix.lower() in OTHERS), None)
    if other is not None:
        raise DatasetError(f"{other}: formats that are read: {', '.join(FORMATS)}; got {other.suffix}")
    raise DatasetError(f"{folder}: no recording sub-*/**/eeg/*_task-*_eeg with {', '.join(FORMATS)}")


def _recording(folder: Path, path: Path, entities: dict[str, str], about: _About) -> BidsRecording:
    recording = _opened(path)
    events = _events(_inherited(folder, path, "events.tsv"))
    stretches = stretches_of(about.dataset, entities["task"], events, recording.duration_s)
    names = _eeg_names(_inherited(folder, path, "channels.tsv"))
    electrodes = tuple(name for name in recording.info.channels if names is None or name in names)
    return BidsRecording(path, entities["task"], tuple(stretches), electrodes, recording.info.rate_hz)


def _opened(path: Path) -> Recording:
    if path.is_symlink() and not path.exists():
        raise DatasetError(f"{path}: its content has not been fetched (git annex get, or datalad get)")
    try:
        return open_recording(path)
    except UnknownSourceError as error:
        raise DatasetError(str(error)) from error


def _inherited(folder: Path, recording: Path, suffix: str) -> Path | None:
    """The file for this recording: beside it, or further up with fewer of its entities."""
    entities = set(recording.stem.split("_")[:-1])
    place = recording.parent
    while True:
        fitting = [p for p in place.glob(f"*_{suffix}") if set(p.name.split("_")[:-1]) <= entities]
        if fitting:
            return max(fitting, key=lambda path: path.name.count("_"))
        if place == folder or place == place.parent:
            return None
        place = place.parent


def _rows(path: Path) -> list[dict[str, str]]:
    reader = csv.DictReader(_text(path).splitlines(), delimiter="\t")
    return [{k: v for k, v in row.items() if k and v and v != "n/a"} for row in reader]


def _events(path: Path | None) -> list[BidsEvent]:
    if path is None:
        return []
    found = []
    for number, row in enumerate(_rows(path), 2):
        try:
            onset_s, duration_s = float(row["onset"]), float(row.get("duration", 0.0))
        except (KeyError, ValueError) as error:
            rule = "onset and duration must be numbers"
            raise DatasetError(f"{path}: line {number}: {rule}: {error}") from error
        kind = row.get("trial_type") or row.get("value") or ""
        found.append(BidsEvent(onset_s, duration_s, kind.strip(), row))
    return sorted(found, key=lambda event: event.onset_s)


def _eeg_names(path: Path | None) -> set[str] | None:
    """What ``channels.tsv`` says is good EEG, by today's names; None where it is silent."""
    if path is None:
        return None
    rows = _rows(path)
    if not all("name" in row and "type" in row for row in rows):
        raise DatasetError(f"{path}: needs the columns name and type")
    good = [row for row in rows if row["type"].upper() == "EEG" and row.get("status", "good") != "bad"]
    return {canonical(row["name"]) for row in good}


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise DatasetError(f"{path}: at most {MAX_TEXT_BYTES} bytes are read")
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror or error}") from error
