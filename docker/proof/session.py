"""Types a command at a machine, and watches it from outside."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from listening import MAX_GAP_MS, MAX_TO_MUSIC_S, StateListener, WavFollower, length_and_gap
from machines import Machine

FIRST_LINE = "Wearer: "
"""How the view's first line begins."""
BROKER = re.compile(r"MQTT: mqtt://127\.0\.0\.1:(\d+)")
CLOSING = re.compile(r"=+ (.*\b(?:passed|failed|errors?)\b.* in .*?) =+")
INSTALL_S = 900.0
TESTS_S = 3000.0
SESSION_S = 25
ENDING_S = 60.0
ENOUGH_STATES = 3
ENOUGH_MUSIC_S = 15.0
ALONE = ("unshare", "--net", sys.executable, str(Path(__file__).with_name("alone.py")))


@dataclass
class Seen:
    """What was seen and heard of one machine. ``faults``: why it is red.

    ``busy``: how many times more programs wanted to run than there are cores, 1 to 4. A start takes as much
    longer then, so that the proof is about the product and not about what else this machine does.
    """

    to_music_s: float | None = None
    gap_ms: float | None = None
    states: int = 0
    tests: str = ""
    busy: float = 1.0
    faults: list[str] = field(default_factory=list)


class Typed:
    """A running command whose lines are kept with the time at which each was read."""

    def __init__(self, machine: Machine, line: str, log: Path, *around: str) -> None:
        self.first_s: float | None = None
        self.port: int | None = None
        self.closing = ""
        self._log = log.open("a", encoding="utf-8")
        self._log.write(f"$ {line}\n")
        self.process = subprocess.Popen(
            machine.typed(line, *around),
            cwd=machine.folder,
            env=machine.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None  # noqa: S101
        for line in self.process.stdout:
            self._log.write(line)
            self._log.flush()
            if self.first_s is None and line.startswith(FIRST_LINE):
                self.first_s = time.monotonic()
            if (found := BROKER.search(line)) is not None:
                self.port = int(found[1])
            if (found := CLOSING.search(line)) is not None:
                self.closing = found[1]

    def until(self, seconds: float, condition: object) -> bool:
        """Wait until something holds; False where the command ends first, or the time."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            if condition():  # type: ignore[operator]
                return True
            if self.process.poll() is not None:
                self._thread.join(5)
                return bool(condition())  # type: ignore[operator]
            time.sleep(0.05)
        return False

    def end(self, seconds: float, *, interrupt: bool = False) -> int | None:
        """Its exit status; None where it did not end by itself, or at Ctrl-C, in this time."""
        if interrupt and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            status = None
        self._thread.join(5)
        self._log.write(f"[exit status {status}]\n")
        self._log.close()
        return status


def states_of(typed: Typed, listener: list[str]) -> StateListener | None:
    """Somebody who hears the states of a session that has said its port."""
    if typed.port is None:
        return None
    network = ["nsenter", f"--net=/proc/{typed.process.pid}/ns/net"]
    return StateListener([*network, *listener], typed.port)


def listened(machine: Machine, line: str, log: Path, listener: list[str], seen: Seen, *around: str) -> bool:
    """A recorded session. False where it never began, which may be the install's fault."""
    wav = machine.folder / "session.wav"
    follower = WavFollower(wav)
    typed = Typed(machine, line, log, *around)
    began = typed.until(INSTALL_S, lambda: typed.first_s is not None)
    typed.until(ENDING_S, lambda: typed.port is not None)
    states = states_of(typed, listener)
    status = typed.end(SESSION_S + ENDING_S if began else 5)
    follower.close()
    if states is not None:
        states.close()
        seen.states = states.heard
    if not began:
        return False
    if follower.heard_s is not None and typed.first_s is not None:
        seen.to_music_s = max(0.0, follower.heard_s - typed.first_s)
    length_s, gap_ms = length_and_gap(wav)
    seen.gap_ms = gap_ms if length_s else None
    seen.busy = min(max(os.getloadavg()[0] / (os.cpu_count() or 1), 1.0), 4.0)
    seen.faults += faults(seen, length_s, status)
    return True


def faults(seen: Seen, length_s: float, status: int | None) -> list[str]:
    """What a recorded session lacks."""
    found = []
    if seen.to_music_s is None:
        found.append("no music")
    elif seen.to_music_s > MAX_TO_MUSIC_S * seen.busy:
        found.append(f"music after {seen.to_music_s:.1f} s")
    elif length_s < ENOUGH_MUSIC_S:
        found.append(f"only {length_s:.1f} s of music")
    if seen.gap_ms is not None and seen.gap_ms > MAX_GAP_MS:
        found.append(f"a gap of {seen.gap_ms:.0f} ms")
    if seen.states < ENOUGH_STATES:
        found.append(f"{seen.states} states heard")
    if status != 0:
        found.append("did not end" if status is None else f"exit status {status}")
    return found


def ran(machine: Machine, line: str, log: Path, listener: list[str], seen: Seen) -> bool:
    """``make run`` until states are heard, then Ctrl-C. False where it never began."""
    typed = Typed(machine, line, log)
    began = typed.until(INSTALL_S, lambda: typed.port is not None)
    states = states_of(typed, listener)
    heard = states is not None and typed.until(ENDING_S, lambda: states.heard >= ENOUGH_STATES)
    status = typed.end(ENDING_S if began else 5, interrupt=True)
    if states is not None:
        states.close()
    if began and not heard:
        seen.faults.append(f"{line}: no states heard")
    if began and status is None:
        seen.faults.append(f"{line}: Ctrl-C did not end it")
    return began


def tested(machine: Machine, line: str, log: Path, seen: Seen) -> None:
    """``make test``."""
    typed = Typed(machine, line, log)
    status = typed.end(TESTS_S)
    seen.tests = typed.closing
    if status != 0:
        seen.faults.append(f"{line}: {typed.closing or f'exit status {status}'}")
