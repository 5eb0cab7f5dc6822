"""A recorded session as EDF+, BDF+ or CSV, for other programs."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from acquisition.grid.even_grid import lay_evenly
from acquisition.grid.recording import Measured
from acquisition.port import UnknownSourceError
from acquisition.recording.input_file import check_file
from acquisition.recording.session_file import Line, is_session, read_head, read_session
from acquisition.signal import EegChunk, FloatArray, Gap, HeadsetStatus

FORMATS = (".edf", ".bdf", ".csv")
MAX_EDF_UV = 9_999_999.0
"""EDF headers have eight characters for the range of a channel."""
MAX_NOTE_CHARS = 300


class ExportError(Exception):
    """The export cannot be written. The message names the file, the rule and the value got."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something to write beside the samples, in seconds from the first one."""

    onset_s: float
    duration_s: float
    text: str
    stream: str = ""
    """Of what text stream of the recording it tells; empty for a gap."""


@dataclass(frozen=True, slots=True, eq=False)
class Exported:
    """A session on an even grid; NaN in ``samples_uv`` (n_channels, n) where nothing was recorded."""

    channels: tuple[str, ...]
    rate_hz: float
    samples_uv: FloatArray
    interpolated: FloatArray
    notes: tuple[Note, ...]
    began: dt.datetime


