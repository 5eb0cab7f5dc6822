"""Offers the engine's EEG to the same machine: filtered to the page, raw to a calibration. Unwatched it costs
only a ring.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from acquisition.signal import EegChunk, FloatArray, Gap, HeadsetStatus, StreamInfo
from daemon.engine.eeg_frames import (
    WANTS_RAW,
    Frame,
    GapFrame,
    SamplesFrame,
    StreamFrame,
    listening,
    packed,
    same_user,
)
from inference.preprocessing.filters import CascadeFilter, band_sections
from inference.preprocessing.resampling import Resampler
from player.location import printable_spec

SHOWN_RATE_HZ = 128.0
KEPT_S = 10.0
MAX_WATCHERS = 4
MAX_WAITING = 64
"""Frames that may wait for a watcher; the oldest are dropped."""
MAX_RAW_WAITING = 1024
"""For a calibration, which can do nothing with a hole: beyond it the connection is closed."""

log = logging.getLogger(__name__)


class DisplayFilter:
    """The filters that the engine reads moods through, on all channels, for looking at."""

    def __init__(self, rate_hz: float, n_channels: int) -> None:
        self._resampler = Resampler(rate_hz, SHOWN_RATE_HZ, n_channels)
        self._filter = CascadeFilter(band_sections(SHOWN_RATE_HZ, 50.0), n_channels)
        self._last = np.zeros((n_channels, 1))

    def process(self, samples_uv: FloatArray, times_s: FloatArray) -> FloatArray:
        """Shape (n_channels, n) at the stream's rate in, 128 Hz out; what is not finite is held."""
        if samples_uv.shape[1] == 0:
            return np.zeros((len(samples_uv), 0))
        whole = np.concatenate([self._last, samples_uv], axis=1)
        places = np.where(np.isfinite(whole), np.arange(whole.shape[1]), 0)
        held = np.take_along_axis(whole, np.maximum.accumulate(places, axis=1), axis=1)[:, 1:]
        self._last = held[:, -1:].copy()
        resampled, _ = self._resampler.process(held, times_s)
        return self._filter.process(resampled)

    def reset(self) -> None:
        """Begin anew, as after a gap."""
        self._resampler.reset()
        self._filter.reset()


class _Watcher:
    """One connection and the frames that wait for it."""

    def __init__(self) -> None:
        self._waiting: deque[Frame] = deque(maxlen=MAX_WAITING)
        self._news = asyncio.Event()
        self.dropped = self._dropped_before_raw = 0
        self.raw = False

    def offer(self, frame: Frame) -> None:
        self.dropped += len(self._waiting) == self._waiting.maxlen
        self._waiting.append(frame)
        self._news.set()

    def go_raw(self, first: Frame | None) -> None:
        """From now on the samples as they are, nothing left out."""
        self.raw, self._dropped_before_raw = True, self.dropped
        self._waiting = deque([] if first is None else [first], maxlen=MAX_RAW_WAITING)
        self._news.set()

    async def serve(self, writer: asyncio.StreamWriter) -> None:
        while not (self.raw and self.dropped > self._dropped_before_raw):
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                writer.write(packed(self._waiting.popleft()))
                await writer.drain()


