"""Runs a source in a child process: a driver that hangs or crashes is killed, and nothing else notices.

The child polls the source and writes frames to a pipe. The operating system's buffer bounds what waits:
when the parent does not read, the child stops polling, and the source's own ring drops the oldest samples.
A device that is not there is looked for inside the child, without a new process for every look.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import select
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from acquisition.isolation.child_clock import ChildClock
from acquisition.isolation.driver_child import Previous, serve
from acquisition.isolation.frames import Frame, FrameError, FrameReader, info_from
from acquisition.port import (
    MAX_POLL_S,
    AbsentError,
    EegSource,
    EndOfStream,
    IncompatibleStreamError,
    SourceError,
    UnknownSourceError,
)
from acquisition.signal import EegChunk, StreamInfo

OPEN_S = 25.0
"""A driver that says nothing for so long while it opens is killed (a Bluetooth scan takes 15 s). This and the
following are of the child's own time: what it waits for a processor is not held against it."""
CLOSE_S = 1.0
HUNG_S = 4.0
"""A child beats twice a second."""
READ_BYTES = 64 * 1024
"""A pipe holds no more."""

_ERRORS: dict[str, type[SourceError]] = {
    error.__name__: error for error in (SourceError, AbsentError, UnknownSourceError, IncompatibleStreamError)
}


class IsolatedSource:
    """Stands for the source that ``make`` builds inside the child. ``make`` must be picklable."""

    def __init__(
        self,
        make: Callable[[], EegSource],
        *,
        clock: Callable[[], float] = time.monotonic,
        open_s: float = OPEN_S,
    ) -> None:
        self._make, self._wall, self._open_s = make, clock, open_s
        self._clock = clock
        self._child: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._ready = select.poll()
        self._frames = FrameReader()
        self._previous: Previous = None
        self._silent_from_s: float | None = None
        self.absence = ""

    @property
    def pid(self) -> int | None:
        """The child's process number, while there is one."""
        return self._child.pid if self._child is not None else None

    def resume(self, previous: StreamInfo, silent_s: float, last_stamp_s: float) -> None:
        """What was open before, for the source inside the child."""
        self._previous = (previous, silent_s, last_stamp_s)

    def open(self) -> StreamInfo:
        """Start the child and wait for its stream. Raises ``SourceError``, also when the device is absent."""
        self.begin()
        while True:
            info = self.opened(MAX_POLL_S)
            if info is not None:
                return info
            if self.absence:
                self.close()
                raise AbsentError(self.absence)

    def begin(self) -> None:
        """Start the child."""
        self.close()
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        arguments = (self._make, theirs, os.getpid(), self._previous)
        self._child = context.Process(target=serve, args=arguments, daemon=True)
        self._child.start()
        theirs.close()
        os.set_blocking(ours.fileno(), False)
        self._pipe, self._frames, self.absence = ours, FrameReader(), ""
        self._ready = select.poll()
        self._ready.register(ours.fileno(), select.POLLIN)
        if self._child.pid is not None:
            self._clock = ChildClock(self._child.pid, self._wall)
        self._silent_from_s = None

    def opened(self, timeout_s: float) -> StreamInfo | None:
        """The stream once the child has it. Raises ``SourceError``; a hung driver is killed."""
        frame = self._receive(min(timeout_s, MAX_POLL_S), self._open_s)
        if frame is None:
            return None
        if frame.kind == "info":
            return info_from(frame.words)
        if frame.kind == "beat":
            self.absence = str(frame.words.get("absent", ""))
        return None

    def poll(self, timeout_s: float) -> EegChunk | None:
        """The next chunk. Raises ``SourceError`` when the child is dead or has hung."""
        frame = self._receive(min(timeout_s, MAX_POLL_S), HUNG_S)
        return None if frame is None else frame.chunk

    def waiting(self) -> bool:
        """Whether the child has sent something that was not taken yet."""
        return bool(self._frames) or (self._pipe is not None and bool(self._ready.poll(0)))

    def fileno(self) -> int:
        """The pipe from the child. Raises ``SourceError`` when there is none."""
        if self._pipe is None:
            raise SourceError("source: the driver's process is not running")
        return self._pipe.fileno()

    def read_ready(self) -> EegChunk | None:
        """The next chunk, if that is what the child has sent."""
        with contextlib.suppress(OSError, FrameError):  # poll meets them again, and tells of them
            if not self._frames and self._pipe is not None:
                self._frames.feed(os.read(self._pipe.fileno(), READ_BYTES))
        if self._frames.next_kind != "chunk":
            return None
        frame = self._frames.pop()
        self._silent_from_s = None
        return None if frame is None else frame.chunk

    def close(self) -> None:
        """Stop the child: asked first, killed if it does not listen."""
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.close()
        child, self._child = self._child, None
        if child is None:
            return
        child.join(CLOSE_S / 2)
        for stop in (child.terminate, child.kill):
            if child.is_alive():
                stop()
                child.join(CLOSE_S)
        if child.exitcode is not None:
            child.close()

    def _receive(self, timeout_s: float, patience_s: float) -> Frame | None:
        if self._pipe is None:
            return None
        frame = self._frames.pop() or self._read(self._pipe, timeout_s)
        if frame is None:
            if self._silent_s() > patience_s:
                self.close()
                raise SourceError(f"source: the driver has said nothing for {patience_s:g} s and was stopped")
            return None
        self._silent_from_s = None
        if frame.kind == "end":
            raise EndOfStream
        if frame.kind == "error":
            self.close()
            kind = _ERRORS.get(str(frame.words.get("kind")), SourceError)
            raise kind(str(frame.words.get("text", "source: the driver failed")))
        return frame

    def _silent_s(self) -> float:
        """The child's time since it was first found silent. To look costs more than a chunk: only then."""
        now_s = self._clock()
        if self._silent_from_s is None:
            self._silent_from_s = now_s
        return now_s - self._silent_from_s

    def _read(self, pipe: Connection, timeout_s: float) -> Frame | None:
        """Whatever has come, without ever waiting for the rest of a frame."""
        if not self._ready.poll(1000 * timeout_s):
            return None
        data = b""
        with contextlib.suppress(BlockingIOError):
            data = os.read(pipe.fileno(), READ_BYTES)
            if not data:
                raise self._death()
        try:
            self._frames.feed(data)
        except FrameError as error:
            self.close()
            raise SourceError(f"source: the driver's process sent nonsense: {error}") from error
        return self._frames.pop()

    def _death(self) -> SourceError:
        child = self._child
        if child is not None:
            child.join(CLOSE_S)
        code = child.exitcode if child is not None else None
        self.close()
        return SourceError(f"source: the driver's process died (exit code {code})")
