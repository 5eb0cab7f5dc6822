"""A stretch of an open file as a file of its own, for decoders that jump about in it."""

from __future__ import annotations

import errno
import io
from typing import IO

ID3V2_HEADER = 10


class SoundView:
    """From ``start`` to the end. An impossible jump is answered, not raised.

    A broken length inside a file asks for one, and FFmpeg means to go on after it; PyAV keeps a Python
    exception and refuses the file with it.
    """

    def __init__(self, file: IO[bytes], start: int = 0) -> None:
        self._file = file
        self._start = start
        file.seek(start)
        self.read = file.read
        self.name = ""

    def tell(self) -> int:
        """The place within the stretch, in bytes."""
        return self._file.tell() - self._start

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """The new place; negative, as FFmpeg's own files answer, where there is none."""
        if whence == io.SEEK_SET:
            offset += self._start
            if offset < self._start:
                return -errno.EINVAL
        try:
            return self._file.seek(offset, whence) - self._start
        except (OSError, ValueError, OverflowError):
            return -errno.EINVAL


def id3v2_bytes(file: IO[bytes]) -> int:
    """How long an ID3v2 tag at the very beginning is, in bytes; 0 without one."""
    file.seek(0)
    head = file.read(ID3V2_HEADER)
    if len(head) < ID3V2_HEADER or head[:3] != b"ID3":
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    footer = ID3V2_HEADER if head[5] & 0x10 else 0
    return ID3V2_HEADER + size + footer
