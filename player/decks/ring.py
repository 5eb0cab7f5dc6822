"""A bounded ring of stereo frames between one thread that decodes and one that mixes."""

from __future__ import annotations

import mmap
import threading

import numpy as np

from player.deck import PcmBlock

WAIT_S = 0.5
"""How long a writer sleeps at most: the reader wakes it when there is room."""
FRAME_BYTES = 8
REFILL = 16
"""A writer that found the ring full comes back when this share of it is free: each waking has its price."""


class PcmRing:
    """First in, first out. The writer waits for room; the reader never waits."""

    def __init__(self, capacity_frames: int) -> None:
        if capacity_frames <= 0:
            raise ValueError(f"a ring needs room for at least one frame, got {capacity_frames}")
        # mapped, not allocated: the C library keeps freed blocks of this size, up to a hundred megabytes
        memory = mmap.mmap(-1, capacity_frames * FRAME_BYTES)
        self._frames: PcmBlock = np.frombuffer(memory, dtype=np.float32).reshape(-1, 2)
        self._capacity = capacity_frames
        self._piece = max(1, capacity_frames // 8)
        self._written = 0
        self._read = 0
        self._wanted = 0
        self._complete = False
        self._closed = False
        self._changed = threading.Condition()

    @property
    def buffered(self) -> int:
        """Frames that can be read now."""
        return self._written - self._read

    @property
    def given(self) -> int:
        """Frames written since the beginning."""
        return self._written

    @property
    def taken(self) -> int:
        """Frames read since the beginning."""
        return self._read

    @property
    def complete(self) -> bool:
        """True once the writer has said that nothing follows."""
        return self._complete

    @property
    def closed(self) -> bool:
        """True once the reader has gone."""
        return self._closed

    def write(self, block: PcmBlock) -> bool:
        """Put all frames (n, 2) in, waiting for room; False once the ring is closed."""
        for at in range(0, len(block), self._piece):
            part = block[at : at + self._piece]
            with self._changed:
                room = self._capacity - self.buffered
                if room < len(part):
                    self._wanted = max(len(part), self._capacity // REFILL)
                while self._capacity - self.buffered < self._wanted and not self._closed:
                    self._changed.wait(WAIT_S)
                if self._closed:
                    return False
                self._wanted = 0
                self._put(part)
        return not self._closed

    def offer(self, block: PcmBlock) -> int:
        """Put in of (n, 2) what there is room for, without waiting; returns how many frames that was."""
        with self._changed:
            return 0 if self._closed else self._put(block[: self._capacity - self.buffered])

    def _put(self, block: PcmBlock) -> int:
        start = self._written % self._capacity
        first = min(len(block), self._capacity - start)
        self._frames[start : start + first] = block[:first]
        self._frames[: len(block) - first] = block[first:]
        self._written += len(block)
        return len(block)

    def read(self, n_frames: int) -> PcmBlock:
        """At most ``n_frames`` frames, (n, 2), as a copy; never waits."""
        with self._changed:
            block = self._copied(n_frames)
            self._read += len(block)
            if 0 < self._wanted <= self._capacity - self.buffered:
                self._changed.notify_all()
        return block

    def look(self, n_frames: int) -> PcmBlock:
        """The same frames, (n, 2), left where they are."""
        with self._changed:
            return self._copied(n_frames)

    def _copied(self, n_frames: int) -> PcmBlock:
        wanted = max(0, min(n_frames, self.buffered))
        start = self._read % self._capacity
        first = min(wanted, self._capacity - start)
        block = np.empty((wanted, 2), dtype=np.float32)
        block[:first] = self._frames[start : start + first]
        block[first:] = self._frames[: wanted - first]
        return block

    def finish(self) -> None:
        """The writer has nothing more."""
        with self._changed:
            self._complete = True
            self._changed.notify_all()

    def close(self) -> None:
        """The reader goes: writers stop waiting; what is buffered is dropped, and its memory with it."""
        with self._changed:
            self._closed = True
            self._complete = True
            self._read = self._written
            self._frames = self._frames[:0].copy()
            self._changed.notify_all()
