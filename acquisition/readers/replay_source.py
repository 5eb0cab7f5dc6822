"""A recording played as if a headset sent it, at real speed, faster, or as fast as it is read."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from acquisition.port import MAX_POLL_S, EndOfStream
from acquisition.readers import Recording, open_recording
from acquisition.signal import BoolArray, EegChunk, StreamInfo
from acquisition.stream.timeline import BRIDGE_S

CHUNK_S = 0.0625
"""Length of a chunk; at ``max`` speed chunks of a second are given instead."""
MODULO = 2**40
"""Samples are counted where some are missing, and no recording has so many."""


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
        self._kept: BoolArray | None = None
        self._place = 0
        self._started_s = 0.0

    def open(self) -> StreamInfo:
        """Read the file. Raises ``UnknownSourceError``."""
        self._recording = recording = open_recording(self._location)
        self._kept = _kept(recording)
        self._place, self._started_s = 0, self._clock()
        return recording.info if self._kept is None else replace(recording.info, counter_modulo=MODULO)

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
        if self._kept is None:
            return EegChunk(recording.samples_uv[:, part], recording.times_s[part])
        places = part.start + np.flatnonzero(self._kept[part])
        counter = places.astype(np.float64)
        return EegChunk(recording.samples_uv[:, places], recording.times_s[places], counter=counter)

    def close(self) -> None:
        """Let the recording go."""
        self._recording, self._kept = None, None


def _kept(recording: Recording) -> BoolArray | None:
    """Which samples (n,) a headset would have sent: short holes are left to be bridged, as when it is live.

    None for all. Longer gaps are played as they are, NaN: silence would have the recording opened anew.
    """
    short = [hole for hole in recording.holes if hole[1] - hole[0] <= BRIDGE_S * recording.info.rate_hz]
    if not short:
        return None
    kept = np.ones(len(recording.times_s), dtype=np.bool_)
    for begin, end in short:
        kept[begin:end] = False
    return kept
