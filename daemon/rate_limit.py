"""Token buckets: so many at once, so many a second, for a bounded number of strangers."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many at once, and so many a second for good."""

    burst: float
    per_s: float


LIGHT = Limit(burst=100, per_s=50)
"""A slider that is dragged sends some dozens a second."""
HEAVY: Mapping[str, Limit] = {
    name: Limit(burst=10, per_s=0.5) for name in ("session", "recalibrate", "record", "library_rescan")
}
"""What begins a session, a rest or a file anew, or reads all the music."""
TELL_EVERY_S = 60.0


class CommandRate:
    """Asked for each command that comes. ``clock`` is steady, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tokens: dict[str, tuple[float, float]] = {}
        self._told_s: float | None = None

    def allows(self, command: str) -> bool:
        """Whether it is to be heard. Says once a minute at most that some are not."""
        limit, now_s = HEAVY.get(command, LIGHT), self._clock()
        tokens, at_s = self._tokens.get(command, (limit.burst, now_s))
        tokens = min(limit.burst, tokens + (now_s - at_s) * limit.per_s)
        allowed = tokens >= 1
        self._tokens[command] = (tokens - allowed, now_s)
        if not allowed and (self._told_s is None or now_s - self._told_s >= TELL_EVERY_S):
            self._told_s = now_s
            log.warning("too many commands %r come: more than %g a second are left out", command, limit.per_s)
        return allowed


MAX_KNOWN = 1024


@dataclass
class Bucket:
    """``burst`` at once, then ``rate_hz`` a second."""

    burst: float
    rate_hz: float
    clock: Callable[[], float]
    _left: float = -1.0
    _at_s: float = 0.0

    def allow(self) -> bool:
        """Whether one more is allowed now."""
        now_s = self.clock()
        if self._left < 0:
            self._left, self._at_s = self.burst, now_s
        self._left = min(self.burst, self._left + (now_s - self._at_s) * self.rate_hz)
        self._at_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class Buckets:
    """One bucket a name; the longest unseen is forgotten first."""

    def __init__(self, burst: float, rate_hz: float, clock: Callable[[], float]) -> None:
        self._burst, self._rate_hz, self._clock = burst, rate_hz, clock
        self._known: OrderedDict[str, Bucket] = OrderedDict()

    def allow(self, name: str) -> bool:
        """Whether ``name`` may do it once more now."""
        bucket = self._known.pop(name, None) or Bucket(self._burst, self._rate_hz, self._clock)
        self._known[name] = bucket
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return bucket.allow()
