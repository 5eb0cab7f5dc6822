"""Listens to a session from outside: the WAV that it writes, and its states by ``mosquitto_sub``."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

HEADER_BYTES = 80
BYTES_A_FRAME = 6
RATE_HZ = 48_000
TOPIC = "neuroplayer/+/emotion"
SILENT = 16
"""Of 32768, about -66 dBFS: below it there is dither and nothing else."""
MAX_TO_MUSIC_S = 5.0
MAX_GAP_MS = 20.0


def loudness(frames: bytes) -> array[int]:
    """The upper 16 bits of every sample of 24-bit stereo, left and right in turn."""
    upper = bytearray(len(frames) // 3 * 2)
    upper[0::2], upper[1::2] = frames[1::3], frames[2::3]
    samples = array("h", bytes(upper))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def loud(samples: array[int]) -> bool:
    """Whether anything can be heard."""
    return bool(samples) and (max(samples) > SILENT or min(samples) < -SILENT)


class WavFollower:
    """Notices, in its own thread, when a WAV that is being written has its first sound."""

    def __init__(self, path: Path) -> None:
        self.heard_s: float | None = None
        self._path = path
        self._over = threading.Event()
        path.unlink(missing_ok=True)
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        read = HEADER_BYTES
        while not self._over.wait(0.02):
            if not self._path.exists():
                continue
            with self._path.open("rb") as file:
                file.seek(read)
                frames = file.read()
            frames = frames[: len(frames) // BYTES_A_FRAME * BYTES_A_FRAME]
            read += len(frames)
            if loud(loudness(frames)):
                self.heard_s = time.monotonic()
                return

    def close(self) -> None:
        """Follow it no longer."""
        self._over.set()
        self._thread.join()


def length_and_gap(path: Path) -> tuple[float, float]:
    """Seconds from the first sound in a WAV to the last, and the longest silence between, in milliseconds."""
    samples = loudness(path.read_bytes()[HEADER_BYTES:]) if path.exists() else array("h")
    frames = [i // 2 for i, sample in enumerate(samples) if sample > SILENT or sample < -SILENT]
    if not frames:
        return 0.0, 0.0
    gap = max((after - before for before, after in pairwise(frames)), default=1) - 1
    return (frames[-1] - frames[0]) / RATE_HZ, max(gap, 0) * 1000 / RATE_HZ


def is_state(line: str) -> bool:
    """Whether it is a state: the embedded broker hands on what others asked for, too, such as ``online``."""
    try:
        said = json.loads(line)
    except ValueError:
        return False
    return isinstance(said, dict) and "confidence" in said


class StateListener:
    """``mosquitto_sub`` in a root and in the network of a process: counts the states of the session.

    It ends where no broker listens yet, and is started again until ``close``.
    """

    def __init__(self, command: Sequence[str], port: int) -> None:
        self.heard = 0
        self._command = [*command, "mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-t", TOPIC]
        self._over = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self._over.wait(0.2):
            self._process = subprocess.Popen(
                self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            with self._process as process:
                assert process.stdout is not None  # noqa: S101
                for line in process.stdout:
                    self.heard += is_state(line)

    def close(self) -> None:
        """Listen no longer."""
        self._over.set()
        while self._thread.is_alive():
            if self._process is not None:
                self._process.terminate()
            self._thread.join(0.2)
