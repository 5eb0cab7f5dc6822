"""How patient the acquisition loop is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """When silence gets which name, and how eagerly the source is opened again."""

    stale_s: float = 2.0
    lost_s: float = 30.0
    reopen_s: tuple[float, ...] = (4.0, 8.0, 16.0, 30.0)
    """Silence after which an open source is closed and opened anew: the first time, the second .."""
    backoff_s: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
    jitter: float = 0.25
    absent_s: float = 1.0
    """Pause before looking again for a device that is not there."""
    incompatible_s: float = 4.0
    """Pause before looking whether a stream of another layout has become right again."""
    slept_s: float = 5.0
    """A turn so late means that this process was stopped or the machine slept: what waited is old."""
