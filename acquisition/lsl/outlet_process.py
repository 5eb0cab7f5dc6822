"""Keeps a child process that offers the EEG as an LSL outlet. What it cannot take is dropped and counted."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from acquisition.isolation.frames import Frame, FrameReader, encode, info_from, info_words
from acquisition.lsl.outlet import LslOutlet
from acquisition.port import MissingPartError
from acquisition.signal import EegChunk, Gap, HeadsetStatus, StreamInfo

RESTART_S = 5.0
CLOSE_S = 1.0
READ_BYTES = 256 * 1024


class LslHost:
    """``push`` what the feed gives; never blocks and never raises. Close it at the end."""

    def __init__(
        self, name: str, scope: str = "machine", *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name, self._scope, self._clock = name, scope, clock
        self._info: StreamInfo | None = None
        self._child: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._rest = b""
        self._retry_s = -RESTART_S
        self.dropped = 0

    @property
    def pid(self) -> int | None:
        """The child's process number, while there is one."""
        return self._child.pid if self._child is not None else None

    def push(self, item: HeadsetStatus | EegChunk | Gap) -> None:
        """Send a chunk on; a description of another stream begins another outlet."""
        if isinstance(item, HeadsetStatus):
            if item.info is not None and item.info != self._info:
                self._info = item.info
                self.close()
                self._retry_s = -RESTART_S
        elif isinstance(item, EegChunk) and self._info is not None:
            if self._pipe is None and self._clock() - self._retry_s > RESTART_S:
                self._start(self._info)
            self._send(encode(Frame("chunk", chunk=EegChunk(item.samples_uv, item.times_s))))

    def close(self) -> None:
        """End the outlet."""
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.close()
        child, self._child = self._child, None
        if child is not None:
            child.join(CLOSE_S)
            if child.is_alive():
                child.kill()
                child.join(CLOSE_S)
            if child.exitcode is not None:
                child.close()

    def _start(self, info: StreamInfo) -> None:
        self._retry_s = self._clock()
        context = multiprocessing.get_context("spawn")
        theirs, ours = context.Pipe(duplex=False)
        self._child = context.Process(target=_offer, args=(theirs, self._name, self._scope), daemon=True)
        self._child.start()
        theirs.close()
        os.set_blocking(ours.fileno(), False)
        self._pipe, self._rest = ours, b""
        self._send(encode(Frame("info", info_words(info))))

    def _send(self, frame: bytes) -> None:
        """As much as the pipe takes; a frame is dropped whole or sent whole."""
        if self._pipe is None:
            return
        try:
            while self._rest:
                self._rest = self._rest[os.write(self._pipe.fileno(), self._rest) :]
            self._rest = frame[os.write(self._pipe.fileno(), frame) :]
        except BlockingIOError:
            self.dropped += 1
        except OSError:
            self._retry_s = self._clock()
            self.close()


def _offer(pipe: Connection, name: str, scope: str) -> None:
    """The child's whole life: until the parent closes the pipe."""
    reader = FrameReader()
    outlet: LslOutlet | None = None
    while data := os.read(pipe.fileno(), READ_BYTES):
        reader.feed(data)
        while (frame := reader.pop()) is not None:
            if frame.kind == "info":
                try:
                    outlet = LslOutlet(name, info_from(frame.words), scope)
                except MissingPartError as error:  # what comes is read on, so that nobody begins this anew
                    sys.stderr.write(f"engine: no EEG is offered: {error}\n")
            elif frame.chunk is not None and outlet is not None:
                outlet.push(frame.chunk)
