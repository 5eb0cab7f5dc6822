"""16-bit frames on their way to another program, which takes them when it likes or not at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from player.deck import MIX_RATE_HZ, PcmBlock

LINE_BYTES = 1 << 16
"""A third of a second may wait for a program that is slow; what comes then is dropped."""
FRAME_BYTES = 4
UNTAKEN_S = 2.0
"""So much music without a frame taken: nobody reads."""


class FrameLine:
    """What waits to be handed over, in whole frames, and whether anybody takes it."""

    def __init__(self) -> None:
        self._rest = b""
        self._rng = np.random.default_rng(0)
        self._untaken = 0
        self.dropped_frames = 0

    @property
    def untaken(self) -> bool:
        """True where nobody has taken anything of the last seconds of music."""
        return self._untaken > UNTAKEN_S * MIX_RATE_HZ

    def push(self, block: PcmBlock) -> None:
        """Put (n, 2) behind what waits; where too much waits already, count and drop it."""
        self._untaken += len(block)
        if len(self._rest) > LINE_BYTES:
            self.dropped_frames += len(block)
        else:
            self._rest += to_16_bit(block, self._rng)

    def send(self, write: Callable[[bytes], int]) -> None:
        """Hand over what ``write`` has room for, which returns the bytes it took. Raises OSError."""
        try:
            while self._rest:
                self._rest = self._rest[write(self._rest) :]
        except BlockingIOError:
            return

    def taken(self) -> None:
        """Somebody has taken something just now."""
        self._untaken = 0

    def forget(self) -> None:
        """Drop what waits: whoever comes next begins with what is new."""
        self.dropped_frames += len(self._rest) // FRAME_BYTES
        self._rest = b""


def to_16_bit(block: PcmBlock, rng: np.random.Generator) -> bytes:
    """Little-endian shorts of (n, 2) with triangular dither, so that fades do not end in distortion."""
    noise = rng.random(block.shape, dtype=np.float32) - rng.random(block.shape, dtype=np.float32)
    return np.clip(np.rint(block * 32767.0 + noise), -32768, 32767).astype("<i2").tobytes()
