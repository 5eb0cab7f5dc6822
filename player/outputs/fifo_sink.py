"""Writes 16-bit samples into a named pipe, as Snapcast reads them for several rooms."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

import numpy as np

from player.deck import PcmBlock
from player.sink import SinkError

PIPE_BYTES = 1 << 16


class FifoSink:
    """Stereo, 16 bit, 48 kHz, little-endian: ``source = pipe:///path?sampleformat=48000:16:2``.

    Without a reader, or with one that is too slow, whole frames are dropped and counted: music never waits
    for a room that is not there.
    """

    paces = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pipe: int | None = None
        self._rest = b""
        self.dropped_frames = 0
        self._rng = np.random.default_rng(0)

    @property
    def name(self) -> str:
        """``fifo:`` and the pipe's name."""
        return f"fifo:{self._path.name}"

    def open(self) -> None:
        """Make the pipe if it is not there. Raises SinkError if something else has its name."""
        try:
            with contextlib.suppress(FileExistsError):
                os.mkfifo(self._path, 0o660)
            if not stat.S_ISFIFO(self._path.stat().st_mode):
                raise SinkError(f"{self._path}: is no named pipe; remove it or choose another name")
        except OSError as error:
            raise SinkError(f"{self._path}: no pipe can be made ({error.strerror})") from error

    def write(self, block: PcmBlock, wait: bool = True) -> None:
        """Hand over of (n, 2) what the reader has room for; never waits."""
        if self._pipe is None and not self._connect():
            self.dropped_frames += len(block)
            return
        if len(self._rest) > PIPE_BYTES:
            self.dropped_frames += len(block)
        else:
            self._rest += to_16_bit(block, self._rng)
        try:
            while self._rest and self._pipe is not None:
                sent = os.write(self._pipe, self._rest)
                self._rest = self._rest[sent:]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._disconnect()
        except OSError as error:
            self._disconnect()
            raise SinkError(f"{self._path}: {error.strerror}") from error

    def _connect(self) -> bool:
        try:
            self._pipe = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return False
            raise SinkError(f"{self._path}: {error.strerror}") from error
        return True

    def _disconnect(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
        self._pipe, self._rest = None, b""

    def close(self) -> None:
        """Let the reader see the end; the pipe itself stays for the next time."""
        self._disconnect()


def to_16_bit(block: PcmBlock, rng: np.random.Generator) -> bytes:
    """Little-endian shorts of (n, 2) with triangular dither, so that fades do not end in distortion."""
    noise = rng.random(block.shape, dtype=np.float32) - rng.random(block.shape, dtype=np.float32)
    return np.clip(np.rint(block * 32767.0 + noise), -32768, 32767).astype("<i2").tobytes()
