"""XDF files: this product's own sessions, and whatever LabRecorder and others wrote (by pyxdf)."""

from __future__ import annotations

import gzip
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from acquisition.eeg_rows import Channel, EegRows, choose_eeg, left_out_note
from acquisition.grid.even_grid import lay_evenly
from acquisition.grid.recording import Measured, Recording, check_rate, check_samples
from acquisition.port import UnknownSourceError
from acquisition.recording.input_file import MAX_BYTES
from acquisition.recording.session_file import is_session, read_session
from acquisition.signal import EegChunk, FloatArray, HeadsetStatus, StreamInfo
from acquisition.units import in_uv


def read_xdf(path: Path, name: str = "") -> Recording:
    """The EEG of a file on an even grid, with NaN where nothing was recorded.

    ``name`` chooses among several streams of EEG. Raises ``UnknownSourceError`` naming file and rule. A
    session's first headset is the one that is read.
    """
    return lay_evenly(_read_session(path) if is_session(path) else _read_foreign(path, name))


def _read_session(path: Path) -> Measured:
    info: StreamInfo | None = None
    chunks: list[EegChunk] = []
    for item in read_session(path):
        if isinstance(item, HeadsetStatus):
            info = info or item.info
        elif isinstance(item, EegChunk) and info and item.samples_uv.shape[0] == len(info.channels):
            chunks.append(item)
    if info is None or not chunks:
        raise UnknownSourceError(f"{path}: the session holds no EEG")
    times_s = np.concatenate([chunk.times_s for chunk in chunks])
    check_samples(path, len(info.channels), len(times_s))
    samples_uv = in_uv(np.concatenate([chunk.samples_uv for chunk in chunks], axis=1), 1.0)
    marks = [c.interpolated if c.interpolated is not None else np.zeros(len(c.times_s)) for c in chunks]
    return Measured(
        path,
        info.device,
        info.channels,
        (info.rate_hz,),
        samples_uv,
        times_s=times_s,
        lost=np.concatenate(marks) != 0,
        simulated=info.simulated,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Stream:
    """One stream of EEG as pyxdf gives it."""

    names: tuple[str, ...]
    """What it may be asked for by: name, source id, unique id and number in the file."""
    identity: tuple[Any, ...]
    rate_hz: float
    channels: tuple[Channel, ...]
    times_s: FloatArray
    values: FloatArray

    @property
    def span_s(self) -> tuple[float, float]:
        return float(np.nanmin(self.times_s)), float(np.nanmax(self.times_s))


def _read_foreign(path: Path, name: str) -> Measured:
    import pyxdf

    logging.getLogger("pyxdf").setLevel(logging.CRITICAL)
    try:
        packed = path.suffix.lower() == ".xdfz"
        if packed:
            _check_unpacked(path)
        # pyxdf leaves the file open when it fails, so it is handed one that is closed here; its own
        # smoothing of stamps closes gaps of less than a second
        with gzip.open(path) if packed else path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            streams, _ = pyxdf.load_xdf(file, dejitter_timestamps=False)
        found = [stream for stream in map(_stream, streams) if stream is not None]
        others = ", ".join(str(stream["info"]["name"][0]) for stream in streams[:8]) or "none"
        joined = _joined(path, found, name, others)
    except UnknownSourceError:
        raise
    except Exception as error:
        raise UnknownSourceError(f"{path}: not a readable XDF file: {error}") from error
    rate_hz = check_rate(path, joined[0].rate_hz)
    check_samples(path, len(joined[0].channels), sum(len(part.times_s) for part in joined))
    chosen = _chosen(path, joined[0].channels)
    samples_uv = np.concatenate([part.values[:, list(chosen.rows)] for part in joined]).T
    return Measured(
        path,
        f"{joined[0].names[0]}{left_out_note(chosen.left_out)}",
        chosen.names,
        (rate_hz,),
        in_uv(samples_uv, np.array(chosen.uv_per_unit)[:, np.newaxis]),
        times_s=np.concatenate([part.times_s for part in joined]),
    )


def _check_unpacked(path: Path) -> None:
    """A few kilobytes may unfold to more than the machine has: they are counted before anything is kept."""
    size = 0
    with gzip.open(path) as file:
        while part := file.read(1 << 20):
            size += len(part)
            if size > MAX_BYTES:
                raise UnknownSourceError(f"{path}: unpacks to more than {MAX_BYTES} bytes")


def _stream(loaded: Any) -> _Stream | None:
    """What pyxdf loaded, if it is EEG with samples."""
    info = loaded["info"]
    if _word(info, "type").upper() != "EEG" or not len(loaded["time_stamps"]):
        return None
    values = np.asarray(loaded["time_series"], dtype=np.float64)
    name, source_id = _word(info, "name"), _word(info, "source_id")
    rate_hz = float(_word(info, "nominal_srate"))
    channels = tuple(_channels(info, values.shape[1]))
    return _Stream(
        (name, source_id, _word(info, "uid"), str(info.get("stream_id", ""))),
        (name, source_id, _word(info, "hostname"), rate_hz, channels),
        rate_hz,
        channels,
        np.asarray(loaded["time_stamps"], dtype=np.float64),
        values,
    )


def _word(info: Any, key: str) -> str:
    return str((info.get(key) or [""])[0] or "")


def _channels(info: Any, count: int) -> Iterator[Channel]:
    described = (info.get("desc") or [None])[0] or {}
    rows = ((described.get("channels") or [None])[0] or {}).get("channel") or []
    labels = [_word(row, "label") for row in rows]
    if len(labels) != count:
        rows = [{} for _ in range(count)] if len(rows) != count else rows
    known = len(labels) == count and all(labels)
    for place, row in enumerate(rows):
        label = labels[place] if known else f"ch{place + 1}"
        yield Channel(label, _word(row, "unit"), _word(row, "type"))


def _joined(path: Path, found: list[_Stream], name: str, others: str) -> list[_Stream]:
    """The stream to read, in its parts: an outlet that came back is recorded as a stream of its own.

    Raises ``UnknownSourceError`` where there is none, or more than one and nothing that chooses.
    """
    if name:
        found = [stream for stream in found if name in stream.names]
    found = sorted(found, key=lambda stream: stream.span_s)
    together = all(
        before.identity == after.identity and before.span_s[1] < after.span_s[0]
        for before, after in pairwise(found)
    )
    if not found or not together:
        choice = "; ".join(f"#{stream.names[3]} is {stream.names[0]!r}" for stream in found[:8])
        raise UnknownSourceError(
            f"{path}: exactly one stream of type EEG with samples is needed, got {len(found)} of {others}"
            + (f": choose one by its name or number behind the file's: {choice}" if choice else "")
        )
    return found


def _chosen(path: Path, channels: tuple[Channel, ...]) -> EegRows:
    chosen = choose_eeg(channels)
    if chosen.bad_units:
        raise UnknownSourceError(
            f"{path}: EEG must be in one known unit of volts, got {list(chosen.bad_units)}"
        )
    if not chosen.rows:
        labels = ", ".join(channel.label for channel in channels[:8])
        raise UnknownSourceError(f"{path}: no channel of the stream is EEG, got {labels}")
    return chosen
