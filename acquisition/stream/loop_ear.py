"""Hears a source's samples on an event loop: no thread has to wake for each chunk."""

from __future__ import annotations

import asyncio

from acquisition.port import WakesLoop
from acquisition.signal import EegChunk


class LoopEar:
    """Listens on the loop that runs. Close it before the source is used otherwise, or closed."""

    def __init__(self, source: WakesLoop) -> None:
        self._source, self._descriptor = source, source.fileno()
        self._loop = asyncio.get_running_loop()
        self._wanted: asyncio.Future[EegChunk | None] | None = None
        self._listens = False

    async def hear(self, patience_s: float) -> EegChunk | None:
        """The next samples; None when something else has come, or nothing within so many seconds."""
        self._wanted = wanted = self._loop.create_future()
        late = self._loop.call_later(patience_s, self._tell, None)
        if not self._listens:
            self._listens = True
            self._loop.add_reader(self._descriptor, self._readable)
        try:
            chunk: EegChunk | None = await wanted
            return chunk
        finally:
            late.cancel()
            self._wanted = None

    def close(self) -> None:
        """Listen no more."""
        if self._listens:
            self._listens = False
            self._loop.remove_reader(self._descriptor)

    def _readable(self) -> None:
        if self._wanted is None or self._wanted.done():
            self.close()  # who is busy finds it waiting
        else:
            self._tell(self._source.take())

    def _tell(self, chunk: EegChunk | None) -> None:
        if self._wanted is not None and not self._wanted.done():
            self._wanted.set_result(chunk)
