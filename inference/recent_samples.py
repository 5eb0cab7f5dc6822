"""The newest raw samples, kept for the quality gate."""

from __future__ import annotations

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