class EegTap:
    """Serves at ``path`` while ``async with`` lasts. ``push`` returns at once and never raises.

    Where the socket cannot be made, the engine goes on without it and says so once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._server: asyncio.Server | None = None
        self._watchers: set[_Watcher] = set()
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._info: StreamInfo | None = None
        self._ring: deque[EegChunk | Gap] = deque()
        self._ring_samples = 0
        self._filter: DisplayFilter | None = None
        self._dropped_before = 0

    @property
    def dropped(self) -> int:
        """Frames that no watcher had time for."""
        return self._dropped_before + sum(watcher.dropped for watcher in self._watchers)

    async def __aenter__(self) -> Self:
        try:
            self._server = await asyncio.start_unix_server(self._welcome, sock=listening(self._path))
        except OSError as error:
            log.warning("the page will show no EEG: %s", error)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is None:
            return
        self._server.close()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
        for serving, writer in self._serving.items():
            writer.transport.abort()  # a watcher that does not read is not waited for
            serving.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def push(self, item: HeadsetStatus | EegChunk | Gap) -> None:
        """Take what the feed gives."""
        if isinstance(item, HeadsetStatus):
            if item.info is not None and item.info != self._info:
                self._restart(item.info)
            return
        self._buffer(item)
        raw = [watcher for watcher in self._watchers if watcher.raw]
        for watcher in raw:
            watcher.offer(_raw(item))
        if len(raw) < len(self._watchers) and self._filter is not None:
            for frame in self._frames([item], self._filter):
                for watcher in self._watchers - set(raw):
                    watcher.offer(frame)

    def _restart(self, info: StreamInfo) -> None:
        self._info = info
        self._ring.clear()
        self._ring_samples = 0
        self._filter = self._make_filter()
        for watcher in self._watchers:
            watcher.offer(_described(info, raw=watcher.raw))

    def _buffer(self, item: EegChunk | Gap) -> None:
        self._ring.append(item)
        self._ring_samples += item.samples_uv.shape[1] if isinstance(item, EegChunk) else 0
        limit = KEPT_S * (self._info.rate_hz if self._info else SHOWN_RATE_HZ)
        while self._ring and self._ring_samples > limit:
            oldest = self._ring.popleft()
            self._ring_samples -= oldest.samples_uv.shape[1] if isinstance(oldest, EegChunk) else 0

    def _make_filter(self) -> DisplayFilter | None:
        if self._info is None:
            return None
        try:
            return DisplayFilter(self._info.rate_hz, len(self._info.channels))
        except ValueError as error:
            log.warning("the page will show no EEG: %s", error)
            return None

    def _frames(self, items: list[EegChunk | Gap], shaper: DisplayFilter) -> list[Frame]:
        frames: list[Frame] = []
        for item in items:
            if isinstance(item, Gap):
                shaper.reset()
                frames.append(GapFrame())
                continue
            shown = shaper.process(item.samples_uv, item.times_s).astype("<f4")
            if shown.shape[1]:
                frames.append(SamplesFrame(count=shown.shape[1], data=shown.tobytes()))
        return frames

    def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection is known from its first moment, so that the end finds it."""
        serving = asyncio.create_task(self._serve(reader, writer))
        self._serving[serving] = writer
        serving.add_done_callback(self._serving.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        watcher = _Watcher()
        asked = asyncio.create_task(self._on_request(reader, watcher))
        try:
            if len(self._watchers) >= MAX_WATCHERS or not same_user(connection):
                return
            if self._info is not None:
                watcher.offer(_described(self._info))
                self._filter = self._make_filter()
                self._replay(watcher)
            self._watchers.add(watcher)
            await watcher.serve(writer)
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            asked.cancel()
            self._watchers.discard(watcher)
            self._dropped_before += watcher.dropped
            writer.close()
            await asyncio.gather(asked, return_exceptions=True)
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _on_request(self, reader: asyncio.StreamReader, watcher: _Watcher) -> None:
        with contextlib.suppress(ConnectionError):
            if await reader.read(1) == WANTS_RAW:
                watcher.go_raw(None if self._info is None else _described(self._info, raw=True))

    def _replay(self, watcher: _Watcher) -> None:
        """The last ten seconds first, so that the page need not begin empty."""
        if self._filter is None:
            return
        pieces = [
            np.frombuffer(frame.data, "<f4").reshape(-1, frame.count)
            for frame in self._frames(list(self._ring), self._filter)
            if isinstance(frame, SamplesFrame)
        ]
        if pieces:
            whole = np.ascontiguousarray(np.concatenate(pieces, axis=1))
            watcher.offer(SamplesFrame(count=whole.shape[1], data=whole.tobytes()))


def _described(info: StreamInfo, *, raw: bool = False) -> StreamFrame:
    return StreamFrame(
        device=info.device or printable_spec(info.source),
        channels=list(info.channels),
        rate_hz=info.rate_hz if raw else SHOWN_RATE_HZ,
        simulated=info.simulated,
        raw=raw,
    )


def _raw(item: EegChunk | Gap) -> Frame:
    if isinstance(item, Gap):
        return GapFrame()
    return SamplesFrame(count=item.samples_uv.shape[1], data=item.samples_uv.astype("<f4").tobytes())
