"""Asks ``vibenet`` for a track's mood: a process of its own, given up after three failures."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec
import numpy as np
from numpy.typing import NDArray

from acquisition.isolation.child_clock import LOOK_S, ChildClock
from player.analysis.track_measures import LearnedMood
from player.children.child_end import end_child
from player.reading.sound_opening import open_sound
from player.reading.sound_reader import READ_RATE_HZ

VARIABLE = "NEUROPLAYER_VIBENET_PYTHON"
"""Names the interpreter of the environment that vibenet is installed in; unset or empty: it is not asked."""
WORKER = Path(__file__).with_name("vibenet_worker.py")
RATE_HZ = 16_000
"""What the network was trained on."""
EXCERPT_S = 120.0
LEAST_S = 1.0
START_S = ANSWER_S = 120.0
"""Two minutes of music take some seconds; a small machine may need ten times that. It is the worker's own
time: that in which it could have run."""
MAX_FAILURES = 3
MAX_ANSWER_BYTES = 1000
STOP_S = 2.0

Samples = NDArray[np.float32]


class VibenetError(Exception):
    """No mood came of it. The message says why, without the path."""


class VibenetStartError(VibenetError):
    """The worker does not start: no track is to blame, and ``usable`` is False from then on."""


class _Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ready: str = ""
    error: str = ""
    energy: float | None = None
    valence: float | None = None


_ANSWER = msgspec.json.Decoder(_Answer)


def command_of(environment: Mapping[str, str] = os.environ) -> list[str] | None:
    """How the worker is started; None where no interpreter is named."""
    python = environment.get(VARIABLE, "")
    # -I: the files beside the worker are no modules to it
    return [python, "-I", str(WORKER)] if python else None


def excerpt(file: IO[bytes]) -> Samples:
    """The middle two minutes at most, as 16 kHz mono of shape (n,).

    Raises UnreadableAudioError, and VibenetError for less than a second.
    """
    parts: list[Samples] = []
    left = int(EXCERPT_S * READ_RATE_HZ)
    with open_sound(file) as reader:
        reader.start_at(max(0.0, (reader.facts().duration_s - EXCERPT_S) / 2))
        for part in reader.parts(READ_RATE_HZ):
            parts.append(part[:left].mean(axis=1, dtype=np.float32))
            left -= len(parts[-1])
            if left <= 0:
                break
    samples = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    if len(samples) < LEAST_S * READ_RATE_HZ:
        raise VibenetError("is shorter than a second")
    # imported here: it costs more than a second, and hardly anybody asks vibenet
    from scipy.signal import resample_poly

    resampled: Samples = resample_poly(samples, 1, READ_RATE_HZ // RATE_HZ).astype("<f4")
    return resampled


class VibenetProcess:
    """The worker, started at the first question. ``warn`` hears once why it is asked no more."""

    def __init__(
        self, command: Sequence[str], warn: Callable[[str], None], *, answer_s: float = ANSWER_S
    ) -> None:
        self._command = list(command)
        self._warn = warn
        self._answer_s = answer_s
        self._child: subprocess.Popen[bytes] | None = None
        self._failures = 0
        self.usable = True
        """False from the third failure in a row on, and where the worker does not start."""

    def ask(self, samples: Samples) -> LearnedMood:
        """The mood of 16 kHz mono of shape (n,), in about a tenth of its length. Raises VibenetError."""
        child = self._child or self._start()
        try:
            answer = self._exchange(child, samples)
            if answer.error:
                raise VibenetError(answer.error)
            mood = _checked(answer)
        except VibenetError as error:
            self._failures += 1
            if self._failures >= MAX_FAILURES:
                self._give_up(str(error))
            raise
        self._failures = 0
        return mood

    def close(self) -> None:
        """End the worker within a few seconds. Safe to call twice."""
        child, self._child = self._child, None
        if child is not None:
            end_child(child, STOP_S)

    def _start(self) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
        try:
            self._child = subprocess.Popen(
                self._command,
                stdin=pipe,
                stdout=pipe,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env=os.environ | threads,
            )
            answer = self._answer(self._child, ChildClock(self._child.pid), START_S)
            if not answer.ready:
                raise VibenetError(answer.error or "did not say that it is ready")
        except (OSError, VibenetError) as error:
            self.close()
            self._give_up(f"{self._command[0]}: {getattr(error, 'strerror', None) or error}")
            raise VibenetStartError(str(error)) from error
        return self._child

    def _exchange(self, child: subprocess.Popen[bytes], samples: Samples) -> _Answer:
        clock = ChildClock(child.pid)
        try:
            content = memoryview(b'{"samples": %d}\n' % len(samples) + samples.astype("<f4").tobytes())
            while content:
                content = content[self._write(child, content, clock) :]
            return self._answer(child, clock, self._answer_s)
        except (OSError, VibenetError) as error:
            self.close()
            raise VibenetError(str(error)) from error

    def _write(self, child: subprocess.Popen[bytes], content: memoryview, clock: ChildClock) -> int:
        if child.stdin is None:
            raise RuntimeError("the worker has no pipes")
        while not select.select([], [child.stdin], [], LOOK_S)[1]:
            if clock() > self._answer_s:
                raise VibenetError("did not read in time")
        # at most what a pipe that is ready takes without waiting
        return os.write(child.stdin.fileno(), content[: select.PIPE_BUF])

    def _answer(self, child: subprocess.Popen[bytes], clock: ChildClock, patience_s: float) -> _Answer:
        if child.stdout is None:
            raise RuntimeError("the worker has no pipes")
        line = b""
        while not line.endswith(b"\n"):
            if not select.select([child.stdout], [], [], LOOK_S)[0]:
                if clock() > patience_s:
                    raise VibenetError("no answer in time")
                continue
            data = os.read(child.stdout.fileno(), MAX_ANSWER_BYTES)
            line += data
            if not data:
                raise VibenetError("ended without an answer")
            if len(line) > MAX_ANSWER_BYTES:
                break
        try:
            return _ANSWER.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise VibenetError("answered what is no answer") from error

    def _give_up(self, why: str) -> None:
        self.close()
        self.usable = False
        self._warn(f"vibenet is asked no more for moods: {why}; the own analysis goes on")


def _checked(answer: _Answer) -> LearnedMood:
    energy, valence = answer.energy, answer.valence
    if energy is None or valence is None or not (0 <= energy <= 1 and 0 <= valence <= 1):
        raise VibenetError(f"energy and valence must be within 0..1, got {energy} and {valence}")
    return LearnedMood(energy, valence)
