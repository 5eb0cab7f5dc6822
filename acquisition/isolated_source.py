"""Runs a source in a child process: a driver that hangs or crashes is killed, and nothing else notices.

The child polls the source and writes chunks to a pipe. The operating system's buffer bounds what waits:
when the parent does not read, the child stops polling, and the source's own ring drops the oldest samples.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Literal

import numpy as np

from acquisition.port import (
    MAX_POLL_S,
    EegSource,
    EndOfStream,
    IncompatibleStreamError,
    SourceError,
    UnknownSourceError,
)
from acquisition.signal import EegChunk, StreamInfo

OPEN_S = 20.0
CLOSE_S = 1.0
HEARTBEAT_S = 0.5
HUNG_S = 4.0

Message = tuple[Literal["info", "chunk", "beat", "end", "error"], object]
_ERRORS: dict[str, type[SourceError]] = {
    error.__name__: error for error in (SourceError, UnknownSourceError, IncompatibleStreamError)
}


class IsolatedSource:
    """Stands for the source that ``make`` builds inside the child. ``make`` must be picklable."""

    def __init__(self, make: Callable[[], EegSource], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._make, self._clock = make, clock
        self._child: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._heard_s = 0.0

    @property
    def pid(self) -> int | None:
        """The child's process number, while there is one."""
        return self._child.pid if self._child is not None else None

    def open(self) -> StreamInfo:
        """Start the child and wait for its stream. Raises ``SourceError``; a hung driver is killed."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        self._child = context.Process(target=_serve, args=(self._make, theirs, os.getpid()), daemon=True)
        self._child.start()
        theirs.close()
        self._pipe = ours
        deadline_s = self._clock() + OPEN_S
        while self._clock() < deadline_s:
            message = self._receive(MAX_POLL_S)
            if message is not None and message[0] == "info" and isinstance(message[1], StreamInfo):
                self._heard_s = self._clock()
                return message[1]
        self.close()
        raise SourceError(f"source: the driver did not open within {OPEN_S:g} s and was stopped")

    def poll(self, timeout_s: float) -> EegChunk | None:
        """The next chunk. Raises ``SourceError`` when the child is dead or has hung."""
        if self._pipe is None:
            return None
        message = self._receive(min(timeout_s, MAX_POLL_S))
        if message is None:
            if self._clock() - self._heard_s > HUNG_S:
                self.close()
                raise SourceError(f"source: the driver has said nothing for {HUNG_S:g} s and was stopped")
            return None
        self._heard_s = self._clock()
        return message[1] if isinstance(message[1], EegChunk) else None

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
        child.close()

    def _receive(self, timeout_s: float) -> Message | None:
        pipe = self._pipe
        if pipe is None:
            return None
        try:
            if not pipe.poll(timeout_s):
                return None
            message: Message = pipe.recv()
        except (EOFError, OSError) as error:
            code = self._child.exitcode if self._child is not None else None
            self.close()
            raise SourceError(f"source: the driver's process died (exit code {code})") from error
        if message[0] == "end":
            raise EndOfStream
        if message[0] == "error":
            name, text = message[1] if isinstance(message[1], tuple) else ("", str(message[1]))
            self.close()
            raise _ERRORS.get(name, SourceError)(text)
        return message


def _serve(make: Callable[[], EegSource], pipe: Connection, parent: int) -> None:
    """The child's whole life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source: EegSource | None = None
    with contextlib.suppress(BrokenPipeError, OSError):
        try:
            source = make()
            pipe.send(("info", source.open()))
            _pump(source, pipe, parent)
        except EndOfStream:
            pipe.send(("end", None))
        except SourceError as error:
            pipe.send(("error", (type(error).__name__, str(error))))
        except Exception as error:  # noqa: BLE001 - a driver may raise anything; the parent must hear of it
            pipe.send(("error", ("SourceError", f"source: {type(error).__name__}: {error}")))
    if source is not None:
        source.close()


def _pump(source: EegSource, pipe: Connection, parent: int) -> None:
    beat_s = time.monotonic()
    while os.getppid() == parent:
        chunk = source.poll(MAX_POLL_S)
        now_s = time.monotonic()
        if chunk is not None and chunk.samples_uv.shape[1]:
            pipe.send(("chunk", _plain(chunk)))
            beat_s = now_s
        elif now_s - beat_s > HEARTBEAT_S:
            pipe.send(("beat", None))
            beat_s = now_s


def _plain(chunk: EegChunk) -> EegChunk:
    """A chunk whose arrays own their memory and nothing more."""
    return EegChunk(
        np.ascontiguousarray(chunk.samples_uv), np.ascontiguousarray(chunk.times_s), chunk.battery_percent
    )
