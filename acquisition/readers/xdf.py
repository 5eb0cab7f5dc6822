"""XDF files: this product's own sessions, and whatever LabRecorder and others wrote (by pyxdf)."""

from __future__ import annotations

import gzip
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from acquisition.montage import canonical
from acquisition.port import UnknownSourceError
from acquisition.readers.recording import Recording, check_samples, make_recording
from acquisition.recording.input_file import MAX_BYTES
from acquisition.recording.session_file import is_session, read_session
from acquisition.signal import EegChunk, FloatArray, HeadsetStatus, StreamInfo
from acquisition.units import TO_UV

MAX_HOURS = 48.0


def read_xdf(path: Path) -> Recording:
    """The EEG of a file on an even grid, with NaN where nothing was recorded.

    Raises ``UnknownSourceError`` naming file and rule. A session's first headset is the one that is read.
    """
    return _read_session(path) if is_session(path) else _read_foreign(path)


def _read_session(path: Path) -> Recording:
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
    samples_uv = np.concatenate([chunk.samples_uv for chunk in chunks], axis=1)
    marks = [c.interpolated if c.interpolated is not None else np.zeros(len(c.times_s)) for c in chunks]
    even = even_grid(path, times_s, np.vstack([samples_uv, np.concatenate(marks)]), info.rate_hz)
    made = make_recording(path, info.device, info.channels, info.rate_hz, even[:-1], simulated=info.simulated)
    return replace(made, lost=even[-1] == 1)


def _read_foreign(path: Path) -> Recording:
    import pyxdf

    logging.getLogger("pyxdf").setLevel(logging.CRITICAL)
    try:
        packed = path.suffix.lower() == ".xdfz"
        if packed:
            _check_unpacked(path)
        # pyxdf leaves the file open when it fails, so it is handed one that is closed here
        with gzip.open(path) if packed else path.open("rb") as file:
            streams, _ = pyxdf.load_xdf(file)
        stream = _eeg_stream(path, streams)
        info = stream["info"]
        rate_hz = float(info["nominal_srate"][0])
        values = np.asarray(stream["time_series"], dtype=np.float64)
        times_s = np.asarray(stream["time_stamps"], dtype=np.float64)
        names, scale = _channels(path, info, values.shape[1])
        device = str(info["name"][0])
    except UnknownSourceError:
        raise
    except Exception as error:
        raise UnknownSourceError(f"{path}: not a readable XDF file: {error}") from error
    samples_uv = even_grid(path, times_s, values.T * scale, rate_hz)
    return make_recording(path, device, names, rate_hz, samples_uv)


def _check_unpacked(path: Path) -> None:
    """A few kilobytes may unfold to more than the machine has: they are counted before anything is kept."""
    size = 0
    with gzip.open(path) as file:
        while part := file.read(1 << 20):
            size += len(part)
            if size > MAX_BYTES:
                raise UnknownSourceError(f"{path}: unpacks to more than {MAX_BYTES} bytes")


def _eeg_stream(path: Path, streams: list[Any]) -> Any:
    """The one stream of type EEG. Raises ``UnknownSourceError`` where there is none or more than one."""
    found = [s for s in streams if str(s["info"]["type"][0]).upper() == "EEG" and len(s["time_stamps"])]
    if len(found) != 1:
        names = ", ".join(str(stream["info"]["name"][0]) for stream in streams[:8]) or "none"
        raise UnknownSourceError(
            f"{path}: exactly one stream of type EEG with samples is needed, got {len(found)} of {names}"
        )
    return found[0]


def _channels(path: Path, info: Any, count: int) -> tuple[tuple[str, ...], float]:
    described = (info.get("desc") or [None])[0] or {}
    rows = ((described.get("channels") or [None])[0] or {}).get("channel") or []
    names = [str((row.get("label") or [""])[0]) for row in rows]
    units = {str((row.get("unit") or [""])[0]).strip().lower() for row in rows} or {""}
    if len(units) > 1 or not units <= set(TO_UV):
        raise UnknownSourceError(f"{path}: EEG must be in one known unit of volts, got {sorted(units)}")
    if len(names) != count or not all(names):
        names = [f"ch{i + 1}" for i in range(count)]
    return tuple(canonical(name) for name in names), TO_UV[units.pop()]


def even_grid(path: Path, times_s: FloatArray, samples: FloatArray, rate_hz: float) -> FloatArray:
    """Samples (n_channels, n) put where their times say; NaN between them. Raises ``UnknownSourceError``."""
    if rate_hz <= 0:
        raise UnknownSourceError(f"{path}: the sampling rate must lie inside 50..20000 Hz, got {rate_hz:g}")
    usable = np.isfinite(times_s)
    times_s, samples = times_s[usable], samples[:, usable]
    if not len(times_s) or (np.diff(times_s) < 0).any():
        raise UnknownSourceError(f"{path}: time stamps must rise")
    places = np.round((times_s - times_s[0]) * rate_hz)
    if places[-1] > MAX_HOURS * 3600 * rate_hz:
        hours = (times_s[-1] - times_s[0]) / 3600
        raise UnknownSourceError(f"{path}: a recording may span {MAX_HOURS:g} h at most, got {hours:.1f} h")
    check_samples(path, len(samples), int(places[-1]) + 1)
    even = np.full((len(samples), int(places[-1]) + 1), np.nan)
    even[:, places.astype(np.int64)] = samples
    return even
