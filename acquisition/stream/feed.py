"""The acquisition loop: opens the source, notices silence, reconnects for ever, and yields clean chunks.

Silence is judged by this machine's clock that also counts while it sleeps: drivers and liblsl raise nothing
when a headset dies. The source is used by one thread at a time; each step waits at most a sixteenth of
a second, so that leaving is prompt.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from acquisition.port import (
    MAX_POLL_S,
    AbsentError,
    EegSource,
    EndOfStream,
    KnowsWhatWaits,
    OpensSlowly,
    ReactsToMusic,
    Resumes,
    SourceError,
    UnknownSourceError,
    WakesLoop,
)
from acquisition.signal import EegChunk, FeedItem, HeadsetState, HeadsetStatus, StreamInfo
from acquisition.stream.chunk_waiting import ChunkWaiter
from acquisition.stream.credible import credible
from acquisition.stream.feed_settings import FeedSettings
from acquisition.stream.timeline import Timeline

LISTEN_S = 0.5
"""So long samples are waited for on the event loop, before the thread looks what is the matter."""


def awake_clock() -> float:
    """Seconds of a steady clock that goes on while the machine sleeps, where there is one."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Feed:
    """``async with Feed(make) as feed: async for item in feed: ...``

    Raises ``UnknownSourceError`` from the iteration when the very first open says that trying again
    cannot help; every later failure is a state, not an error.
    """

    def __init__(
        self,
        make: Callable[[], EegSource],
        *,
        clock: Callable[[], float] = awake_clock,
        settings: FeedSettings | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._make, self._clock, self._sleep = make, clock, sleep
        self._settings = settings or FeedSettings()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="acquisition")
        self._rng = random.Random(0)  # noqa: S311 - jitter, no secret
        self._source: EegSource | None = None
        self._opening: EegSource | None = None
        self._info: StreamInfo | None = None
        self._timeline: Timeline | None = None
        self._state: HeadsetState | None = None
        self._new_s = clock()
        self._poll_from_s = 0.0
        self._retry_s, self._failures, self._silences = 0.0, 0, 0
        self._turned_s: float | None = None
        self._waiting: Callable[[], bool] | None = None
        self._wakes: WakesLoop | None = None
        self._waiter: ChunkWaiter | None = None
        self._usual_s: float | None = None
        self._reason = ""
        self._ended = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_hearing()
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        finally:
            self._thread.shutdown(wait=False)

    async def __aiter__(self) -> AsyncIterator[FeedItem]:
        loop = asyncio.get_running_loop()
        yield self._report("connecting")
        while not self._ended:
            items = await self._next_from_stream()
            if not items:
                self._stop_hearing()
                items = await loop.run_in_executor(self._thread, self.step)
            for item in items:
                yield item

    def on_music(self, valence: float | None, arousal: float | None) -> None:
        """Tell a simulated wearer what music sounds; any other source does not care."""
        source: object = self._source
        if isinstance(source, ReactsToMusic):
            source.on_music(valence, arousal)

    def late_s(self, at_s: float) -> float:
        """How many seconds later than usual a sample of this stream time is dealt with now; never negative.

        Usual is what it took when last nothing waited, so that a slow radio link is not lateness of ours.
        0 for a source that does not know what waits (``KnowsWhatWaits``).
        """
        return 0.0 if self._usual_s is None else max(0.0, self._clock() - at_s - self._usual_s)

    def step(self) -> list[FeedItem]:
        """One turn of the loop, for at most some 60 ms."""
        late_s = 0.0 if self._turned_s is None else self._clock() - self._turned_s
        try:
            if late_s > self._settings.slept_s and self._timeline is not None:
                return self._wake(late_s)
            return self._turn()
        finally:
            self._turned_s = self._clock()

    async def _next_from_stream(self) -> list[FeedItem]:
        """The usual case, without the thread, which would wake for every chunk: a stream's next samples."""
        source = self._wakes
        if source is None or self._state != "streaming" or self._turned_s is None:
            return []
        if self._waiter is None:
            self._waiter = ChunkWaiter(source)
        caught_up = not source.waiting()
        chunk = await self._waiter.next(LISTEN_S) if caught_up else source.read_ready()
        # what is out of the order is the thread's, and old samples are dropped with the rest of what waited
        if chunk is None or self._info is None or chunk.samples_uv.shape[0] != len(self._info.channels):
            return []
        if self._clock() - self._turned_s > self._settings.slept_s:
            return []
        self._turned_s = self._clock()
        return self._push(chunk, caught_up=caught_up)

    def _stop_hearing(self) -> None:
        ear, self._waiter = self._waiter, None
        if ear is not None:
            ear.close()

    def _turn(self) -> list[FeedItem]:
        if self._source is None:
            return self._try_open() if self._opening is None else self._wait_open(self._opening)
        try:
            caught_up = self._waiting is not None and not self._waiting()
            chunk = self._source.poll(MAX_POLL_S)
        except EndOfStream:
            self._ended = True
            return [self._report("ended", "the recording has ended")]
        except SourceError as error:
            return self._fail(error)
        if chunk is None or not chunk.samples_uv.shape[1]:
            return self._silence()
        return self._push(chunk, caught_up=caught_up)

    def _wake(self, late_s: float) -> list[FeedItem]:
        """Begin anew after a sleep: samples that waited would come as a burst of old windows."""
        self._close()
        self._retry_s, self._failures = self._clock(), 0
        reason = f"this machine or process slept for {late_s:.0f} s"
        return [self._report("stale", reason)] if self._state == "streaming" else []

    def _push(self, chunk: EegChunk, *, caught_up: bool) -> list[FeedItem]:
        if self._timeline is None or self._info is None:
            return []
        if chunk.samples_uv.shape[0] != len(self._info.channels):
            rows, wanted = chunk.samples_uv.shape[0], len(self._info.channels)
            return self._fail(SourceError(f"source: {rows} rows of samples for {wanted} channels"))
        items: list[FeedItem] = []
        fresh = self._timeline.push(credible(chunk), self._clock())
        first_s = next((float(item.times_s[0]) for item in fresh if isinstance(item, EegChunk)), None)
        if first_s is None:
            return self._silence()
        now_s = self._clock()
        if caught_up:
            self._usual_s = now_s - first_s
        if self._state != "streaming":
            silent_s = now_s - self._new_s if self._state in ("stale", "lost") else None
            items.append(self._report("streaming", gap_s=silent_s, battery=chunk.battery_percent))
        self._new_s, self._failures, self._silences = now_s, 0, 0
        return [*items, *fresh]

    def _silence(self) -> list[FeedItem]:
        silent_s = self._clock() - self._new_s
        items = self._judge(silent_s)
        waited_s = self._clock() - max(self._new_s, self._poll_from_s)
        limits_s = self._settings.reopen_s
        if waited_s > limits_s[min(self._silences, len(limits_s) - 1)]:
            # an open source hears a headset's return at once, so what grows is how long it is listened to
            self._silences += 1
            self._close()
            items += self._explain(f"no new sample for {silent_s:.0f} s: the source is opened anew")
            items = self._retry_later(items, self._settings.backoff_s[0])
        return items

    def _judge(self, silent_s: float) -> list[FeedItem]:
        if self._state in ("connecting", "incompatible"):
            return []
        if silent_s > self._settings.lost_s and self._state != "lost":
            return [self._report("lost", f"no new sample for {self._settings.lost_s:g} s")]
        if silent_s > self._settings.stale_s and self._state == "streaming":
            return [self._report("stale", f"no new sample for {self._settings.stale_s:g} s")]
        return []

    def _try_open(self) -> list[FeedItem]:
        if self._clock() < self._retry_s:
            self._sleep(MAX_POLL_S)
            return self._judge(self._clock() - self._new_s)
        source = self._make()
        if self._info is not None and isinstance(source, Resumes):
            last_s = self._timeline.newest_stamp_s if self._timeline is not None else math.nan
            source.resume(self._info, self._clock() - self._new_s, last_s)
        if isinstance(source, OpensSlowly):
            self._opening = source
            source.begin()
            return []
        try:
            info = source.open()
        except SourceError as error:
            return self._refused(error)
        return self._accept(source, info)

    def _wait_open(self, source: EegSource) -> list[FeedItem]:
        assert isinstance(source, OpensSlowly)  # noqa: S101 - _try_open looked
        try:
            info = source.opened(MAX_POLL_S)
        except SourceError as error:
            self._opening = None
            source.close()
            return self._refused(error)
        if info is None:
            items = self._judge(self._clock() - self._new_s)
            return items + self._explain(source.absence)
        self._opening = None
        return self._accept(source, info)

    def _refused(self, error: SourceError) -> list[FeedItem]:
        if isinstance(error, UnknownSourceError) and self._info is None:
            raise error
        items = self._judge(self._clock() - self._new_s) + self._explain(str(error))
        return self._retry_later(items, self._settings.absent_s if isinstance(error, AbsentError) else None)

    def _explain(self, reason: str) -> list[FeedItem]:
        """Report once why nothing is open, while that is what the state is about."""
        if not reason or reason == self._reason or self._state == "streaming" or self._state is None:
            return []
        return [self._report(self._state, reason)]

    def _accept(self, source: EegSource, info: StreamInfo) -> list[FeedItem]:
        first = self._info
        if first is not None and (info.channels, info.rate_hz) != (first.channels, first.rate_hz):
            source.close()
            reason = f"the stream came back as {_layout(info)}; the session began with {_layout(first)}"
            known = self._state == "incompatible"
            items: list[FeedItem] = [] if known else [self._report("incompatible", reason)]
            return self._retry_later(items, self._settings.incompatible_s)
        self._source, self._poll_from_s = source, self._clock()
        self._waiting = source.waiting if isinstance(source, KnowsWhatWaits) else None
        self._wakes = source if isinstance(source, WakesLoop) else None
        if first is None or self._timeline is None:
            self._info = info
            self._timeline = Timeline(info.rate_hz, counter_modulo=info.counter_modulo)
            self._new_s = self._clock()
            return [self._report("connecting", f"opened {info.device}")]
        gap = self._timeline.reconnected(self._clock() - self._new_s)
        return [gap] if gap is not None else []

    def _fail(self, error: SourceError) -> list[FeedItem]:
        self._close()
        items = self._judge(self._clock() - self._new_s) + self._explain(str(error))
        return self._retry_later(items)

    def _retry_later(self, items: list[FeedItem], wait_s: float | None = None) -> list[FeedItem]:
        """Try again after ``wait_s``, or after a pause that grows with each failure."""
        if wait_s is None:
            waits = self._settings.backoff_s
            wait_s = waits[min(self._failures, len(waits) - 1)]
            self._failures += 1
        jitter = self._settings.jitter
        self._retry_s = self._clock() + wait_s * self._rng.uniform(1 - jitter, 1 + jitter)
        return items

    def _report(
        self,
        state: HeadsetState,
        reason: str = "",
        *,
        gap_s: float | None = None,
        battery: float | None = None,
    ) -> HeadsetStatus:
        self._state, self._reason = state, reason
        return HeadsetStatus(state, self._info, reason, gap_s, battery)

    def _close(self) -> None:
        for source in (self._source, self._opening):
            if source is not None:
                source.close()
        self._source = self._opening = self._wakes = None


def _layout(info: StreamInfo) -> str:
    names = ",".join(info.channels[:8]) + (",.." if len(info.channels) > 8 else "")
    return f"{len(info.channels)} channels ({names}) at {info.rate_hz:g} Hz"
