"""The port every output stands behind, and the clock that paces those without one of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from player.deck import MIX_RATE_HZ, PcmBlock

LEAD_S = 0.25
"""So long the rest of the machine may keep us from the processor without being heard."""
LOST_TIME_S = 1.0


class SinkError(Exception):
    """The output cannot be opened or is gone. The message is one line for a person."""


class Sink(Protocol):
    """Takes blocks at the mixing rate.

    It may count ``dropped_frames`` and ``underruns``, and tell in ``problem`` (a line, or None) what is wrong
    although it takes sound: that nobody reads it, for one.
    """

    @property
    def name(self) -> str:
        """What it is called to a person."""
        ...

    @property
    def paces(self) -> bool:
        """True where ``write`` waits for a clock of the output's own."""
        ...

    def open(self) -> None:
        """Raises SinkError. May take seconds."""
        ...

    def write(self, block: PcmBlock, wait: bool = True) -> None:
        """Take a block (n, 2); without ``wait`` drop what has no room. Raises SinkError when it is lost."""
        ...

    def close(self) -> None:
        """Safe to call twice, and without ``open``. Raises SinkError for a file that cannot be finished."""
        ...


@runtime_checkable
class TitledSink(Protocol):
    """An output that shows what sounds."""

    def set_title(self, title: str) -> None:
        """From now on this sounds; never waits, open or not."""
        ...


class Pacer:
    """Lets frames through in real time, ``LEAD_S`` ahead. After a long stop it starts anew, without haste."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._due_s: float | None = None

    def wait(self, n_frames: int) -> None:
        """Wait until these frames may be produced."""
        now_s = self._clock()
        if self._due_s is None or now_s - self._due_s > LOST_TIME_S:
            self._due_s = now_s
        self._due_s += n_frames / MIX_RATE_HZ
        ahead_s = self._due_s - LEAD_S - now_s
        if ahead_s > 0:
            self._sleep(ahead_s)

    def forget(self) -> None:
        """Another clock has paced meanwhile: start anew."""
        self._due_s = None


class NullSink:
    """Hears everything and says nothing."""

    name = "null"
    paces = False

    def open(self) -> None:
        """Nothing to open."""

    def write(self, block: PcmBlock, wait: bool = True) -> None:
        """Drop the block (n, 2)."""

    def close(self) -> None:
        """Nothing to close."""
