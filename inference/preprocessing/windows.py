"""Sliding windows over a stream of samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from acquisition.signal import BoolArray, FloatArray


class RecentSamples:
    """Holds at least ``keep`` samples; chunks are joined only when somebody looks, or too many wait."""

    def __init__(self, n_channels: int, keep: int) -> None:
        self._keep = keep
        self._chunks: list[tuple[FloatArray, FloatArray, BoolArray]] = [
            (np.zeros((n_channels, 0)), np.zeros(0), np.zeros(0, dtype=np.bool_))
        ]
        self._held = 0

    def push(self, samples_uv: FloatArray, times_s: FloatArray, lost: BoolArray) -> None:
        """Add samples (n_channels, n), their times and which of them never came."""
        self._chunks.append((samples_uv, times_s, lost))
        self._held += len(times_s)
        if self._held > 4 * self._keep:
            self._join()

    def until(self, time_s: float, length: int) -> tuple[FloatArray, float]:
        """The last samples before ``time_s`` (n_channels, at most ``length``), and what share never came."""
        samples_uv, times_s, lost = self._join() if len(self._chunks) > 1 else self._chunks[0]
        end = int(np.searchsorted(times_s, time_s))
        part = slice(max(0, end - length), end)
        return samples_uv[:, part], float(lost[part].mean()) if lost.any() else 0.0

    def _join(self) -> tuple[FloatArray, FloatArray, BoolArray]:
        # what is cut off must be older than anything a later window can ask for: the newest chunk may be long
        keep = max(self._keep, self._chunks[-1][0].shape[1] + self._keep)
        samples_uv = np.concatenate([chunk[0] for chunk in self._chunks], axis=1)[:, -keep:]
        times_s = np.concatenate([chunk[1] for chunk in self._chunks])[-keep:]
        lost = np.concatenate([chunk[2] for chunk in self._chunks])[-keep:]
        self._chunks, self._held = [(samples_uv, times_s, lost)], len(times_s)
        return self._chunks[0]


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
