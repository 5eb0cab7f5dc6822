"""A clock that runs only while a process could have run: by it, a child is judged to hang or not.

Wall time says nothing on a busy machine: with thirty programs on two cores a healthy child needs fifteen
seconds for one second of work. So what its threads waited for a processor, or for a disk, is not counted. One
that is stopped, deadlocked or asleep waits for neither, and all time counts; one that spins counts while it
has a processor (docs/decisions/0094-a-child-is-judged-by-its-own-time.md).
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

MAX_STEP_S = 1.0
"""Most that one look counts: whoever looked away longer was starved, stopped or asleep itself, and so perhaps
was the child. Look several times a second."""
LOOK_S = 0.2
NS = 1e-9
WAITS_FOR_DISK = "D"


class ChildClock:
    """Seconds in which the process ``pid`` could have run since this was made; never runs backwards.

    ``wall`` is monotonic. Without Linux's figures (another system, a process that is gone) its time is told.
    """

    def __init__(self, pid: int, wall: Callable[[], float] = time.monotonic) -> None:
        self._folder = Path("/proc") / str(pid)
        self._wall = wall
        self._looked_s = wall()
        self._threads = self._read()
        self._seconds = 0.0

    def __call__(self) -> float:
        """The time now, in seconds."""
        now_s, threads = self._wall(), self._read()
        passed_s = now_s - self._looked_s
        ran_s = waited_s = 0.0
        for thread, (ran, waited) in threads.items():
            ran_before, waited_before = self._threads.get(thread, (0.0, 0.0))
            ran_s, waited_s = ran_s + ran - ran_before, waited_s + waited - waited_before
        if self._waits_for_disk():
            waited_s = passed_s
        # several threads that spin wait for each other, too: what they have run counts in any case
        could_run_s = max(passed_s - waited_s, ran_s)
        self._seconds += max(0.0, min(could_run_s, passed_s, MAX_STEP_S))
        self._looked_s, self._threads = now_s, threads
        return self._seconds

    def _read(self) -> dict[str, tuple[float, float]]:
        """Thread -> seconds it has run, and seconds it was ready and had no processor (schedstat)."""
        found = {}
        try:
            threads = [path.name for path in (self._folder / "task").iterdir()]
        except OSError:
            return {}
        for thread in threads:
            try:
                ran, waited, *_ = (self._folder / "task" / thread / "schedstat").read_text().split()
                found[thread] = (int(ran) * NS, int(waited) * NS)
            except (OSError, ValueError):  # it has ended meanwhile, or this kernel does not count
                continue
        return found

    def _waits_for_disk(self) -> bool:
        try:
            stat = (self._folder / "stat").read_text(errors="replace")
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[:1] == [WAITS_FOR_DISK]


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
