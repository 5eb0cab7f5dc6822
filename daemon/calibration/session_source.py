"""The EEG of the session that runs on this machine, as a source: its headset can be opened only once."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import numpy as np

from acquisition.port import MAX_POLL_S, EndOfStream, SourceError
from acquisition.signal import EegChunk, StreamInfo
from daemon.engine.eeg_frames import WANTS_RAW, Frame, SamplesFrame, StreamFrame, reachable, unpacked

OPEN_S = 5.0
READ_BYTES = 1 << 16
MAX_CHANNELS = 512
MAX_RATE_HZ = 100_000.0


class SessionSource:
    """Reads the engine's socket at ``path``, unfiltered. Raises ``SourceError`` as sources do."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket: socket.socket | None = None
        self._buffer = bytearray()
        self._info: StreamInfo | None = None
        self._sample = 0

    def need(self) -> None:
        """Raise ``SourceError`` at once where no session runs."""
        self._connected().close()

    def open(self) -> StreamInfo:
        """Connect to the running engine and wait for its headset. Raises ``SourceError`` without one."""
        self._socket = self._connected()
        self._socket.sendall(WANTS_RAW)
        until_s = time.monotonic() + OPEN_S
        while time.monotonic() < until_s:
            frame = self._next(MAX_POLL_S)
            if isinstance(frame, StreamFrame) and frame.raw:
                self._info = _described(frame)
                return self._info
        self.close()
        raise SourceError("the session that runs here has no headset that streams")

    def poll(self, timeout_s: float) -> EegChunk | None:
        """The next samples. Times count from the opening. Raises ``SourceError`` when the headset changes."""
        frame = self._next(min(timeout_s, MAX_POLL_S))
        info = self._info
        if isinstance(frame, StreamFrame):
            raise SourceError("the session has changed its headset")
        if info is None or not isinstance(frame, SamplesFrame):
            return None
        rows = len(info.channels)
        if frame.count < 1 or len(frame.data) != 4 * rows * frame.count:
            raise SourceError("the session's samples do not fit its channels")
        samples = np.frombuffer(frame.data, "<f4").reshape(rows, frame.count).astype(np.float64)
        times_s = (self._sample + np.arange(frame.count)) / info.rate_hz
        self._sample += frame.count
        return EegChunk(samples, times_s)

    def close(self) -> None:
        """Let go."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with reachable(self._path) as name:
                found.connect(name)
        except OSError:
            found.close()
            raise SourceError("no session runs on this machine: start one with neuroplayer run") from None
        return found

    def _next(self, timeout_s: float) -> Frame | None:
        if self._socket is None:
            return None
        try:
            frame = unpacked(self._buffer)
            if frame is None:
                self._socket.settimeout(max(timeout_s, 1e-3))
                fresh = self._socket.recv(READ_BYTES)
                if not fresh:
                    raise EndOfStream
                self._buffer += fresh
                frame = unpacked(self._buffer)
        except TimeoutError:
            return None
        except OSError as error:  # ConnectionError of a broken frame as well
            raise SourceError(f"the session's EEG broke off: {error}") from None
        return frame


def _described(frame: StreamFrame) -> StreamInfo:
    if not 0 < len(frame.channels) <= MAX_CHANNELS or not 1 <= frame.rate_hz <= MAX_RATE_HZ:
        raise SourceError("the session announced a stream that cannot be read")
    return StreamInfo(
        "session", frame.device, tuple(frame.channels), frame.rate_hz, simulated=frame.simulated
    )


__all__ = ["SessionSource"]
