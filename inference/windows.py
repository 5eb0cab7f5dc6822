"""Sliding windows over a stream of samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from acquisition.signal import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """One epoch: samples (n_channels, n_samples) in microvolts, and the time of its last sample."""

    samples_uv: FloatArray
    end_s: float


class SlidingWindows:
    """Cuts windows of ``length`` samples every ``hop`` samples; holds at most one window and a chunk."""

    def __init__(self, n_channels: int, length: int, hop: int) -> None:
        if not 0 < hop <= length:
            raise ValueError(f"the hop must lie inside 1..{length} samples, got {hop}")
        self._length, self._hop = length, hop
        self._n_channels = n_channels
        self._held: FloatArray
        self._held_s: FloatArray
        self.reset()

    def push(self, samples_uv: FloatArray, times_s: FloatArray) -> Iterator[Window]:
        """Yield each window that these samples (n_channels, n) at their times (n,) complete."""
        self._held = np.concatenate([self._held, samples_uv], axis=1)
        self._held_s = np.concatenate([self._held_s, times_s])
        start = 0
        while self._held.shape[1] - start >= self._length:
            end = start + self._length
            yield Window(self._held[:, start:end], float(self._held_s[end - 1]))
            start += self._hop
        self._held, self._held_s = self._held[:, start:], self._held_s[start:]

    def reset(self) -> None:
        """Forget what is held: no window spans a gap."""
        self._held = np.zeros((self._n_channels, 0))
        self._held_s = np.zeros(0)
