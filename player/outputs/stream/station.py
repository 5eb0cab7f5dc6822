"""Who listens to the stream: each has its own line of blocks, and none can hold up the music."""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple

from player.deck import MIX_RATE_HZ, PcmBlock

BURST_S = 1.0
"""A listener gets so much of what has just been played at once, so that its first late packet is no hole."""
BEHIND_S = 12.0
"""Whoever is so far behind is not served any more."""
MAX_LISTENERS = 16
"""Each costs an encoder: a fiftieth of one core of a PC."""


class StreamPiece(NamedTuple):
    """A block (n, 2) of the mix, and what it is called."""

    block: PcmBlock
    title: str


class StreamListener:
    """One who listens; ``offer`` never waits."""

    def __init__(self) -> None:
        self._pieces: deque[StreamPiece] = deque()
        self._news = threading.Condition()
        self._behind = 0
        self._over = False
        self.dropped = False

    def offer(self, piece: StreamPiece) -> bool:
        """False when it is too far behind: it is dropped."""
        with self._news:
            self.dropped = self._behind > BEHIND_S * MIX_RATE_HZ
            if self.dropped:
                self._pieces.clear()
                self._over = True
            else:
                self._pieces.append(piece)
                self._behind += len(piece.block)
            self._news.notify()
        return not self.dropped

    def next(self) -> StreamPiece | None:
        """Wait for the next piece; None at the end."""
        with self._news:
            self._news.wait_for(lambda: self._pieces or self._over)
            if not self._pieces:
                return None
            piece = self._pieces.popleft()
            self._behind -= len(piece.block)
            return piece

    def end(self) -> None:
        """Nothing more will come."""
        with self._news:
            self._over = True
            self._news.notify()


class Station:
    """Hands every block to every listener."""

    def __init__(self, limit: int = MAX_LISTENERS) -> None:
        self.title = ""
        self._limit = limit
        self._lock = threading.Lock()
        self._listeners: list[StreamListener] = []
        self._recent: deque[StreamPiece] = deque()
        self._recent_frames = 0
        self.dropped_listeners = 0

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    def push(self, block: PcmBlock) -> None:
        """Send on (n, 2)."""
        piece = StreamPiece(block.copy(), self.title)
        with self._lock:
            self._recent.append(piece)
            self._recent_frames += len(block)
            while self._recent_frames - len(self._recent[0].block) >= BURST_S * MIX_RATE_HZ:
                self._recent_frames -= len(self._recent.popleft().block)
            staying = [one for one in self._listeners if one.offer(piece)]
            self.dropped_listeners += len(self._listeners) - len(staying)
            self._listeners = staying

    def join(self) -> StreamListener | None:
        """A new listener, who begins with the last second; None where there are too many."""
        with self._lock:
            if len(self._listeners) >= self._limit:
                return None
            listener = StreamListener()
            for piece in self._recent:
                listener.offer(piece)
            self._listeners.append(listener)
            return listener

    def leave(self, listener: StreamListener) -> None:
        """It listens no more."""
        with self._lock:
            self._listeners = [one for one in self._listeners if one is not listener]

    def end(self) -> None:
        """Let everybody hear what they were given, and then the end."""
        with self._lock:
            for listener in self._listeners:
                listener.end()
            self._recent.clear()
            self._recent_frames = 0
