"""Token buckets: so many at once, so many a second, for a bounded number of strangers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MAX_KNOWN = 1024


@dataclass
class Bucket:
    """``burst`` at once, then ``rate_hz`` a second."""

    burst: float
    rate_hz: float
    clock: Callable[[], float]
    _left: float = -1.0
    _at_s: float = 0.0

    def take(self) -> bool:
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

    def take(self, name: str) -> bool:
        """Whether ``name`` may do it once more now."""
        bucket = self._known.pop(name, None) or Bucket(self._burst, self._rate_hz, self._clock)
        self._known[name] = bucket
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return bucket.take()
