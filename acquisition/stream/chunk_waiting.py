"""Hears a source's samples on an event loop: no thread has to wake for each chunk."""

from __future__ import annotations

import asyncio

from acquisition.port import WakesLoop
from acquisition.signal import EegChunk


class ChunkWaiter:
    """Listens on the loop that runs. Close it before the source is used otherwise, or closed."""

    def __init__(self, source: WakesLoop) -> None:
        self._source, self._descriptor = source, source.fileno()
        self._loop = asyncio.get_running_loop()
        self._wanted: asyncio.Future[EegChunk | None] | None = None
        self._until_s = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._listens = False

    async def next(self, patience_s: float) -> EegChunk | None:
        """The next samples; None when something else has come, or nothing within so many seconds."""
        self._wanted = wanted = self._loop.create_future()
        self._until_s = self._loop.time() + patience_s
        if self._watch is None:
            self._watch = self._loop.call_at(self._until_s, self._look)
        if not self._listens:
            self._listens = True
            self._loop.add_reader(self._descriptor, self._readable)
        try:
            chunk: EegChunk | None = await wanted
            return chunk
        finally:
            self._wanted = None

    def close(self) -> None:
        """Listen no more."""
        self._ignore()
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _ignore(self) -> None:
        if self._listens:
            self._listens = False
            self._loop.remove_reader(self._descriptor)

    def _readable(self) -> None:
        if self._wanted is None or self._wanted.done():
            self._ignore()  # who is busy finds it waiting
        else:
            self._wanted.set_result(self._source.read_ready())

    def _look(self) -> None:
        """One watch for many chunks: a timer for each would cost more than the chunk's own way."""
        self._watch = None
        if self._wanted is None or self._wanted.done():
            return
        if self._loop.time() < self._until_s:
            self._watch = self._loop.call_at(self._until_s, self._look)
        else:
            self._wanted.set_result(None)
