"""A feed whose clock is turned by hand, and a source that does as the test says."""

from __future__ import annotations

import numpy as np

from acquisition.port import EndOfStream, SourceError
from acquisition.signal import EegChunk, FeedItem, Gap, HeadsetStatus, StreamInfo
from acquisition.stream.feed import Feed
from acquisition.stream.feed_settings import FeedSettings

RATE_HZ = 100.0
INFO = StreamInfo("test", "headset", ("Fz", "Cz"), RATE_HZ)


class World:
    """The clock, and what the source does next."""

    def __init__(self, kind: type[Scripted] | None = None, **settings: float) -> None:
        self.now_s = 1000.0
        self.opens = 0
        self.closes = 0
        self.refusal: SourceError | None = None
        self.next: EegChunk | SourceError | None = None
        self.queued = False
        self.sample = 0
        self.slept_s = 0.0
        self.info = INFO
        self.feed = Feed(
            lambda: (kind or Scripted)(self),
            clock=lambda: self.now_s,
            settings=FeedSettings(**{"jitter": 0.0, **settings}),  # type: ignore[arg-type]
            sleep=self._sleep,
        )

    def _sleep(self, seconds: float) -> None:
        self.slept_s += seconds

    def chunk(self, rows: int = 2, count: int = 10) -> EegChunk:
        times_s = (self.sample + np.arange(count)) / RATE_HZ
        self.sample += count
        return EegChunk(np.tile(times_s, (rows, 1)), times_s)

    def step(self, after_s: float = 0.0, then: EegChunk | SourceError | None = None) -> list[str]:
        """What a turn says, so many seconds later."""
        self.now_s += after_s
        self.next = then
        return [said(item) for item in self.feed.step()]

    def streaming(self) -> None:
        """Opened, and a first chunk heard."""
        assert self.step() == ["connecting opened headset"]
        assert self.step(then=self.chunk()) == ["streaming ", "10"]


def said(item: FeedItem) -> str:
    if isinstance(item, HeadsetStatus):
        return f"{item.state} {item.reason}"
    if isinstance(item, Gap):
        return f"gap {item.reason} {item.missing_samples}"
    return str(len(item.times_s))


class Scripted:
    """Does as the world says; knows what waits."""

    def __init__(self, world: World) -> None:
        self.world = world

    def open(self) -> StreamInfo:
        if self.world.refusal is not None:
            raise self.world.refusal
        self.world.opens += 1
        return self.world.info

    def poll(self, timeout_s: float) -> EegChunk | None:
        if isinstance(self.world.next, SourceError | EndOfStream):
            raise self.world.next
        return self.world.next

    def waiting(self) -> bool:
        return self.world.queued

    def close(self) -> None:
        self.world.closes += 1
