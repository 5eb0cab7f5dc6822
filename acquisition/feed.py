"""The acquisition loop: opens the source, notices silence, reconnects for ever, and yields clean chunks.

Silence is judged by this machine's monotonic clock: drivers and liblsl raise nothing when a headset dies.
The source is used by one thread only; each step waits at most 50 ms, so that leaving is prompt.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from acquisition.port import MAX_POLL_S, EegSource, EndOfStream, HearsMusic, SourceError, UnknownSourceError
from acquisition.signal import EegChunk, Gap, HeadsetState, HeadsetStatus, StreamInfo
from acquisition.timeline import Timeline

FeedItem = HeadsetStatus | EegChunk | Gap


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """When silence gets which name, and how eagerly the source is opened again."""

    stale_s: float = 2.0
    lost_s: float = 30.0
    reopen_s: float = 4.0
    """Silence after which the source is closed and opened anew."""
    backoff_s: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
    jitter: float = 0.25


class Feed:
    """``async with Feed(make) as feed: async for item in feed: ...``

    Raises ``UnknownSourceError`` from the iteration when the very first open says that trying again
    cannot help; every later failure is a state, not an error.
    """

    def __init__(
        self,
        make: Callable[[], EegSource],
        *,
        clock: Callable[[], float] = time.monotonic,
        settings: FeedSettings | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._make, self._clock, self._sleep = make, clock, sleep
        self._settings = settings or FeedSettings()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="acquisition")
        self._rng = random.Random(0)  # noqa: S311 - jitter, no secret
        self._source: EegSource | None = None
        self._info: StreamInfo | None = None
        self._timeline: Timeline | None = None
        self._state: HeadsetState | None = None
        self._new_s = clock()
        self._poll_from_s = 0.0
        self._retry_s, self._failures = 0.0, 0
        self._ended = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    async def __aiter__(self) -> AsyncIterator[FeedItem]:
        loop = asyncio.get_running_loop()
        yield self._say("connecting")
        while not self._ended:
            for item in await loop.run_in_executor(self._thread, self.step):
                yield item

    def hear(self, valence: float | None, arousal: float | None) -> None:
        """Tell a simulated wearer what music sounds; any other source does not care."""
        source: object = self._source
        if isinstance(source, HearsMusic):
            source.hear(valence, arousal)

    def step(self) -> list[FeedItem]:
        """One turn of the loop, for at most some 50 ms but for the opening of a device."""
        if self._source is None:
            return self._try_open()
        try:
            chunk = self._source.poll(MAX_POLL_S)
        except EndOfStream:
            self._ended = True
            return [self._say("ended", "the recording has ended")]
        except SourceError as error:
            return self._fail(str(error))
        if chunk is None or not chunk.samples_uv.shape[1]:
            return self._silence()
        return self._take(chunk)

    def _take(self, chunk: EegChunk) -> list[FeedItem]:
        if self._timeline is None or self._info is None:
            return []
        if chunk.samples_uv.shape[0] != len(self._info.channels):
            rows, wanted = chunk.samples_uv.shape[0], len(self._info.channels)
            return self._fail(f"source: {rows} rows of samples for {wanted} channels")
        items: list[FeedItem] = []
        fresh = self._timeline.push(chunk)
        if not any(isinstance(item, EegChunk) for item in fresh):
            return self._silence()
        now_s = self._clock()
        if self._state != "streaming":
            silent_s = now_s - self._new_s if self._state in ("stale", "lost") else None
            items.append(self._say("streaming", gap_s=silent_s, battery=chunk.battery_percent))
        self._new_s, self._failures = now_s, 0
        return [*items, *fresh]

    def _silence(self) -> list[FeedItem]:
        silent_s = self._clock() - self._new_s
        items = self._judge(silent_s)
        waited_s = self._clock() - max(self._new_s, self._poll_from_s)
        if waited_s > self._settings.reopen_s:
            items += self._fail(f"no new sample for {silent_s:.0f} s: opening the source anew")
        return items

    def _judge(self, silent_s: float) -> list[FeedItem]:
        if self._state in ("connecting", "incompatible"):
            return []
        if silent_s > self._settings.lost_s and self._state != "lost":
            return [self._say("lost", f"no new sample for {self._settings.lost_s:g} s")]
        if silent_s > self._settings.stale_s and self._state == "streaming":
            return [self._say("stale", f"no new sample for {self._settings.stale_s:g} s")]
        return []

    def _try_open(self) -> list[FeedItem]:
        if self._clock() < self._retry_s:
            self._sleep(MAX_POLL_S)
            return self._judge(self._clock() - self._new_s)
        source = self._make()
        try:
            info = source.open()
        except UnknownSourceError:
            if self._info is None:
                raise
            return self._retry_later(self._judge(self._clock() - self._new_s))
        except SourceError as error:
            items = self._judge(self._clock() - self._new_s)
            if self._state == "connecting" and not self._failures:
                items.append(self._say("connecting", str(error)))
            return self._retry_later(items)
        return self._accept(source, info)

    def _accept(self, source: EegSource, info: StreamInfo) -> list[FeedItem]:
        first = self._info
        if first is not None and (info.channels, info.rate_hz) != (first.channels, first.rate_hz):
            source.close()
            reason = f"the stream came back as {_layout(info)}; the session began with {_layout(first)}"
            known = self._state == "incompatible"
            items: list[FeedItem] = [] if known else [self._say("incompatible", reason)]
            return self._retry_later(items)
        self._source, self._poll_from_s = source, self._clock()
        if first is None or self._timeline is None:
            self._info, self._timeline = info, Timeline(info.rate_hz)
            self._new_s = self._clock()
            return [self._say("connecting", f"opened {info.device}")]
        gap = self._timeline.reconnected(self._clock() - self._new_s)
        return [gap] if gap is not None else []

    def _fail(self, reason: str) -> list[FeedItem]:
        self._close()
        items = self._judge(self._clock() - self._new_s)
        if self._state == "connecting":
            items.append(self._say("connecting", reason))
        return self._retry_later(items)

    def _retry_later(self, items: list[FeedItem]) -> list[FeedItem]:
        waits = self._settings.backoff_s
        wait_s = waits[min(self._failures, len(waits) - 1)]
        self._failures += 1
        jitter = self._settings.jitter
        self._retry_s = self._clock() + wait_s * self._rng.uniform(1 - jitter, 1 + jitter)
        return items

    def _say(
        self,
        state: HeadsetState,
        reason: str = "",
        *,
        gap_s: float | None = None,
        battery: float | None = None,
    ) -> HeadsetStatus:
        self._state = state
        return HeadsetStatus(state, self._info, reason, gap_s, battery)

    def _close(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()


def _layout(info: StreamInfo) -> str:
    names = ",".join(info.channels[:8]) + (",.." if len(info.channels) > 8 else "")
    return f"{len(info.channels)} channels ({names}) at {info.rate_hz:g} Hz"
