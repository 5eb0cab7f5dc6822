"""A clock that goes on only when told to, or while something sleeps."""

from __future__ import annotations


class MovedClock:
    """Called for the time in seconds; a test adds to ``now_s``."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
