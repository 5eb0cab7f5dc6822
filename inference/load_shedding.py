"""Which windows are left out once the engine is behind for good: the oldest, so that the newest is read.

Samples are never left out: filters and recordings get all of them. Being late for a moment is no reason
either, after a stop or while a network is loaded: what waited is worked off in order, and costs milliseconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable

LIMIT_S = 3.0
"""So late a window may be read for as long as it takes."""
PATIENCE_S = 1.0
"""Later than that only for so long, and for so many windows at least."""
PATIENCE_WINDOWS = 3
SHORT_OF_TIME_S = 60.0
"""So long after a window was left out there is no patience,"""
SHORT_LIMIT_S = 1.0
"""and no window is read later than this."""
FRESH_S = 0.5
"""Once windows are left out, they are until one is this little late,"""
SILENT_S = 2.0
"""or until none was read for so long: where even this does not help, states are late, but still said."""


class LatestWins:
    """Asked for each window whether it is left out. ``late_s``: how late a stream time is dealt with now."""

    def __init__(self, late_s: Callable[[float], float], clock: Callable[[], float] = time.monotonic) -> None:
        self._late_s, self._clock = late_s, clock
        self._begun_s = 0.0
        self._endured = 0
        self._leaving = False
        self._silent_from_s: float | None = None
        self._left_s: float | None = None
        self.left_out = 0
        """Windows left out so far."""
        self.now_late_s = 0.0
        """How late the newest window was."""

    def __call__(self, end_s: float) -> bool:
        """Whether the window that ends at ``end_s`` is left out."""
        late_s = self.now_late_s = self._late_s(end_s)
        self._leaving = late_s > FRESH_S if self._leaving else self._worn_out(late_s)
        if not self._leaving or self._silent_too_long():
            self._silent_from_s = None
            return False
        self.left_out += 1
        self._left_s = self._clock()
        return True

    def _worn_out(self, late_s: float) -> bool:
        if self._left_s is not None and self._clock() - self._left_s < SHORT_OF_TIME_S:
            return late_s > SHORT_LIMIT_S
        if late_s <= LIMIT_S:
            self._endured = 0
            return False
        if not self._endured:
            self._begun_s = self._clock()
        self._endured += 1
        if self._endured <= PATIENCE_WINDOWS or self._clock() - self._begun_s < PATIENCE_S:
            return False
        self._endured = 0
        return True

    def _silent_too_long(self) -> bool:
        now_s = self._clock()
        if self._silent_from_s is None:
            self._silent_from_s = now_s
        return now_s - self._silent_from_s > SILENT_S
