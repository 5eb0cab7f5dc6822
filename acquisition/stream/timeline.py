"""Puts any source's time stamps onto one steady, rising line, and counts what is missing.

Pure: it knows only the stamps, the device's own counter where there is one, and the nominal rate. A
phase-locked line follows the device's drift; jitter of single stamps (Bluetooth packets come in bursts) is
smoothed; a short hole is interpolated and marked, a real one becomes a ``Gap``; a jump of the device's clock
is re-anchored, so that windows never see it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from acquisition.signal import EegChunk, FloatArray, Gap
from acquisition.stream.arrival import BACK_S, JUMP_S, Arrivals, Part

JITTER_S = 0.15
"""Stamps of an unsteady stream this far from the line are jitter; beyond it samples are missing."""
BRIDGE_S = 0.25
"""Shorter holes are interpolated: windows go on, with the share of missing samples known."""
FOLLOW = 0.02
"""Share of a chunk's phase error that is corrected (a time constant of some fifty chunks)."""
STEADY_CHUNKS = 16
"""After so many chunks on the nominal grid the stream counts as steady, and single holes are seen.

Within a chunk drivers often write an even grid; what tells is how chunks join.
"""
STEADY_PERIODS = 0.12
"""How far from a whole number of periods a steady stream's stamps may lie apart."""


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """How many places on the line each sample advances (1: none is missing before it).

    Where ``places`` is None it is known without a look that each advances one.
    """

    count: int
    places: FloatArray | None = None
    jumped: bool = False

    @property
    def total(self) -> float:
        """Places that all of them advance together."""
        return float(self.count if self.places is None else self.places.sum())

    def late(self, places: int) -> _Steps:
        """The same with so many more places before the first sample."""
        found = np.ones(self.count) if self.places is None else self.places
        found[0] += places
        return _Steps(self.count, found)


