"""Runs a feed beside a test and writes down what it says and when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from acquisition.port import EegSource
from acquisition.signal import EegChunk, Gap, HeadsetState, HeadsetStatus
from acquisition.stream.feed import Feed
from acquisition.stream.feed_settings import FeedSettings
from support.waiting import PATIENCE_S


class FeedWatch:
    """``async with FeedWatch(make) as watch: ...``"""

    def __init__(self, make: Callable[[], EegSource], settings: FeedSettings | None = None) -> None:
        self.made: list[EegSource] = []
        self.said: list[tuple[float, HeadsetStatus]] = []
        self.chunks: list[tuple[float, EegChunk]] = []
        self.gaps: list[Gap] = []
        self._make = make
        self._feed = Feed(self._made, settings=settings)
        self._task: asyncio.Task[None] | None = None

    def _made(self) -> EegSource:
        self.made.append(self._make())
        return self.made[-1]

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        async with self._feed as feed:
            async for item in feed:
                now_s = time.monotonic()
                if isinstance(item, HeadsetStatus):
                    self.said.append((now_s, item))
                elif isinstance(item, EegChunk):
                    self.chunks.append((now_s, item))
                else:
                    self.gaps.append(item)

    @property
    def states(self) -> list[HeadsetState]:
        """States in order, repetitions with other reasons left out."""
        names = [status.state for _, status in self.said]
        return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]

    @property
    def last_s(self) -> float:
        """When the newest sample came."""
        return self.chunks[-1][0] if self.chunks else 0.0

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something holds; fails when it never does, and with the feed's own error."""
        assert self._task is not None
        begin_s = time.monotonic()
        while not true():
            if self._task.done():
                self._task.result()
            assert time.monotonic() - begin_s < PATIENCE_S, f"not within {PATIENCE_S:g} s: {self.said[-3:]}"
            await asyncio.sleep(0.01)

    async def until_state(self, state: HeadsetState) -> HeadsetStatus:
        """Wait until this is said from now on, or holds already; what was said."""
        begin = max(0, len(self.said) - 1)
        await self.until(lambda: any(status.state == state for _, status in self.said[begin:]))
        return next(status for _, status in self.said[begin:] if status.state == state)

    async def until_data(self) -> None:
        """Wait for a sample newer than this call."""
        now_s = time.monotonic()
        await self.until(lambda: self.last_s > now_s)
