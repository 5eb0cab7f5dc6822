"""All outputs of a session at once: opens them, writes to each, and tries again every 10 s what is lost."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Sequence
from typing import Literal

from player.deck import PcmBlock
from player.sink import LEAD_S, Pacer, Sink, SinkError, TitledSink

RETRY_S = 10.0
DEVICE_S = 0.06
"""What a device has taken already and not yet played: two of its periods."""

log = logging.getLogger(__name__)


class KeptSink:
    """One output that may come and go. Opening and closing happen in a thread of its own."""

    def __init__(self, sink: Sink, retry_s: float = RETRY_S) -> None:
        self.sink = sink
        self.live = False
        self.problem: str | None = None
        self._retry_s = retry_s
        self._stopping = threading.Event()
        self._lost = threading.Event()
        self._tried = threading.Event()
        self._turning = threading.Lock()
        self._lost.set()
        self._thread = threading.Thread(target=self._run, name="sink", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._close()
            try:
                self.sink.open()
            except Exception as error:  # noqa: BLE001 - a driver may raise anything; the music goes on
                problem = self._words(error)
                if self.problem != problem:
                    log.warning("%s; trying again every %.0f s", problem, self._retry_s)
                self.problem = problem
                self._tried.set()
                self._stopping.wait(self._retry_s)
                continue
            if self.problem is not None:
                log.warning("%s is back", self.sink.name)
            self._turn(live=True, problem=None)
            self._tried.set()
            self._lost.wait()
        # in this thread and no other: one that was still being opened when everything ended is closed, too
        self._close()

    def _turn(self, *, live: bool, problem: str | None) -> None:
        """From lost to live or back, as one step: who sees no problem finds it live."""
        with self._turning:
            live = live and not self._stopping.is_set()
            if live:
                self._lost.clear()
            self.live = live
            self.problem = problem
            if not live:
                self._lost.set()

    def wait_tried(self, timeout_s: float) -> None:
        """Wait until the first attempt to open has succeeded or failed."""
        self._tried.wait(timeout_s)

    def write(self, block: PcmBlock, wait: bool) -> bool:
        """True if the output took the block (n, 2)."""
        if not self.live:
            return False
        try:
            self.sink.write(block, wait)
        except Exception as error:  # noqa: BLE001 - as above
            problem = self._words(error)
            log.warning("%s", problem)
            self._turn(live=False, problem=problem)
            return False
        self._note(getattr(self.sink, "problem", None))
        return True

    def _note(self, problem: str | None) -> None:
        """What is wrong with an output that takes sound all the same: that nobody reads it, for one."""
        if problem == self.problem:
            return
        if problem is None:
            log.warning("%s is heard again", self.sink.name)
        else:
            log.warning("%s", problem)
        self._turn(live=True, problem=problem)

    def _words(self, error: Exception) -> str:
        """One line for a person; what nobody foresaw is also told in full, once in a row."""
        if isinstance(error, SinkError):
            return str(error)
        words = f"{self.sink.name}: {type(error).__name__}: {error}"[:200]
        if words != self.problem:
            log.error("%s broke down", self.sink.name, exc_info=error)
        return words

    def _close(self) -> None:
        with contextlib.suppress(Exception):
            self.sink.close()

    def close(self, patience_s: float = 1.0) -> None:
        """Close; an output that hangs is left behind."""
        self._stopping.set()
        self._turn(live=False, problem=self.problem)
        self._thread.join(patience_s)


class Outputs:
    """The first live device paces, the others take what comes; without any a clock paces: music goes on."""

    def __init__(
        self, sinks: Sequence[Sink], *, pacer: Pacer | None = None, retry_s: float = RETRY_S
    ) -> None:
        self._kept = [KeptSink(sink, retry_s) for sink in sinks]
        self._pacer = pacer or Pacer()
        self._names = ", ".join(sink.name for sink in sinks)

    @property
    def name(self) -> str:
        """The names of all outputs."""
        return ", ".join(kept.sink.name for kept in self._kept) or self._names

    @property
    def degraded(self) -> tuple[str, ...]:
        """One reason for each output that is not there, or that nobody hears."""
        reasons = []
        for kept in self._kept:
            if kept.problem is not None:
                lost = "no_audio_device" if kept.sink.paces else "output_lost"
                word = "output_unheard" if kept.live else lost
                reasons.append(f"{word}: {kept.problem}")
        return tuple(reasons)

    def count(self, what: Literal["underruns", "dropped_frames"]) -> int:
        """The sum over those outputs that count such a thing."""
        return sum(getattr(kept.sink, what, 0) for kept in self._kept)

    def wait_ready(self, timeout_s: float) -> None:
        """Wait until each has been tried once, so that the first note is not lost."""
        until_s = time.monotonic() + timeout_s
        for kept in self._kept:
            kept.wait_tried(max(0.0, until_s - time.monotonic()))

    def write(self, block: PcmBlock) -> None:
        """Hand the block (n, 2) to every output and keep real time."""
        paced = False
        for kept in self._kept:
            if kept.write(block, wait=not paced) and kept.sink.paces:
                paced = True
        if paced:
            self._pacer.forget()
        else:
            self._pacer.wait(len(block))

    def set_title(self, title: str) -> None:
        """Tell those outputs that show it what sounds."""
        for kept in self._kept:
            if isinstance(kept.sink, TitledSink):
                kept.sink.set_title(title)

    def drain(self) -> None:
        """Let a device play what it was given: the end of a fade, for one."""
        if any(kept.live and kept.sink.paces for kept in self._kept):
            time.sleep(LEAD_S + DEVICE_S)

    def close(self) -> None:
        """Close all of them."""
        for kept in self._kept:
            kept.close()
