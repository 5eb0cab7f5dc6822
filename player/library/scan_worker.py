"""The scanning process, of low priority; ends with its parent: ``player.library.scan_worker CACHE ROOT...``.

Writes one JSON object a line to standard output, and to standard error what it dies of; reads ``rescan`` from
standard input.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import resource
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

import msgspec

from player.analysis.vibenet_process import VibenetProcess, command_of
from player.children.cpu_budget import CpuBudget
from player.library.scan_process import ALONE, BEGUN, ScanEvent
from player.library.scanner import Scanner
from player.library.sounds.measuring import idle_cores
from player.library.store.track_cache import TrackCache

MAX_MEMORY_BYTES = 3 << 30
NICENESS = 15
FIRST_TRACKS = 2
REPORT_S = 1.0
SLOWEST_REPORT_S = 10.0
SIGN_S = 1.0
"""A block takes far less to decode: not each of them is told."""
POLL_S = 0.5
SETTLE_S = 0.3
WATCH_MS = 500
DEBOUNCE_MS = 800
UNWATCHED_LOOK_S = 120.0


class Worker:
    """Scans, reports, and then follows changes until its input closes."""

    def __init__(
        self, cache: TrackCache, roots: Sequence[str], out: TextIO, begun_s: float | None, threads: int
    ) -> None:
        self._out = out
        self._roots = tuple(roots)
        command = command_of()
        self._vibenet = None if command is None else VibenetProcess(command, self._warn)
        self._scanner = Scanner(
            cache,
            roots,
            self._busy,
            self._vibenet,
            begun_s,
            done=self._done,
            warn=self._warn,
            threads=threads,
        )
        self._budget = CpuBudget(threads=threads)
        self._signed_s: dict[str, float] = {}
        """Of each file that is being read: when it was last told of."""
        self._sending = threading.Lock()
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._reported_s = 0.0
        self._pause_s = REPORT_S

    def run(self, *, follow: bool) -> None:
        """Until the parent goes; or one pass, when not following changes."""
        if follow:
            threading.Thread(target=self._read_commands, name="commands", daemon=True).start()
            threading.Thread(target=self._watch, name="watch", daemon=True).start()
        self._pass(first=True)
        while follow and not self._stopping.is_set():
            if self._changed.wait(POLL_S) or self._scanner.due():
                self._stopping.wait(SETTLE_S)
                self._changed.clear()
                self._pass(first=False)

    def _pass(self, *, first: bool) -> None:
        removed = self._scanner.sync()
        missing = tuple(sorted(self._scanner.missing))
        if first:
            # a start without a cache waits for this: a track or two measured before thousands are listed
            self._scanner.read_headers()
            for _ in range(FIRST_TRACKS):
                self._scanner.measure_next()
        self._send(ScanEvent("changed", removed=removed, missing=missing))
        if first:
            _step_back()
        while not self._stopping.is_set() and self._scanner.read_headers():
            self._report(missing)
        self._send(ScanEvent("listed", missing=missing))
        self._pause_s = REPORT_S
        while not self._interrupted():
            if not self._scanner.measure_next() and self._scanner.learn_next() is None:
                self._end_vibenet()
                self._send(ScanEvent("idle", missing=missing))
                return
            self._report(missing)

    def _interrupted(self) -> bool:
        return self._stopping.is_set() or self._changed.is_set()

    def _report(self, missing: tuple[str, ...]) -> None:
        """Often at first, then at most every ten seconds: each report makes the player rebuild its list."""
        now_s = time.monotonic()
        if now_s - self._reported_s >= self._pause_s:
            self._reported_s = now_s
            self._pause_s = min(SLOWEST_REPORT_S, self._pause_s * 1.5)
            self._send(ScanEvent("changed", missing=missing))

    def _watch(self) -> None:
        """Watch the roots that are there, and begin anew when one goes or returns."""
        while not self._stopping.is_set():
            here = self._present()
            armed = False
            with contextlib.suppress(OSError, RuntimeError):
                for changes in self._changes(here):
                    if changes or not armed:
                        # what changed while the watch was being set up is found by one more look
                        armed = True
                        self._changed.set()
                    if self._present() != here:
                        break
            self._changed.set()
            # without a watcher (no root, or no more inotify watches) a look now and then has to do
            again_s = time.monotonic() + UNWATCHED_LOOK_S
            while self._present() == here and time.monotonic() < again_s:
                if self._stopping.wait(POLL_S):
                    return

    def _changes(self, here: Sequence[str]) -> Iterator[bool]:
        """True for changes, False about twice a second without any; ends at once where there is no root."""
        if not here:
            return
        # imported here: a single scan needs no watcher
        from watchfiles import watch

        for changes in watch(
            *here,
            stop_event=self._stopping,
            rust_timeout=WATCH_MS,
            yield_on_timeout=True,
            debounce=DEBOUNCE_MS,
        ):
            yield bool(changes)

    def _present(self) -> tuple[str, ...]:
        return tuple(root for root in self._roots if Path(root).exists())

    def _read_commands(self) -> None:
        for line in sys.stdin:
            if line.strip() == "rescan":
                self._changed.set()
        self._stopping.set()
        # a decoder that hangs cannot be asked to stop
        time.sleep(3)
        os._exit(0)

    def _busy(self, path: str) -> None:
        """A file is begun, another block of it was decoded, or (empty) there is life where none is read."""
        now_s = time.monotonic()
        signed_s = self._signed_s.get(path)
        if path and signed_s is None:
            self._budget.begin(path)
        elif path:
            self._budget.renew(path)
        if signed_s is None or now_s - signed_s >= SIGN_S:
            if path:
                self._signed_s[path] = now_s
            self._send(ScanEvent("busy", path=path))

    def _done(self, path: str) -> None:
        self._signed_s.pop(path, None)
        self._budget.end(path)
        self._send(ScanEvent("done", path=path))

    def _warn(self, text: str) -> None:
        self._send(ScanEvent("warning", text=text))

    def _end_vibenet(self) -> None:
        """Its memory is given back while there is nothing to ask."""
        if self._vibenet is not None:
            self._vibenet.close()

    def _send(self, event: ScanEvent) -> None:
        with self._sending:  # threads that measure say so, too
            self._out.write(msgspec.json.encode(event).decode() + "\n")
            self._out.flush()


def _step_back() -> None:
    """From here on everything else goes first: music waits for the first tracks, but not for the rest."""
    os.nice(max(0, NICENESS - os.nice(0)))


def main(arguments: Sequence[str]) -> None:
    """Entry point. Beside the cache's path and the roots, which are absolute, three options are known.

    ``--begun=SECONDS`` says when the session began; ``--once`` scans once, ``--alone`` measures one by one.
    """
    faulthandler.enable()
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    cache_path, *rest = arguments
    roots = [word for word in rest if not word.startswith("--")]
    begun = [float(word.removeprefix(BEGUN)) for word in rest if word.startswith(BEGUN)]
    cache = TrackCache(Path(cache_path))
    if cache.count(roots):
        _step_back()
    threads = 1 if ALONE in rest else idle_cores()
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        Worker(cache, roots, sys.stdout, begun[0] if begun else None, threads).run(
            follow="--once" not in rest
        )
    cache.close()


if __name__ == "__main__":
    main(sys.argv[1:])
