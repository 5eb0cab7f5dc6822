"""The page's end of the engine's EEG socket: connected while somebody looks, ten seconds kept."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daemon.engine.eeg_frames import Frame, SamplesFrame, StreamFrame, reachable, read_frame
from daemon.safe_text import shown

KEPT_S = 10.0
SPECTRUM_S = 4.0
SPECTRUM_HZ = (1.0, 45.0)
RETRY_S = 1.0
MAX_CHANNELS = 32
MAX_RATE_HZ = 1000.0

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ShownStream:
    """What is being shown."""

    device: str
    channels: tuple[str, ...]
    rate_hz: float
    number: int


@dataclass(frozen=True, slots=True)
class EegSlice:
    """New samples in tenths of a microvolt, channel by channel, and the cursor that follows them."""

    stream: ShownStream
    cursor: int
    tenths: list[list[int]]


@dataclass(frozen=True, slots=True)
class ShownSpectrum:
    """Power in dB of 1 µV²/Hz at ``frequencies_hz``, one row a channel."""

    frequencies_hz: list[float]
    power_db: list[list[float]]


class EegFeed:
    """Reads the socket at ``path``. Viewers hold ``watching()``; the last to leave closes the connection."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path, self._clock = path, clock
        self._wanted = asyncio.Event()
        self._viewers = 0
        self._number = 0
        self.stream: ShownStream | None = None
        self._ring: Samples = np.zeros((0, 0), np.float32)
        self._total = 0
        self._heard_s = -1e9
        self._spectrum: tuple[float, ShownSpectrum] | None = None
        self._connection: asyncio.StreamWriter | None = None

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Hold the connection open."""
        self.open()
        try:
            yield
        finally:
            self.leave()

    def open(self) -> None:
        """One more viewer."""
        self._viewers += 1
        self._wanted.set()

    def leave(self) -> None:
        """One viewer less."""
        self._viewers = max(0, self._viewers - 1)
        if self._viewers == 0:
            self._wanted.clear()
            if self._connection is not None:
                self._connection.close()

    @property
    def fresh(self) -> bool:
        """Whether samples came within the last two seconds."""
        return self._clock() - self._heard_s < 2.0

    async def run(self) -> None:
        """Until cancelled: connect while wanted, try again each second."""
        while True:
            await self._wanted.wait()
            with contextlib.suppress(OSError):
                await self._read()
            self.stream = None
            if self._wanted.is_set():
                await asyncio.sleep(RETRY_S)

    async def _read(self) -> None:
        with reachable(self._path) as name:
            reader, writer = await asyncio.open_unix_connection(name)
        self._connection = writer
        try:
            while self._wanted.is_set():
                self.on_frame(await read_frame(reader))
        finally:
            self._connection = None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def on_frame(self, frame: Frame) -> None:
        """Take in one frame. Raises ``ConnectionError`` for samples that do not fit what was announced."""
        if isinstance(frame, StreamFrame):
            self._announce(frame)
        elif isinstance(frame, SamplesFrame) and self.stream is not None:
            self._append(frame)

    def _announce(self, frame: StreamFrame) -> None:
        if not 1 <= frame.rate_hz <= MAX_RATE_HZ or not frame.channels:
            raise ConnectionError("the engine announced a stream that cannot be shown")
        self._number += 1
        channels = tuple(shown(name, 12) for name in frame.channels)
        self.stream = ShownStream(shown(frame.device, 60), channels, frame.rate_hz, self._number)
        self._ring = np.zeros((len(channels), round(KEPT_S * frame.rate_hz)), np.float32)
        self._total = 0
        self._spectrum = None

    def _append(self, frame: SamplesFrame) -> None:
        rows, length = self._ring.shape
        if frame.count < 1 or len(frame.data) != 4 * rows * frame.count:
            raise ConnectionError("the engine's samples do not fit its channels")
        fresh = np.frombuffer(frame.data, "<f4").reshape(rows, frame.count)
        fresh = np.nan_to_num(fresh, posinf=0.0, neginf=0.0)[:, -length:]
        self._ring = np.concatenate([self._ring[:, fresh.shape[1] :], fresh], axis=1)
        self._total += fresh.shape[1]
        self._heard_s = self._clock()

    def since(self, number: int, cursor: int) -> EegSlice | None:
        """What came after ``cursor`` of stream ``number``; all that is kept for another stream."""
        stream = self.stream
        if stream is None or self._total == 0:
            return None
        news = self._total - cursor if number == stream.number else self._total
        if news <= 0:
            return None
        piece = self._ring[:MAX_CHANNELS, -min(news, self._ring.shape[1], self._total) :]
        tenths = np.clip(np.rint(piece * 10), -32767, 32767).astype(int)
        return EegSlice(stream, self._total, tenths.tolist())

    def spectrum(self) -> ShownSpectrum | None:
        """Welch's estimate (Hann windows of 2 s, half overlapping) of the last 4 s, once a second."""
        if self.stream is None:
            return None
        now_s = self._clock()
        if self._spectrum is None or now_s - self._spectrum[0] >= 0.95:
            rate_hz = self.stream.rate_hz
            if self._total < SPECTRUM_S * rate_hz:
                return None
            recent = self._ring[:MAX_CHANNELS, -round(SPECTRUM_S * rate_hz) :]
            self._spectrum = (now_s, welch(recent, rate_hz))
        return self._spectrum[1]


def welch(samples_uv: Samples, rate_hz: float) -> ShownSpectrum:
    """Power spectral density of samples (n_channels, n) by Welch (1967): Hann windows of 2 s, overlapping
    by half.
    """
    length = round(2 * rate_hz)
    window = np.hanning(length)
    starts = range(0, samples_uv.shape[1] - length + 1, length // 2)
    powers = [np.abs(np.fft.rfft(samples_uv[:, s : s + length] * window)) ** 2 for s in starts]
    density = 2 * np.mean(powers, axis=0) / (rate_hz * np.sum(window**2))
    frequencies = np.fft.rfftfreq(length, 1 / rate_hz)
    inside = (frequencies >= SPECTRUM_HZ[0]) & (frequencies <= SPECTRUM_HZ[1])
    power_db = 10 * np.log10(np.maximum(density[:, inside], 1e-4))
    return ShownSpectrum(frequencies[inside].round(2).tolist(), power_db.round(1).tolist())
