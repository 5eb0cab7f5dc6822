"""A child's own time: it stands still while others have the processors, and runs while the child is stuck."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from acquisition.isolation.child_clock import MAX_STEP_S, ChildClock, IdleClock, communicate
from support.busy_machine import busy
from support.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the figures are Linux's")

WORK = "import time\nwhile time.process_time() < {cpu_s}: pass"
THREADS = (
    "import threading\n"
    "for n in range(6): threading.Thread(target=lambda: [hash(n) for n in iter(int, 1)]).start()"
)


@contextlib.contextmanager
def child(code: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def own_and_wall_s(clock: ChildClock, until_s: float) -> tuple[float, float]:
    """What both clocks say after so long on the wall."""
    began_s, own_s = time.monotonic(), clock()
    while time.monotonic() - began_s < until_s:
        time.sleep(0.1)
        clock()
    return clock() - own_s, time.monotonic() - began_s


def test_it_runs_while_a_child_sleeps_or_is_stopped() -> None:
    with child("import time; time.sleep(100)") as process:
        clock = ChildClock(process.pid)
        own_s, wall_s = own_and_wall_s(clock, 1.0)
        assert own_s > 0.5 * wall_s
        os.kill(process.pid, signal.SIGSTOP)
        own_s, wall_s = own_and_wall_s(clock, 1.0)
        assert own_s > 0.8 * wall_s


def test_the_idle_clock_runs_while_a_child_waits_and_stands_while_it_works_or_is_stopped() -> None:
    with child("import sys; sys.stdin.read(1)\nwhile True: pass") as process:
        wait_until(lambda: "\nState:\tS" in Path(f"/proc/{process.pid}/status").read_text(), "it reads")
        idle_s = IdleClock(process.pid)
        wait_until(lambda: idle_s() > 1.0, "it waits")
        os.kill(process.pid, signal.SIGSTOP)
        wait_until(lambda: "\nState:\tT" in Path(f"/proc/{process.pid}/status").read_text(), "it stands")
        own_and_wall_s(idle_s, 0.3)  # it ran to be stopped
        assert own_and_wall_s(idle_s, 0.5)[0] == 0.0
        os.kill(process.pid, signal.SIGCONT)
        assert process.stdin is not None
        process.stdin.write(b"x")
        process.stdin.flush()
        wait_until(lambda: idle_s() == 0.0, "it works")
        assert own_and_wall_s(idle_s, 0.5)[0] == 0.0


def test_it_runs_while_a_child_spins_on_more_threads_than_there_are_processors() -> None:
    with child(THREADS) as process:
        wait_until(lambda: len(list(Path(f"/proc/{process.pid}/task").iterdir())) > 6, "its threads")
        own_s, wall_s = own_and_wall_s(ChildClock(process.pid), 2.0)
        assert own_s > 0.1 * wall_s, "it would never be called hung"


@pytest.mark.timeout(200)
def test_a_child_that_works_on_a_busy_machine_is_given_the_time_that_it_needs() -> None:
    """With a wall clock of the same patience it is lost: a second of work takes fifteen there."""
    with busy(30), child(WORK.format(cpu_s=1.0)) as process:
        began_s = time.monotonic()
        assert communicate(process, 4.0) == (b"", b"")
        assert process.returncode == 0
        if time.monotonic() - began_s < 4.0:
            pytest.skip("this machine has so many processors that thirty programs do not keep it busy")


def test_a_child_that_hangs_is_killed_in_time_on_a_quiet_machine() -> None:
    with child("import time; time.sleep(100)") as process:
        with pytest.raises(subprocess.TimeoutExpired):
            communicate(process, 0.5)
        assert process.returncode == -signal.SIGKILL


def test_who_was_asleep_itself_blames_nobody() -> None:
    now_s = [100.0]
    with child("import time; time.sleep(100)") as process:
        clock = ChildClock(process.pid, lambda: now_s[0])
        now_s[0] += 3600.0
        assert clock() <= MAX_STEP_S
        now_s[0] -= 50.0
        assert clock() <= MAX_STEP_S


def test_of_a_process_that_is_gone_the_walls_time_is_told() -> None:
    now_s = [0.0]
    with child("pass") as process:
        process.wait()
    clock = ChildClock(process.pid, lambda: now_s[0])
    now_s[0] = 0.5
    assert clock() == 0.5
