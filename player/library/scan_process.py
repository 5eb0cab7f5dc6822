"""Keeps the scanning process alive: starts it, hears it, kills it when it hangs, starts it anew."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import sqlite3
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from player.analysis.child_end import end_child

log = logging.getLogger(__name__)

POLL_S = 0.05
HUNG_S = 180.0
"""Twenty minutes of music take some 5 s to measure; a small busy machine may need ten times that."""
RESTART_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
STOP_S = 2.0
END_S = 10.0
"""The child is killed after ``STOP_S``; a machine that is busy otherwise may need longer to see it gone."""
MAX_COMMANDS = 4


class ScanEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the scanning process. ``busy`` names the file about to be opened, ``warning`` has a text."""

    kind: str
    path: str = ""
    removed: bool = False
    missing: tuple[str, ...] = ()
    text: str = ""


class ScanProcess:
    """Runs ``player.library.scan_worker`` until told to stop; reports from its own thread.

    ``on_end`` is the last that this thread calls: what the reports are written to may be closed there.
    """

    def __init__(
        self,
        cache_path: Path,
        roots: Sequence[str],
        *,
        on_event: Callable[[ScanEvent], None],
        on_crash: Callable[[str], None],
        on_end: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        hung_s: float = HUNG_S,
    ) -> None:
        self._command = [sys.executable, "-m", "player.library.scan_worker", str(cache_path), *roots]
        self._on_event = on_event
        self._on_crash = on_crash
        self._on_end = on_end
        self._clock = clock
        self._hung_s = hung_s
        # a fifth rescan asked for before the first is heard says nothing new: the oldest is dropped
        self._commands: deque[bytes] = deque(maxlen=MAX_COMMANDS)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
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
                died_on = self._one_life()
                if died_on and not self._stopping.is_set():
                    log.warning("the scan died on %s; the file is left out", died_on)
                    self._on_crash(died_on)
            except (OSError, sqlite3.Error, msgspec.DecodeError) as error:
                log.warning("the scan of the music broke off and begins anew: %s", error)
            failures = 1 if self._clock() - began_s > 60 else failures + 1
            self._stopping.wait(RESTART_S[min(failures, len(RESTART_S)) - 1])

    def _one_life(self) -> str:
        """Start the child and hear it out; returns the file it died or hung on, if any."""
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        pipe, quiet = subprocess.PIPE, subprocess.DEVNULL
        child = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, stderr=quiet, env=environment)
        self.pid = child.pid
        try:
            return self._listen(child)
        finally:
            end_child(child, STOP_S)

    def _listen(self, child: subprocess.Popen[bytes]) -> str:
        if child.stdout is None:
            raise RuntimeError("the scanning process has no pipes")
        busy, since_s, held = "", self._clock(), b""
        while not self._stopping.is_set():
            self._pass_commands(child)
            if not select.select([child.stdout], [], [], POLL_S)[0]:
                if busy and self._clock() - since_s > self._hung_s:
                    return busy
                continue
            data = os.read(child.stdout.fileno(), 65536)
            if not data:
                return busy
            *lines, held = (held + data).split(b"\n")
            for line in lines:
                event = msgspec.json.decode(line, type=ScanEvent)
                busy, since_s = event.path, self._clock()
                self._on_event(event)
        return ""

    def _pass_commands(self, child: subprocess.Popen[bytes]) -> None:
        while self._commands and child.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                child.stdin.write(self._commands.popleft())
                child.stdin.flush()
