"""Drivers that fail in every way a native one can. They pass the sources' contract when told to behave."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acquisition.port import AbsentError, SourceError
from acquisition.signal import EegChunk, StreamInfo

CHANNELS = ("TP9", "AF7", "AF8", "TP10")
RATE_HZ = 256.0


@dataclass
class FakeDriver:
    """``misdeed`` happens after ``after_s`` of good data, in the first ``lives`` lives of the driver.

    The lives are counted in ``diary``, one line each, so that they can be counted from outside the process.
    """

    diary: Path
    misdeed: str = "none"
    after_s: float = 1.0
    lives: int = 1

    def open(self) -> StreamInfo:
        with self.diary.open("a") as file:
            file.write(f"{os.getpid()}\n")
        self._life = len(self.diary.read_text().splitlines())
        self._bad = self.misdeed if self._life <= self.lives else "none"
        if self._bad == "hang_open":
            time.sleep(1e6)
        if self._bad == "refuse":
            raise SourceError("source: the fake board refuses")
        if self._bad == "absent":
            raise AbsentError("source: no fake board is there")
        self._begin_s, self._sent = time.monotonic(), 0
        return StreamInfo("fake", "fake board", CHANNELS, RATE_HZ, identity="fake")

    def poll(self, timeout_s: float) -> EegChunk | None:
        bad = self._bad if time.monotonic() - self._begin_s > self.after_s else "none"
        if bad == "silent":
            time.sleep(timeout_s)
            return None
        if bad == "hang_poll":
            time.sleep(1e6)
        if bad == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if bad == "odd_rows":
            return EegChunk(np.zeros((9, 16)), np.arange(16) / RATE_HZ + time.monotonic())
        if bad == "same":
            time.sleep(0.02)
            return self._chunk(0, 64)
        due = int((time.monotonic() - self._begin_s) * RATE_HZ)
        if due <= self._sent:
            time.sleep(min(timeout_s, 0.02))
            return None
        chunk = self._chunk(self._sent, due)
        self._sent = due
        return chunk

    def close(self) -> None:
        return None

    def _chunk(self, begin: int, end: int) -> EegChunk:
        index = np.arange(begin, end, dtype=np.float64)
        return EegChunk(np.stack([index + row for row in range(4)]), 1000 * self._life + index / RATE_HZ)
