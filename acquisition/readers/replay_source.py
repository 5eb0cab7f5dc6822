"""A recording played as if a headset sent it, at real speed, faster, or as fast as it is read."""

from __future__ import annotations

import time
from collections.abc import Callable

from acquisition.port import MAX_POLL_S, EndOfStream
from acquisition.readers import Recording, open_recording
from acquisition.signal import EegChunk, StreamInfo

CHUNK_S = 0.0625
"""Length of a chunk; at ``max`` speed chunks of a second are given instead."""


class ReplaySource:
    """Plays ``location``. ``speed`` is a factor of real time, or None for as fast as it is polled."""

    def __init__(
        self,
        location: str,
        *,
        speed: float | None = 1.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if speed is not None and not 0 < speed <= 10_000:
            raise ValueError(f"the speed must lie inside 0..10000, got {speed:g}")
        self._location, self._speed = location, speed
        self._clock, self._sleep = clock, sleep
        self._recording: Recording | None = None
        self._place = 0
        self._started_s = 0.0

    def open(self) -> StreamInfo:
        """Read the file. Raises ``UnknownSourceError``."""
        self._recording = open_recording(self._location)
        self._place, self._started_s = 0, self._clock()
        return self._recording.info

    def poll(self, timeout_s: float) -> EegChunk | None:
        """The samples that are due. Raises ``EndOfStream`` after the last."""
        recording = self._recording
        if recording is None:
            return None
        total = recording.samples_uv.shape[1]
        if self._place >= total:
            raise EndOfStream
        rate_hz = recording.info.rate_hz
        step = max(1, round((1.0 if self._speed is None else CHUNK_S) * rate_hz))
        end = min(total, self._place + step)
        if self._speed is not None:
            due_s = self._started_s + end / rate_hz / self._speed
            wait_s = due_s - self._clock()
            if wait_s > 0:
                self._sleep(min(wait_s, timeout_s, MAX_POLL_S))
                if self._clock() < due_s:
                    return None
        part = slice(self._place, end)
        self._place = end
        return EegChunk(recording.samples_uv[:, part], recording.times_s[part])

    def close(self) -> None:
        """Let the recording go."""
        self._recording = None
