"""A clock that runs only while a process could have run: by it, a child is judged to hang or not.

Wall time says nothing on a busy machine: with thirty programs on two cores a healthy child needs fifteen
seconds for one second of work. So what its threads waited for a processor, or for a disk, is not counted. One
that is stopped, deadlocked or asleep waits for neither, and all time counts; one that spins counts while it
has a processor (docs/decisions/0094-a-child-is-judged-by-its-own-time.md).
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

LOOK_S = 0.2
LEAST_STEP_S = 0.1
"""Who asks sooner gets the same answer: waits are booked when they are over, and what is run at ticks."""
MAX_STEP_S = 1.0
"""Most that one look counts: whoever looked away longer was starved, stopped or asleep itself, and so perhaps
was the child. Look several times a second."""
MAX_CREDIT_S = 0.2
NS = 1e-9
READY, SLEEPS, WAITS_FOR_DISK = "R", "S", "D"


@dataclass(frozen=True, slots=True)
class _Thread:
    """Seconds it has run and seconds it was ready without a processor, as booked, and its state now."""

    ran_s: float
    waited_s: float
    state: str


_NEW = _Thread(0.0, 0.0, "")


class ChildClock:
    """Seconds in which the process ``pid`` could have run since this was made; never runs backwards.

    ``wall`` is monotonic. Without Linux's figures (another system, a process that is gone) its time is told.
    """

    def __init__(self, pid: int, wall: Callable[[], float] = time.monotonic) -> None:
        self._folder = Path("/proc") / str(pid) / "task"
        self._main = str(pid)
        self._wall = wall
        self._looked_s = wall()
        self._threads = self._read()
        self._credit_s = self._seconds = 0.0

    def __call__(self) -> float:
        """The time now, in seconds."""
        now_s = self._wall()
        passed_s = now_s - self._looked_s
        if passed_s < LEAST_STEP_S:
            return self._seconds
        before, self._threads = self._threads, self._read()
        self._looked_s = now_s
        step_s = min(self._could_run_s(passed_s, before), passed_s, MAX_STEP_S)
        self._seconds += step_s
        return self._seconds

    def _could_run_s(self, passed_s: float, before: Mapping[str, _Thread]) -> float:
        """Of the time that has passed, in seconds."""
        ran_s, waited_s, waits = 0.0, self._credit_s, False
        for name, thread in self._threads.items():
            was = before.get(name, _NEW)
            ran_s += thread.ran_s - was.ran_s
            waited_s += thread.waited_s - was.waited_s
            waits |= thread.state == READY and thread.ran_s == was.ran_s
            waits |= thread.state == WAITS_FOR_DISK and name == self._main
        # a wait is booked late: what is booked beyond this step was counted in an earlier one
        self._credit_s = min(MAX_CREDIT_S, max(0.0, waited_s - passed_s))
        # several threads that spin wait for each other, too: what they have run counts in any case
        return max(ran_s, 0.0 if waits else passed_s - waited_s, 0.0)

    def _read(self) -> dict[str, _Thread]:
        """Every thread by its number (proc(5): schedstat, stat)."""
        found = {}
        try:
            names = [path.name for path in self._folder.iterdir()]
        except OSError:
            return {}
        for name in names:
            try:
                ran, waited, *_ = (self._folder / name / "schedstat").read_text().split()
                stat = (self._folder / name / "stat").read_text(errors="replace")
                state = stat.rpartition(")")[2].split()[0]
                found[name] = _Thread(int(ran) * NS, int(waited) * NS, state)
            except (OSError, ValueError, IndexError):  # it has ended meanwhile, or this kernel does not count
                continue
        return found


class IdleClock(ChildClock):
    """Seconds for which the process ``pid`` has waited for something, a dead disk or a lock, without running.

    Starts anew whenever the process runs; stands still while somebody has stopped it, or none can tell.
    """

    def restart(self) -> None:
        """The process gave a sign of life."""
        self._seconds = 0.0

    def _could_run_s(self, passed_s: float, before: Mapping[str, _Thread]) -> float:
        if any(thread.ran_s != before.get(name, _NEW).ran_s for name, thread in self._threads.items()):
            self.restart()
            return 0.0
        main = self._threads.get(self._main, _NEW)
        return passed_s if main.state in (SLEEPS, WAITS_FOR_DISK) else 0.0


def communicate(child: subprocess.Popen[bytes], patience_s: float) -> tuple[bytes, bytes]:
    """What the child says until it ends, as ``Popen.communicate`` gives it.

    Raises ``subprocess.TimeoutExpired`` once it could have run for ``patience_s`` seconds; it is then gone.
    """
    clock = ChildClock(child.pid)
    while True:
        try:
            return child.communicate(timeout=LOOK_S)
        except subprocess.TimeoutExpired:
            if clock() > patience_s:
                child.kill()
                child.communicate()
                raise