class Timeline:
    """Cleans one stream of ``rate_hz``. ``counter_modulo``: see ``StreamInfo``.

    ``reorder_s`` holds samples back so long for late ones; it rises by itself when a late one is seen.
    """

    def __init__(self, rate_hz: float, *, counter_modulo: int | None = None, reorder_s: float = 0.0) -> None:
        self._period_s, self._rate_hz = 1 / rate_hz, rate_hz
        self._modulo = counter_modulo
        self._arrivals = Arrivals(rate_hz, reorder_s)
        self._last_s: float | None = None
        self._last_uv: FloatArray | None = None
        self._raw_s = float("nan")
        self._counter: float | None = None
        self._arrived_s: float | None = None
        self._offset_s = 0.0
        self._steady = 0
        self._reanchor = False

    @property
    def newest_stamp_s(self) -> float:
        """The device's own time of the newest sample; NaN before the first."""
        return self._raw_s

    def push(self, chunk: EegChunk, arrived_s: float | None = None) -> list[EegChunk | Gap]:
        """What the chunk amounts to: gaps, and the samples that are new, in order.

        ``arrived_s`` is when it came by this machine's steady clock: it tells a device clock that was set
        from samples that were lost.
        """
        items: list[EegChunk | Gap] = []
        for part in self._arrivals.sort(chunk):
            items += self._place(part, arrived_s)
        if items and arrived_s is not None:
            self._arrived_s = arrived_s
        return items

    def reconnected(self, lost_s: float) -> Gap | None:
        """Mark that the stream was opened anew after ``lost_s`` seconds; its clock may be another one."""
        self._arrivals.forget()
        self._counter, self._arrived_s, self._steady = None, None, 0
        if self._last_s is None:
            return None
        missing = max(0, round(lost_s * self._rate_hz))
        gap = Gap(self._last_s, self._last_s + missing * self._period_s, missing, "reconnect")
        self._last_s, self._last_uv = gap.end_s, None
        self._reanchor = True
        return gap

    def _place(self, part: Part, arrived_s: float | None) -> list[EegChunk | Gap]:
        items: list[EegChunk | Gap] = []
        first = self._last_s is None or self._reanchor
        steps = self._steps(part, first=first)
        total = steps.total
        if self._last_s is None:
            self._last_s = float(part.raw_s[-1]) - total * self._period_s
        elif self._reanchor:
            self._anchor(part, total)
        elif steps.jumped or not -BACK_S <= self._error_s(part, total) <= JUMP_S:
            items.append(self._jump(part, arrived_s))
            steps = self._steps(part, first=True)
            total = steps.total
            self._anchor(part, total)
        self._raw_s = float(part.raw_s[-1])
        self._counter = None if part.counter is None else float(part.counter[-1])
        error_s = self._error_s(part, total)
        if error_s > JITTER_S and not self._counts(part):
            steps = steps.late(round(error_s * self._rate_hz))
            total = steps.total
            error_s = self._error_s(part, total)
        correction_s = FOLLOW * min(max(error_s, -JITTER_S), JITTER_S)
        step_s = self._period_s + correction_s / total
        if steps.places is None:
            return [*items, self._lay_even(part, step_s)]
        return items + self._lay(part, steps.places, step_s)

    def _counts(self, part: Part) -> bool:
        return self._modulo is not None and part.counter is not None

    def _error_s(self, part: Part, total: float) -> float:
        """How far the newest stamp lies ahead of the line, which it has advanced by ``total`` places.

        Judged by the last sample: a burst's earlier stamps are squeezed, its last is the truest.
        """
        return float(part.raw_s[-1]) + self._offset_s - (self._last_s or 0.0) - total * self._period_s

    def _anchor(self, part: Part, total: float) -> None:
        """Tie the newest stamp to where the line puts it."""
        self._offset_s = (self._last_s or 0.0) + total * self._period_s - float(part.raw_s[-1])
        self._reanchor = False

    def _jump(self, part: Part, arrived_s: float | None) -> Gap:
        """The device's clock was set. What was lost meanwhile is known by when the chunks came."""
        begin_s = self._last_s or 0.0
        missing = 0
        if arrived_s is not None and self._arrived_s is not None:
            away_s = arrived_s - self._arrived_s - len(part.raw_s) * self._period_s
            missing = round(away_s * self._rate_hz) if away_s > 2 * JITTER_S else 0
        self._last_s = begin_s + missing * self._period_s
        self._steady = 0
        if missing:
            self._last_uv = None
        return Gap(begin_s, self._last_s, missing, "clock_jump", bridged=missing == 0)

    def _steps(self, part: Part, *, first: bool) -> _Steps:
        """Places each sample advances, by the counter, else by steady stamps, else one each."""
        count = len(part.raw_s)
        first_s = self._period_s if first else float(part.raw_s[0]) - self._raw_s
        if first_s > JUMP_S or first_s < -BACK_S:
            return _Steps(count, jumped=True)
        if part.apart_s is not None and not self._counts(part):
            least, most = (self._rate_hz * step_s for step_s in part.apart_s)
            least, most = min(least, first_s * self._rate_hz), max(most, first_s * self._rate_hz)
            if most <= 1 + STEADY_PERIODS:  # the usual case
                self._steady = self._steady + 1 if least >= 1 - STEADY_PERIODS else 0
                return _Steps(count)
        apart = np.diff(part.raw_s, prepend=part.raw_s[0] - first_s) * self._rate_hz
        if self._modulo is not None and part.counter is not None:
            return _Steps(count, self._counted(part.counter, apart, self._modulo, first=first))
        whole = np.maximum(1.0, np.round(apart))
        rough = bool((np.abs(apart - whole) > STEADY_PERIODS).any())
        self._steady = 0 if rough else self._steady + 1
        return _Steps(count, whole if self._steady > STEADY_CHUNKS else None)

    def _counted(self, counter: FloatArray, apart: FloatArray, modulo: int, *, first: bool) -> FloatArray:
        """Steps of the counter; whole turns of it, which it cannot show, by the stamps."""
        before = counter[0] - 1 if self._counter is None or first else self._counter
        places: FloatArray = np.diff(counter, prepend=before) % modulo
        places[places < 1] = modulo if len(places) == 1 else 1
        beyond = float(apart.sum() - places.sum())
        turns = round(beyond / modulo)
        # a delay that is no whole turn is a late burst
        if turns > 0 and abs(beyond - turns * modulo) < JITTER_S * self._rate_hz:
            places[int(np.argmax(apart - places))] += turns * modulo
        return places

    def _lay_even(self, part: Part, step_s: float) -> EegChunk:
        """The samples on the line where none is missing."""
        assert self._last_s is not None  # noqa: S101 - set by _place
        times_s: FloatArray = self._last_s + step_s * np.arange(1.0, len(part.raw_s) + 1)
        self._last_s, self._last_uv = float(times_s[-1]), part.samples_uv[:, -1].copy()
        return EegChunk(part.samples_uv, times_s, part.battery_percent, extras=part.extras)

    def _lay(self, part: Part, places: FloatArray, step_s: float) -> list[EegChunk | Gap]:
        """The samples on the line; short holes bridged, long ones between chunks."""
        assert self._last_s is not None  # noqa: S101 - set by _place
        ends_s = self._last_s + step_s * np.cumsum(places)
        items: list[EegChunk | Gap] = []
        holes = np.flatnonzero(places > 1)
        start = 0
        limit = max(1.0, BRIDGE_S * self._rate_hz)
        for hole in holes:
            missing = int(places[hole]) - 1
            begin_s = float(ends_s[hole] - step_s * places[hole])
            bridged = missing <= limit and bool(hole > 0 or self._last_uv is not None)
            if not bridged:
                items += self._join(part, places, ends_s, start, int(hole), step_s)
                start = int(hole)
                self._last_uv = None
                places[hole] = 1
            items.append(Gap(begin_s, begin_s + missing * step_s, missing, "lost", bridged=bridged))
        items += self._join(part, places, ends_s, start, len(places), step_s)
        self._last_s = float(ends_s[-1])
        return items

    def _join(
        self, part: Part, places: FloatArray, ends_s: FloatArray, start: int, end: int, step_s: float
    ) -> list[EegChunk | Gap]:
        """Samples ``start`` to ``end`` as one chunk, with what is missing between them interpolated."""
        if end <= start:
            return []
        samples_uv, steps = part.samples_uv[:, start:end], places[start:end]
        extras = None if part.extras is None else part.extras[:, start:end]
        times_s: FloatArray = ends_s[start:end]
        before_uv, self._last_uv = self._last_uv, samples_uv[:, -1].copy()
        if not (steps > 1).any() or (before_uv is None and not (steps[1:] > 1).any()):
            return [EegChunk(samples_uv, times_s, part.battery_percent, extras=extras)]
        ends = np.cumsum(steps).astype(np.int64) - 1
        at = np.arange(int(ends[-1]) + 1)
        known, rows = ends.astype(np.float64), samples_uv
        if before_uv is not None:
            known, rows = np.concatenate([[-1.0], known]), np.column_stack([before_uv, samples_uv])
        filled_uv = np.stack([np.interp(at, known, row) for row in rows])
        filled_uv[:, ends] = samples_uv
        missing = np.ones(len(at), dtype=np.bool_)
        missing[ends] = False
        line_s = times_s[0] - step_s * float(ends[0]) + step_s * at
        line_s[ends] = times_s
        if extras is not None:
            extras = np.stack([np.interp(at, ends, row) for row in extras])
        return [EegChunk(filled_uv, line_s, part.battery_percent, extras=extras, interpolated=missing)]
