"""Writes 16-bit samples into a named pipe, as Snapcast reads them for several rooms."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import struct
import termios
from pathlib import Path

from player.deck import PcmBlock
from player.outputs.frame_line import FRAME_BYTES, LINE_BYTES, FrameLine
from player.sink import SinkError


class FifoSink:
    """Stereo, 16 bit, 48 kHz, little-endian: ``source = pipe:///path?sampleformat=48000:16:2``.

    The pipe is held open for reading, too: a Snapcast server closes its end when it finds no writer, and
    would never meet one that looks for a reader first. Without a reader, or with one that is too slow, whole
    frames are dropped and counted: music never waits for a room that is not there.
    """

    paces = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pipe: int | None = None
        self._line = FrameLine()
        self._sent = self._taken = 0

    @property
    def name(self) -> str:
        """``fifo:`` and the pipe's name."""
        return f"fifo:{self._path.name}"

    @property
    def dropped_frames(self) -> int:
        """Frames that nobody took."""
        return self._line.dropped_frames

    @property
    def problem(self) -> str | None:
        """That nobody reads, where nobody does."""
        return f"{self._path}: nobody reads this pipe" if self._line.untaken else None

    def open(self) -> None:
        """Make the pipe if it is not there. Raises SinkError if something else has its name."""
        try:
            with contextlib.suppress(FileExistsError):
                os.mkfifo(self._path, 0o660)
            if not stat.S_ISFIFO(self._path.stat().st_mode):
                raise SinkError(f"{self._path}: is no named pipe; remove it or choose another name")
            self._pipe = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            raise SinkError(f"{self._path}: no pipe can be made ({error.strerror})") from error
        self._line.forget()
        self._line.taken()
        self._sent = self._taken = 0

    def write(self, block: PcmBlock, wait: bool = True) -> None:
        """Hand over of (n, 2) what the reader has room for; never waits.

        Raises SinkError where the pipe is not open, or is another one by now.
        """
        pipe = self._pipe
        if pipe is None:
            raise SinkError(f"{self._path}: the pipe is not open")
        self._look(pipe)
        self._line.push(block)
        try:
            self._line.send(lambda data: self._send(pipe, data))
        except OSError as error:
            raise SinkError(f"{self._path}: {error.strerror}") from error

    def _send(self, pipe: int, data: bytes) -> int:
        sent = os.write(pipe, data)
        self._sent += sent
        return sent

    def _look(self, pipe: int) -> None:
        """Whether somebody has read since the last block; else what lies in a full pipe is old, and goes."""
        taken = self._sent - _lies_in(pipe)
        if taken > self._taken:
            self._taken = taken
            self._line.taken()
        elif self._line.untaken and _lies_in(pipe) >= LINE_BYTES - FRAME_BYTES:
            self._check_place(pipe)
            with contextlib.suppress(BlockingIOError):
                gone = len(os.read(pipe, LINE_BYTES * 16))
                self._sent -= gone
                self._line.dropped_frames += gone // FRAME_BYTES
            self._line.forget()

    def _check_place(self, pipe: int) -> None:
        """Somebody may have made the pipe anew meanwhile. Raises SinkError where the old one is held."""
        try:
            same = os.path.samestat(os.fstat(pipe), self._path.stat())
        except OSError:
            same = False
        if not same:
            raise SinkError(f"{self._path}: the pipe was removed")

    def close(self) -> None:
        """Let the reader see the end; the pipe itself stays for the next time."""
        if self._pipe is not None:
            os.close(self._pipe)
        self._pipe = None


def _lies_in(pipe: int) -> int:
    """Bytes that nobody has read yet."""
    (count,) = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))
    return int(count)
