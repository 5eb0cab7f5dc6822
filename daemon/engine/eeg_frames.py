"""Frames of EEG between the engine and the page or a calibration of the same machine, and their socket.

The socket is a file of the user alone (mode 0600, its folder 0700). EEG travels here and nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

MAX_FRAME_BYTES = 1 << 20
MAX_PATH_BYTES = 100
"""Linux allows 108 bytes for the path of a socket; longer ones go by way of the folder's descriptor."""
WANTS_RAW = b"r"
"""What a reader sends that wants the samples unfiltered, for a calibration; the page sends nothing."""
_LENGTH = struct.Struct(">I")


class StreamFrame(msgspec.Struct, frozen=True, kw_only=True, tag="stream"):
    """What the samples that follow belong to, at ``rate_hz``: filtered, or ``raw`` as they were measured."""

    device: str
    channels: list[str]
    rate_hz: float
    simulated: bool
    raw: bool = False


class SamplesFrame(msgspec.Struct, frozen=True, kw_only=True, tag="samples"):
    """Samples in microvolts: float32, channel by channel, ``count`` for each."""

    count: int
    data: bytes


class GapFrame(msgspec.Struct, frozen=True, kw_only=True, tag="gap"):
    """Samples are missing here."""


Frame = StreamFrame | SamplesFrame | GapFrame
_decoder: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(Frame)


def packed(frame: Frame) -> bytes:
    """The frame with its length before it."""
    body = msgspec.msgpack.encode(frame)
    return _LENGTH.pack(len(body)) + body


def unpacked(buffer: bytearray) -> Frame | None:
    """Take the first whole frame off the buffer; None while there is none. Raises ``ConnectionError``."""
    if len(buffer) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack_from(buffer)
    if length > MAX_FRAME_BYTES:
        raise ConnectionError(f"frame of {length} bytes, at most {MAX_FRAME_BYTES}")
    end = _LENGTH.size + length
    if len(buffer) < end:
        return None
    body = bytes(buffer[_LENGTH.size : end])
    del buffer[:end]
    try:
        return _decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise ConnectionError(f"the EEG socket gave no whole frame: {error}") from None


async def read_frame(reader: asyncio.StreamReader) -> Frame:
    """The next frame. Raises ``ConnectionError`` at the end and for anything that is no frame."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > MAX_FRAME_BYTES:
            raise ConnectionError(f"frame of {length} bytes, at most {MAX_FRAME_BYTES}")
        return _decoder.decode(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, msgspec.MsgspecError) as error:
        raise ConnectionError(f"the EEG socket gave no whole frame: {error}") from None


def socket_path(state_dir: str, node: str) -> Path:
    """Where the engine of a node offers its filtered EEG."""
    return Path(state_dir) / f"eeg-{node}.sock"


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[str]:
    """The path in a form short enough for a socket. Raises ``OSError`` without the folder."""
    if len(os.fsencode(path)) <= MAX_PATH_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def listening(path: Path) -> socket.socket:
    """A socket that listens at ``path``, for the user alone. Raises ``OSError`` where another engine does."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with reachable(path) as name:
        if path.exists() and _answers(name):
            raise OSError(f"another engine offers its EEG at {path}")
        path.unlink(missing_ok=True)
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            server.bind(name)
        except OSError:
            server.close()
            raise
        finally:
            os.umask(before)
    server.listen(8)
    server.setblocking(False)
    return server


def _answers(name: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.05)
        return probe.connect_ex(name) == 0


def same_user(connection: socket.socket) -> bool:
    """Whether the other end runs as this user or as root."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", credentials)
    return user in (os.getuid(), 0)
