"""Keeps the scanning process alive: starts it, hears it, kills it when it hangs, starts it anew."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from acquisition.isolation.child_clock import IdleClock
from player.children.child_end import end_child
from player.children.last_words import LastWords
from player.library.store.refusals import Refusal

log = logging.getLogger(__name__)

BEGUN = "--begun="
ALONE = "--alone"
POLL_S = 0.05
STALLED_S = 300.0
"""So long a scan that reads a file may wait without using the processor: for a dead disk, or a lock."""
RESTART_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
STOP_S = 2.0
END_S = 10.0
"""The child is killed after ``STOP_S``; a machine that is busy otherwise may need longer to see it gone."""
MAX_COMMANDS = 4
CRASHES = frozenset(
    {signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT, signal.SIGSYS}
)
"""What native code dies of by itself."""
MAX_TOLD = 50
MAX_DEATHS = 2
"""So often in one session a file is tried that the scan died at for another reason."""


class ScanEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the scanning process.

    ``busy`` names a file about to be opened, and again as a sign of life within it, ``done`` one that was
    closed; ``busy`` without a path is a sign of life where none is read. ``warning`` has a text.
    """

    kind: str
    path: str = ""
    removed: bool = False
    missing: tuple[str, ...] = ()
    text: str = ""


class ScanProcess:
    """Runs ``player.library.scan_worker`` until told to stop; reports from its own thread.

    ``on_refused`` hears of a file that the scan died at, and whose fault that was. ``on_end`` is the last
    that this thread calls: what the reports are written to may be closed there.
    """

    def __init__(
        self,
        cache_path: Path,
        roots: Sequence[str],
        *,
        on_event: Callable[[ScanEvent], None],
        on_refused: Callable[[str, Refusal], None],
        on_end: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        stalled_s: float = STALLED_S,
    ) -> None:
        # of the wall clock: what was refused before is tried again, what this session refuses is not
        begun = f"{BEGUN}{time.time()}"
        self._command = [sys.executable, "-m", "player.library.scan_worker", str(cache_path), begun, *roots]
        self._on_event = on_event
        self._on_refused = on_refused
        self._on_end = on_end
        self._clock = clock
        self._stalled_s = stalled_s
        # a fifth rescan asked for before the first is heard says nothing new: the oldest is dropped
        self._commands: deque[bytes] = deque(maxlen=MAX_COMMANDS)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._deaths: Counter[str] = Counter()
        self._open: dict[str, None] = {}
        self._alone = False
        """Of several files that were open at a death, one by one shows which it was."""
        self._stalled = False
        self.last_words = ""
        """What the scan last died of; empty again once it has come through."""
        self._told: set[str] = set()
        self.pid: int | None = None

    def start(self, delay_s: float) -> None:
        """Begin after ``delay_s``, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, args=(delay_s,), name="library", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the child within a few seconds. Safe to call twice."""
        self._stopping.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(END_S)

    def rescan(self) -> None:
        """Ask the child to look at the folders again."""
        self._commands.append(b"rescan\n")

    def _run(self, delay_s: float) -> None:
        try:
            self._stopping.wait(delay_s)
            self._live_on()
        finally:
            self._on_end()

    def _live_on(self) -> None:
        """One life of the child after another."""
        failures = 0
        while not self._stopping.is_set():
            began_s = self._clock()
            try:
                self._one_life()
            except (OSError, sqlite3.Error, msgspec.DecodeError) as error:
                self._send(f"broke off: {error}")
            failures = 1 if self._clock() - began_s > 60 else failures + 1
            self._stopping.wait(RESTART_S[min(failures, len(RESTART_S)) - 1])

    def _one_life(self) -> None:
        """Start the child, hear it out, and find out what it died of."""
        # each thread's own heap would count against the child's memory
        few = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
        command, pipe = [*self._command, *([ALONE] if self._alone else [])], subprocess.PIPE
        child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=os.environ | few)
        if child.stdout is None or child.stderr is None:
            raise RuntimeError("the scanning process has no pipes")
        self.pid = child.pid
        self._open, self._stalled = {}, False
        words = LastWords(child.stderr)
        try:
            self._listen(child, words)
            if not self._stopping.is_set() and not self._stalled:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(STOP_S)
        finally:
            end_child(child, STOP_S)
            words.read()
            child.stderr.close()
        if not self._stopping.is_set():
            self._bury(child.returncode, words.text())

    def _listen(self, child: subprocess.Popen[bytes], words: LastWords) -> None:
        """Until the child closes its output, stalls, or nobody wants to hear any more."""
        held, idle_s = b"", IdleClock(child.pid, self._clock)
        if child.stdout is None:
            raise RuntimeError("the scanning process has no pipes")
        while not self._stopping.is_set():
            self._pass_commands(child)
            words.read()
            if not select.select([child.stdout], [], [], POLL_S)[0]:
                if self._open and idle_s() > self._stalled_s:
                    self._stalled = True
                    return
                continue
            data = os.read(child.stdout.fileno(), 65536)
            if not data:
                return
            idle_s.restart()
            *lines, held = (held + data).split(b"\n")
            for line in lines:
                event = msgspec.json.decode(line, type=ScanEvent)
                if event.kind == "busy" and event.path:
                    self._open[event.path] = None
                elif event.kind == "done":
                    self._open.pop(event.path, None)
                elif event.kind == "idle":
                    self._alone, self.last_words = False, ""
                    self._told.clear()
                self._on_event(event)

    def _bury(self, status: int, words: str) -> None:
        """Tell what it died of; a file is blamed only for what is its own, and only if no other was open."""
        opened = list(self._open)
        why = self._blame(opened[0], status, words) if len(opened) == 1 else None
        self._alone = len(opened) > 1 or (self._alone and why is None)
        at = f" at {', '.join(opened)}" if opened else ""
        self._send(f"ended ({_ended_by(status)}){at}{f': {words}' if words else ''}")
        for path in opened:
            self._on_event(ScanEvent("done", path=path))
        if why is not None:
            self._on_refused(opened[0], why)

    def _blame(self, path: str, status: int, words: str) -> Refusal | None:
        """Whose fault the death at this file was; None where it may have been nobody's."""
        self._deaths[path] += 1
        if self._stalled:
            return Refusal("out_of_time", f"nothing was read for {self._stalled_s:.0f} s")
        if status == -signal.SIGXCPU:
            return Refusal("out_of_time", "its decoder did not come to an end")
        if -status in CRASHES:
            return Refusal("crashed", words or _ended_by(status))
        if self._deaths[path] >= MAX_DEATHS:
            return Refusal("fault" if status >= 0 else "crashed", words or _ended_by(status))
        return None

    def _send(self, what: str) -> None:
        """The same words are a warning once, however often the scan ends with them."""
        level = logging.DEBUG if what in self._told or len(self._told) > MAX_TOLD else logging.WARNING
        self.last_words = what
        self._told.add(what)
        log.log(level, "the scan of the music %s; it begins anew", what)

    def _pass_commands(self, child: subprocess.Popen[bytes]) -> None:
        while self._commands and child.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                child.stdin.write(self._commands.popleft())
                child.stdin.flush()


def _ended_by(status: int) -> str:
    """How a process ended, in a word."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
