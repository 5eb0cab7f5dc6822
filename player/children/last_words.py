"""What a child process wrote to standard error before it ended: the end of it, and the line that says why."""

from __future__ import annotations

import os
import select
from typing import IO

KEPT_BYTES = 8192
MAX_CHARS = 300


class LastWords:
    """The end of what is written to a pipe."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._kept = b""

    def read(self) -> bool:
        """Take in what is there, without waiting; False at its end."""
        while select.select([self._pipe], [], [], 0)[0]:
            data = os.read(self._pipe.fileno(), 65536)
            if not data:
                return False
            self._kept = (self._kept + data)[-KEPT_BYTES:]
        return True

    def text(self) -> str:
        """One printable line: what a crash is called, else the last line; empty where nothing was said."""
        lines = [line.strip() for line in self._kept.decode("utf-8", "replace").splitlines() if line.strip()]
        if not lines:
            return ""
        fatal = [line for line in lines if line.startswith("Fatal Python error")]
        line = (fatal or lines)[-1]
        return "".join(c if c.isprintable() else " " for c in line)[:MAX_CHARS]
