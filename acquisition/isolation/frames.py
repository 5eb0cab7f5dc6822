"""What travels from the child that runs a driver to its parent: frames of plain numbers and JSON.

Nothing is unpickled, and a frame that was cut short by a killed child never blocks the reader.
"""

from __future__ import annotations

import json
import math
import struct
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from acquisition.signal import EegChunk, FloatArray, StreamInfo

Kind = Literal["info", "chunk", "beat", "end", "error"]
KINDS: tuple[Kind, ...] = ("info", "chunk", "beat", "end", "error")
HEAD = struct.Struct("<IB")
CHUNK_HEAD = struct.Struct("<IIIdB")
MAX_FRAME_BYTES = 64 * 1024 * 1024


class FrameError(ValueError):
    """The bytes are no frame of ours."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One message: ``words`` for all kinds but ``chunk``."""

    kind: Kind
    words: dict[str, Any] = field(default_factory=dict)
    chunk: EegChunk | None = None


def encode(frame: Frame) -> bytes:
    """The frame as bytes."""
    if frame.kind == "chunk" and frame.chunk is not None:
        body = _chunk_bytes(frame.chunk)
    else:
        body = json.dumps(frame.words).encode()
    return HEAD.pack(len(body), KINDS.index(frame.kind)) + body


def info_words(info: StreamInfo) -> dict[str, Any]:
    """A stream's description as it travels."""
    return asdict(info)


def info_from(words: dict[str, Any]) -> StreamInfo:
    """The description that travelled. Raises ``FrameError``."""
    try:
        listed = {name: tuple(words[name]) for name in ("channels", "extras")}
        return StreamInfo(**{**words, **listed})
    except (KeyError, TypeError) as error:
        raise FrameError(f"no description of a stream: {error}") from error


class FrameReader:
    """Puts frames together from bytes as they come."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ready: deque[Frame] = deque()

    def feed(self, data: bytes) -> None:
        """Take bytes. Raises ``FrameError``."""
        self._bytes += data
        while len(self._bytes) >= HEAD.size:
            length, kind = HEAD.unpack_from(self._bytes)
            if length > MAX_FRAME_BYTES or kind >= len(KINDS):
                raise FrameError(f"a frame of kind {kind} and {length} bytes")
            if len(self._bytes) < HEAD.size + length:
                return
            body = self._bytes[HEAD.size : HEAD.size + length]
            del self._bytes[: HEAD.size + length]
            self._ready.append(_frame(KINDS[kind], body))

    def __bool__(self) -> bool:
        """Whether a whole frame waits."""
        return bool(self._ready)

    @property
    def next_kind(self) -> Kind | None:
        """Of what kind the oldest whole frame is, if there is one."""
        return self._ready[0].kind if self._ready else None

    def pop(self) -> Frame | None:
        """The oldest whole frame, if there is one."""
        return self._ready.popleft() if self._ready else None


def _frame(kind: Kind, body: bytearray) -> Frame:
    if kind == "chunk":
        return Frame(kind, chunk=_chunk_from(body))
    try:
        words = json.loads(body)
    except ValueError as error:
        raise FrameError(f"{kind}: {error}") from error
    if not isinstance(words, dict):
        raise FrameError(f"{kind}: no object")
    return Frame(kind, words)


def _chunk_bytes(chunk: EegChunk) -> bytes:
    n_channels, n_samples = chunk.samples_uv.shape
    n_extras = 0 if chunk.extras is None else len(chunk.extras)
    battery = np.nan if chunk.battery_percent is None else chunk.battery_percent
    head = CHUNK_HEAD.pack(n_channels, n_samples, n_extras, battery, chunk.counter is not None)
    arrays = [chunk.times_s, chunk.samples_uv, chunk.counter, chunk.extras]
    return head + b"".join([np.asarray(array, np.float64).tobytes() for array in arrays if array is not None])


def _chunk_from(body: bytearray) -> EegChunk:
    if len(body) < CHUNK_HEAD.size:
        raise FrameError("a chunk without a head")
    n_channels, n_samples, n_extras, battery, has_counter = CHUNK_HEAD.unpack_from(body)
    rows = 1 + n_channels + has_counter + n_extras
    if len(body) != CHUNK_HEAD.size + 8 * rows * n_samples:
        raise FrameError(f"a chunk of {n_channels} x {n_samples} samples in {len(body)} bytes")
    values: FloatArray = np.frombuffer(body, np.float64, offset=CHUNK_HEAD.size)
    table = values.reshape(rows, n_samples)
    return EegChunk(
        table[1 : 1 + n_channels],
        table[0],
        None if math.isnan(battery) else battery,
        table[1 + n_channels] if has_counter else None,
        table[rows - n_extras :] if n_extras else None,
    )
