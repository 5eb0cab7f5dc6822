"""Whether a child process is at work, as the kernel sees it: a stopped or starved one is not a hung one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

MOST_STEP_S = 1.0
"""Between two looks no more is counted: the machine may have slept, or this process stood still."""
WAITING = frozenset("SD")
"""States of ``/proc/PID/stat``: neither running, nor waiting for the processor, nor stopped by somebody."""


class Pulse:
    """Counts for how long a process has waited for something without using the processor at all."""

    def __init__(self, pid: int, clock: Callable[[], float]) -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        self._clock = clock
        self._looked_s = clock()
        self._ticks = ""
        self._idle_s = 0.0

    def beat(self) -> None:
        """It gave a sign of life."""
        self._idle_s = 0.0

    def idle_s(self) -> float:
        """Seconds so far; 0 where the kernel does not say."""
        now_s = self._clock()
        step_s, self._looked_s = min(MOST_STEP_S, now_s - self._looked_s), now_s
        try:
            fields = self._stat.read_text().rpartition(")")[2].split()
            state, ticks = fields[0], " ".join(fields[11:13])  # time as user, time in the kernel
        except (OSError, IndexError):
            return 0.0
        if ticks != self._ticks:
            self._idle_s = 0.0
        elif state in WAITING:
            self._idle_s += step_s
        self._ticks = ticks
        return self._idle_s
