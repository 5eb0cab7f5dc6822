"""Reads a recorded session back, in the order in which it happened."""

from __future__ import annotations

import contextlib
import json
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from acquisition.port import UnknownSourceError
from acquisition.recording.encryption import is_encrypted, unseal
from acquisition.recording.input_file import check_file
from acquisition.recording.recovery import spans
from acquisition.recording.xdf_format import (
    FILE_HEADER,
    MAGIC,
    SAMPLES,
    STREAM_HEADER,
    XdfChunk,
    XdfError,
    XdfStream,
    parse_numeric,
    parse_ours,
    parse_stream,
    parse_text,
    samples_stream,
    walk,
)
from acquisition.signal import BoolArray, EegChunk, FloatArray, Gap, HeadsetStatus, StreamInfo


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a text stream: its name, the stream time and the text."""

    stream: str
    at_s: float
    text: str


SessionItem = HeadsetStatus | EegChunk | Gap | Line


@dataclass(frozen=True, slots=True)
class SessionHead:
    """What the recording says of itself: when it began (RFC 3339) and the settings it ran with."""

    began: str
    settings: dict[str, Any]


def is_session(path: Path) -> bool:
    """Whether this product recorded the file."""
    with path.open("rb") as file:
        begin = file.read(64 * 1024)
    return is_encrypted(begin) or (begin[:4] == MAGIC and b"<neuroplayer>" in begin)


def read_head(path: Path) -> SessionHead:
    """The settings of a recorded session. Raises ``UnknownSourceError``."""
    with _Mapped(path) as data:
        try:
            for chunk in walk(data, len(MAGIC)):
                if chunk.tag == FILE_HEADER:
                    words = parse_ours(data, chunk)
                    if words is None:
                        break
                    return SessionHead(str(words.get("began", "")), dict(words.get("settings") or {}))
        except (XdfError, TypeError, ValueError) as error:
            raise UnknownSourceError(f"{path}: damaged: {error}") from error
    raise UnknownSourceError(f"{path}: not a session recorded by neuroplayer")


def read_session(path: Path) -> Iterator[SessionItem]:
    """Everything that happened, in order. Batches that fail their checksum are left out, with a gap.

    Raises ``UnknownSourceError`` when nothing can be read.
    """
    with _Mapped(path) as data:
        reader = _Reader(path)
        for span in spans(data):
            if not span.whole:
                reader.damage()
                continue
            for chunk in walk(data[: span.end], span.begin):
                try:
                    yield from reader.read(data, chunk)
                except XdfError as error:
                    raise UnknownSourceError(f"{path}: damaged: {error}") from error
        if not reader.streams:
            raise UnknownSourceError(f"{path}: not a session recorded by neuroplayer, or its head is damaged")


class _Mapped:
    """The file in memory without being read whole; what is encrypted is opened there, and nowhere else."""

    def __init__(self, path: Path) -> None:
        self._file = check_file(path).open("rb")
        self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)

        self._path = path

    def __enter__(self) -> memoryview:
        self._view = memoryview(self._map)
        if not is_encrypted(bytes(self._view[:64])):
            return self._view
        try:
            return memoryview(unseal(self._view, self._path).plain)
        except UnknownSourceError:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        # the frames of an error that is on its way hold slices: the map is then freed with the last of them
        with contextlib.suppress(BufferError):
            self._view.release()
            self._map.close()
        self._file.close()


class _Reader:
    """Puts chunks of the feed together again from chunks of the file."""

    def __init__(self, path: Path) -> None:
        self.streams: dict[int, XdfStream] = {}
        self._path = path
        self._info: StreamInfo | None = None
        self._period_s = 0.0
        self._last_s: float | None = None
        self._damaged = False
        self._interpolated: list[int] = []

    def damage(self) -> None:
        """Some bytes could not be trusted."""
        self._damaged = True

    def read(self, data: memoryview, chunk: XdfChunk) -> Iterator[SessionItem]:
        """What one chunk of the file amounts to."""
        if chunk.tag == STREAM_HEADER:
            stream = parse_stream(data, chunk)
            self.streams[stream.number] = stream
            if stream.type == "EEG":
                self._info = self._described(stream)
                self._period_s = 1 / stream.rate_hz
        elif chunk.tag == SAMPLES:
            found = self.streams.get(samples_stream(data, chunk))
            if found is None:
                return
            if found.format == "string":
                for at_s, text in parse_text(data, chunk):
                    yield from self._line(found, at_s, text)
            elif found.type == "EEG":
                yield from self._eeg(*parse_numeric(data, chunk, found))

    def _described(self, stream: XdfStream) -> StreamInfo:
        about = stream.extra
        if not 50 <= stream.rate_hz <= 20_000:
            raise XdfError(f"a sampling rate of {stream.rate_hz:g} Hz, it must lie inside 50..20000")
        extras = about.get("extras", [])
        if not isinstance(extras, list):
            raise XdfError(f"extras must be a list, got {extras!r:.80}")
        return StreamInfo(
            str(about.get("source", f"replay:{self._path}")),
            str(about.get("device", "recording")),
            stream.channels,
            stream.rate_hz,
            simulated=bool(about.get("simulated", False)),
            identity=str(about.get("identity", "")),
            extras=tuple(map(str, extras)),
            counter_modulo=about.get("counter_modulo"),
        )

    def _eeg(self, times_s: FloatArray, samples_uv: FloatArray) -> Iterator[SessionItem]:
        if not len(times_s):
            return
        if self._damaged and self._last_s is not None:
            missing = max(0, round((float(times_s[0]) - self._last_s) / self._period_s) - 1)
            yield Gap(self._last_s, float(times_s[0]), missing, "lost")
        self._damaged = False
        self._last_s = float(times_s[-1])
        marked: BoolArray | None = None
        if self._interpolated:
            marked = np.zeros(len(times_s), dtype=np.bool_)
            marked[[i for i in self._interpolated if 0 <= i < len(times_s)]] = True
            self._interpolated = []
        yield EegChunk(samples_uv, times_s, interpolated=marked)

    def _line(self, stream: XdfStream, at_s: float, text: str) -> Iterator[SessionItem]:
        if stream.name != "SessionEvents":
            yield Line(stream.name, at_s, text)
            return
        try:
            words = json.loads(text)
            kind = words.pop("kind")
            if kind == "headset":
                yield HeadsetStatus(info=self._info, **words)
            elif kind == "gap":
                yield Gap(**words)
            elif kind == "interpolated":
                self._interpolated = [int(i) for i in words["samples"]]
            else:
                yield Line(stream.name, at_s, text)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise XdfError(f"the event {text[:80]!r}: {error}") from error
