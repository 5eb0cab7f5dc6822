"""Writes a WAV file of 24-bit samples that can be read at any moment, however long it gets."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import IO

import numpy as np

from player.deck import MIX_RATE_HZ, PcmBlock
from player.sink import SinkError

BYTES_A_FRAME = 6
HEADER_EVERY_FRAMES = 5 * MIX_RATE_HZ
MAX_RIFF_BYTES = 0xFFFFFFFF
HEADER_BYTES = 80
_FORMAT = struct.pack("<HHIIHH", 1, 2, MIX_RATE_HZ, MIX_RATE_HZ * BYTES_A_FRAME, BYTES_A_FRAME, 24)


class WavSink:
    """Stereo, 24 bit, 48 kHz. The header is brought up to date every 5 s; past 4 GiB it becomes RF64."""

    paces = False

    def __init__(self, path: Path, *, go_on: bool = False) -> None:
        self._path = path
        self._go_on = go_on
        self._file: IO[bytes] | None = None
        self._frames = 0
        self._noted = 0

    @property
    def name(self) -> str:
        """``wav:`` and the file's name."""
        return f"wav:{self._path.name}"

    def open(self) -> None:
        """Begin the file anew, or go on where it broke off; with ``go_on`` also with one that was there.

        Raises SinkError.
        """
        try:
            there = self._frames or (self._frames_there() if self._go_on else 0)
            # unbuffered: what could not be written is not written later, by surprise, while closing
            self._file = self._path.open("r+b" if there else "wb", buffering=0)
            self._frames = self._noted = there
            self._put(wav_header(there))
            self._file.seek(HEADER_BYTES + there * BYTES_A_FRAME)
            self._file.truncate()
        except OSError as error:
            raise SinkError(f"{self._path}: cannot be written ({error.strerror})") from error

    def _frames_there(self) -> int:
        """Whole frames in the file, as far as a killed writer got; 0 for a file of another kind."""
        try:
            with self._path.open("rb") as file:
                header = file.read(HEADER_BYTES)
        except FileNotFoundError:
            return 0
        if header[:4] not in (b"RIFF", b"RF64") or _FORMAT not in header or len(header) < HEADER_BYTES:
            return 0
        return (self._path.stat().st_size - HEADER_BYTES) // BYTES_A_FRAME

    def write(self, block: PcmBlock, wait: bool = True) -> None:
        """Append (n, 2). Raises SinkError, for example when the disk is full."""
        if self._file is None:
            raise SinkError(f"{self._path}: is not open")
        try:
            self._put(to_24_bit(block))
            self._frames += len(block)
            if self._frames - self._noted >= HEADER_EVERY_FRAMES:
                self._note()
        except OSError as error:
            raise SinkError(f"{self._path}: cannot be written ({error.strerror})") from error

    def _put(self, data: bytes) -> None:
        while data and self._file is not None:
            data = data[self._file.write(data) :]

    def _note(self) -> None:
        if self._file is None:
            return
        self._file.seek(0)
        self._put(wav_header(self._frames))
        self._file.seek(0, os.SEEK_END)
        self._noted = self._frames

    def close(self) -> None:
        """Finish the header. Raises SinkError."""
        file = self._file
        if file is None:
            return
        try:
            self._note()
        except OSError as error:
            raise SinkError(f"{self._path}: cannot be finished ({error.strerror})") from error
        finally:
            self._file = None
            file.close()


def wav_header(n_frames: int) -> bytes:
    """A header with room for the 64-bit sizes of EBU Tech 3306, which are used when 32 bits are too few."""
    data_bytes = n_frames * BYTES_A_FRAME
    riff_bytes = HEADER_BYTES - 8 + data_bytes
    large = riff_bytes > MAX_RIFF_BYTES
    sizes = struct.pack("<QQQI", riff_bytes, data_bytes, n_frames, 0) if large else bytes(28)
    return b"".join(
        (
            struct.pack(
                "<4sI4s", b"RF64" if large else b"RIFF", MAX_RIFF_BYTES if large else riff_bytes, b"WAVE"
            ),
            struct.pack("<4sI", b"ds64" if large else b"JUNK", 28) + sizes,
            struct.pack("<4sI", b"fmt ", len(_FORMAT)) + _FORMAT,
            struct.pack("<4sI", b"data", MAX_RIFF_BYTES if large else data_bytes),
        )
    )


def to_24_bit(block: PcmBlock) -> bytes:
    """Little-endian three-byte samples of (n, 2)."""
    whole = np.clip(np.rint(block.astype(np.float64) * 2.0**23), -(2**23), 2**23 - 1).astype("<i4")
    return np.ascontiguousarray(whole).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
