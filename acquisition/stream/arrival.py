"""Samples in order of their stamps, each once: what the timeline lays out."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acquisition.signal import EegChunk, FloatArray

JUMP_S = 30.0
"""Stamps so far apart are a clock that was set."""
BACK_S = 1.0
"""So far behind is no late sample but a clock set back."""
REORDER_S = 0.06
"""Samples may overtake each other by so much once that was seen to happen."""
REMEMBER_S = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """New samples (n_channels, n) with rising stamps (n,).

    ``apart_s`` is the least and the most that two of the stamps lie apart, where that was looked at.
    """

    raw_s: FloatArray
    samples_uv: FloatArray
    battery_percent: float | None
    counter: FloatArray | None
    extras: FloatArray | None
    apart_s: tuple[float, float] | None = None

    def select(self, which: np.ndarray) -> Part:
        """The samples that an index or mask (n,) picks."""
        return Part(
            self.raw_s[which],
            self.samples_uv[:, which],
            self.battery_percent,
            None if self.counter is None else self.counter[which],
            None if self.extras is None else self.extras[:, which],
        )


class Arrivals:
    """Sorts within a chunk and, once samples were seen to overtake, across chunks; drops what came before."""

    def __init__(self, rate_hz: float, reorder_s: float = 0.0) -> None:
        self._hold_s = reorder_s
        self._held: Part | None = None
        self._newest_s = -np.inf
        self._seen: deque[Part] = deque()
        self._seen_count = 0
        self._remember = round(REMEMBER_S * rate_hz)

    def sort(self, chunk: EegChunk) -> list[Part]:
        """The new samples, parts of shape (n_channels, n); several where the clock jumped in the chunk."""
        raw_s = np.asarray(chunk.times_s, dtype=np.float64)
        apart_s = self._following(raw_s)
        part = Part(raw_s, chunk.samples_uv, chunk.battery_percent, chunk.counter, chunk.extras, apart_s)
        if apart_s is not None:
            return [self._remembered(part)]
        usable = np.isfinite(raw_s)
        if not usable.all():
            part = part.select(usable)
        cuts = np.flatnonzero(np.abs(np.diff(part.raw_s)) > JUMP_S) + 1
        pieces = np.split(np.arange(len(part.raw_s)), cuts)
        fresh = [self._fresh(part.select(piece)) for piece in pieces if len(piece)]
        return [piece for piece in fresh if len(piece.raw_s)]

    def forget(self) -> None:
        """The stream was opened anew."""
        self._held, self._newest_s = None, -np.inf
        self._seen.clear()
        self._seen_count = 0

    def _fresh(self, part: Part) -> Part:
        part = self._with_held(part)
        if len(part.raw_s) > 1 and (np.diff(part.raw_s) <= 0).any():
            part = _unique(part.select(np.argsort(part.raw_s, kind="stable")))
        if not self._newest_s < part.raw_s[0] < self._newest_s + JUMP_S:
            part = self._without_old(part)
        if self._hold_s and len(part.raw_s):
            ready = part.raw_s <= part.raw_s[-1] - self._hold_s
            self._held = part.select(~ready)
            part = part.select(ready)
        return self._remembered(part) if len(part.raw_s) else part

    def _following(self, raw_s: FloatArray) -> tuple[float, float] | None:
        """The usual case: rising stamps that go on where the last chunk ended; ``Part.apart_s`` of them."""
        if not len(raw_s) or self._hold_s or not self._newest_s < raw_s[0] < self._newest_s + JUMP_S:
            return None
        if len(raw_s) == 1:
            return math.inf, -math.inf
        if not np.isfinite(raw_s).all():
            return None
        steps_s = raw_s[1:] - raw_s[:-1]
        least_s, most_s = float(steps_s.min()), float(steps_s.max())
        return (least_s, most_s) if least_s > 0 and most_s < JUMP_S else None

    def _remembered(self, part: Part) -> Part:
        self._newest_s = float(part.raw_s[-1])
        self._seen.append(part)
        self._seen_count += len(part.raw_s)
        while self._seen_count - len(self._seen[0].raw_s) > self._remember:
            self._seen_count -= len(self._seen.popleft().raw_s)
        return part

    def _with_held(self, part: Part) -> Part:
        held, self._held = self._held, None
        if held is None or not len(held.raw_s):
            return part
        if abs(part.raw_s[0] - held.raw_s[-1]) > JUMP_S:
            return part
        join = np.concatenate
        return Part(
            join([held.raw_s, part.raw_s]),
            join([held.samples_uv, part.samples_uv], axis=1),
            part.battery_percent,
            None if held.counter is None or part.counter is None else join([held.counter, part.counter]),
            None if held.extras is None or part.extras is None else join([held.extras, part.extras], axis=1),
        )

    def _without_old(self, part: Part) -> Part:
        """Drop what was seen. Stamps that lie behind and were never seen: late ones, or a clock set back."""
        if self._seen:
            part = part.select(~np.isin(_marks(part), np.concatenate([_marks(old) for old in self._seen])))
        if not len(part.raw_s):
            return part
        late = part.raw_s <= self._newest_s
        if late.all() and part.raw_s[-1] < self._newest_s - BACK_S:
            self._held = None
            return part
        if late.any():
            self._hold_s = max(self._hold_s, REORDER_S)
        return part.select(~late)


def _marks(part: Part) -> NDArray[np.complex128]:
    """What tells a sample that comes again from a new one with the same stamp: stamp and first value."""
    marks: NDArray[np.complex128] = part.raw_s + 1j * np.nan_to_num(part.samples_uv[0])
    return marks


def _unique(part: Part) -> Part:
    """One of each: samples of one stamp are the same one only if their values are the same as well."""
    same = np.diff(part.raw_s) == 0
    values = part.samples_uv
    same &= ((values[:, 1:] == values[:, :-1]) | (np.isnan(values[:, 1:]) & np.isnan(values[:, :-1]))).all(
        axis=0
    )
    if part.counter is not None:
        same &= np.diff(part.counter) == 0
    if not same.any():
        return part
    return part.select(np.concatenate([[True], ~same]))