def export_session(session: Path, to: Path, *, overwrite: bool = False) -> Path:
    """Write ``to`` in the format its name ends with. Raises ``ExportError`` and ``UnknownSourceError``."""
    writers: dict[str, Callable[[Exported, Path], None]] = {".edf": _edf, ".bdf": _edf, ".csv": _csv}
    suffix = to.suffix.lower()
    if suffix not in writers:
        raise ExportError(f"{to}: an export must end with one of {', '.join(FORMATS)}, got {suffix!r}")
    if to.exists() and not overwrite:
        raise ExportError(f"{to}: is there already; --overwrite replaces it")
    found = collect(session)
    partial = to.with_name(f".{to.stem}.{os.getpid()}.part{suffix}")
    try:
        writers[suffix](found, partial)
        partial.chmod(0o600)
        partial.replace(to)
    except OSError as error:
        raise ExportError(f"{to}: cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return to


def collect(session: Path) -> Exported:
    """The session's first headset on an even grid. Raises ``UnknownSourceError``."""
    if not is_session(check_file(session)):
        raise UnknownSourceError(f"{session}: not a session recorded by neuroplayer")
    head = read_head(session)
    info = None
    chunks: list[EegChunk] = []
    words: list[Note] = []
    for item in read_session(session):
        if isinstance(item, HeadsetStatus):
            info = info or item.info
        elif isinstance(item, EegChunk):
            if info is not None and item.samples_uv.shape[0] == len(info.channels):
                chunks.append(item)
        else:
            words += _words(item)
    if info is None or not chunks:
        raise UnknownSourceError(f"{session}: the session holds no EEG")
    times_s = np.concatenate([chunk.times_s for chunk in chunks])
    samples_uv = np.concatenate([chunk.samples_uv for chunk in chunks], axis=1)
    marks = [c.interpolated if c.interpolated is not None else np.zeros(len(c.times_s)) for c in chunks]
    rows = np.vstack([samples_uv, np.concatenate(marks)])
    names = (*info.channels, "interpolated")
    found = lay_evenly(Measured(session, info.device, names, (info.rate_hz,), rows, times_s=times_s))
    first_s = float(times_s[0])
    notes = [replace(note, onset_s=max(0.0, note.onset_s - first_s)) for note in words]
    notes += _untold(found.gaps_s, notes)
    marked = np.round(found.samples_uv[-1])
    return Exported(
        info.channels, info.rate_hz, found.samples_uv[:-1], marked, tuple(notes), _when(head.began)
    )


def _untold(gaps_s: tuple[tuple[float, float], ...], notes: list[Note]) -> Iterator[Note]:
    """A note for every stretch without samples that no recorded gap tells of."""
    told = [(note.onset_s, note.onset_s + note.duration_s) for note in notes if not note.stream]
    for begin_s, end_s in gaps_s:
        if not any(first_s < end_s and last_s > begin_s for first_s, last_s in told):
            yield Note(begin_s, end_s - begin_s, "BAD_gap lost")


def _when(text: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return dt.datetime(1985, 1, 1, tzinfo=dt.UTC)  # what EDF+ writes for an unknown date


def _words(item: Line | Gap) -> Iterator[Note]:
    if isinstance(item, Gap):
        if not item.bridged:
            yield Note(item.start_s, item.end_s - item.start_s, f"BAD_gap {item.reason}")
        return
    try:
        text = _annotation(item.stream, json.loads(item.text))
    except (ValueError, TypeError, KeyError, RecursionError):
        text = f"{item.stream}, which cannot be read"
    if text:
        # titles come from strangers' files, and EDF+ marks its annotations by control characters
        plain = "".join(c if c.isprintable() else " " for c in text[:MAX_NOTE_CHARS])
        yield Note(item.at_s, 0.0, plain, item.stream)


def _annotation(stream: str, words: Any) -> str:
    if stream == "EmotionState":
        return f"state {words['emotion']} ({words['status']})"
    if stream == "PlayerDecision":
        return f"music {words['kind']}: {words['chosen']['title']}"
    if stream == "AudioMarkers":
        return f"sound {words['title']}" + (" (paused)" if words["paused"] else "")
    return ""


def _changes(notes: tuple[Note, ...]) -> Iterator[Note]:
    """Notes without states that only repeat the one before."""
    last = ""
    for note in notes:
        if note.stream == "EmotionState":
            if note.text == last:
                continue
            last = note.text
        yield note


def _edf(found: Exported, to: Path) -> None:
    """EDF+ or BDF+ with annotations. Where nothing was recorded stands 0 under a BAD annotation."""
    import edfio

    per_record = round(found.rate_hz)
    lacking = -found.samples_uv.shape[1] % per_record
    padded = np.pad(np.nan_to_num(found.samples_uv, posinf=0.0, neginf=0.0), ((0, 0), (0, lacking)))
    rows = list(zip(found.channels, np.clip(padded, -MAX_EDF_UV, MAX_EDF_UV), strict=True))
    began = found.began.astimezone(dt.UTC)
    annotations = [
        edfio.EdfAnnotation(round(note.onset_s, 4), note.duration_s or None, note.text)
        for note in _changes(found.notes)
    ]
    if lacking:
        end_s = found.samples_uv.shape[1] / found.rate_hz
        annotations.append(edfio.EdfAnnotation(round(end_s, 4), lacking / found.rate_hz, "BAD_after_the_end"))
    recording = edfio.Recording(startdate=began.date(), equipment_code="neuroplayer")
    starttime, record_s = began.time().replace(microsecond=0, tzinfo=None), per_record / found.rate_hz
    about: dict[str, Any] = {"recording": recording, "starttime": starttime, "annotations": annotations}
    kinds = (edfio.Bdf, edfio.BdfSignal) if to.suffix == ".bdf" else (edfio.Edf, edfio.EdfSignal)
    make: Callable[..., Any] = kinds[0]
    signals = [_signal(kinds[1], found.rate_hz, *row) for row in rows]
    make(signals, data_record_duration=record_s, **about).write(to)


def _signal(kind: Callable[..., Any], rate_hz: float, name: str, row: FloatArray) -> Any:
    return kind(
        row, rate_hz, label=f"EEG {name}"[:16], physical_dimension="uV", physical_range=_range_uv(row)
    )


def _range_uv(row: FloatArray) -> tuple[float, float]:
    reach = float(max(1.0, np.ceil(np.abs(row).max())))
    return -reach, reach


def _csv(found: Exported, to: Path) -> None:
    """One row a sample, with the last thing noted; empty cells where nothing was recorded."""
    notes: dict[int, list[str]] = {}
    for note in _changes(found.notes):
        place = min(found.samples_uv.shape[1] - 1, round(note.onset_s * found.rate_hz))
        notes.setdefault(place, []).append(note.text)
    with to.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["time_s", *(f"{name}_uv" for name in found.channels), "interpolated", "notes"])
        for i, column in enumerate(found.samples_uv.T):
            cells = ["" if not np.isfinite(value) else repr(float(value)) for value in column]
            mark = "1" if found.interpolated[i] == 1 else "0"
            table.writerow([f"{i / found.rate_hz:.6f}", *cells, mark, "; ".join(notes.get(i, []))])
