"""A sign of life from each role's event loop to the supervisor, so that one that hangs is noticed.

A byte is written to a pipe twice a second. A blocked loop writes nothing, and neither does a stopped process.
Its silence is measured in the role's own time: what it waited for a processor is not held against it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable

from acquisition.isolation.child_clock import ChildClock

DESCRIPTOR = "NEUROPLAYER_HEARTBEAT_FD"
EVERY_S = 0.5
HUNG_S = 10.0
START_S = 45.0
"""Until its first beat a role has so long."""


async def beat() -> None:
    """Beat until cancelled; at once done where nobody listens."""
    text = os.environ.get(DESCRIPTOR, "")
    if not text.isdigit():
        return
    with contextlib.suppress(OSError):
        while True:
            with contextlib.suppress(BlockingIOError):  # the supervisor sleeps: it has beats enough
                os.write(int(text), b".")
            await asyncio.sleep(EVERY_S)


class Heartbeat:
    """The supervisor's end for one life of a role."""

    def __init__(self, hung_s: float = HUNG_S) -> None:
        self._hung_s = hung_s
        self._clock: Callable[[], float] = time.monotonic
        self._began_s = 0.0
        self._beat_s: float | None = None
        self._read_fd, self.write_fd = os.pipe()
        os.set_blocking(self._read_fd, False)
        os.set_blocking(self.write_fd, False)

    def environment(self) -> dict[str, str]:
        """What the child needs to find its end, which must be passed on."""
        return {DESCRIPTOR: str(self.write_fd)}

    def started(self, pid: int | None) -> None:
        """The child has its end, or was never made: let go of ours."""
        os.close(self.write_fd)
        if pid is not None:
            self._clock = ChildClock(pid)
        self._began_s = self._clock()

    async def until_hung(self) -> None:
        """Return when no beat has come for too long."""
        while True:
            await asyncio.sleep(min(EVERY_S, self._hung_s / 4))
            silent_s = self.silent_s()  # looks for a beat, too
            if silent_s > (START_S if self._beat_s is None else self._hung_s):
                return

    def silent_s(self) -> float:
        """Seconds in which the role could have run since its last beat, or since its start before any."""
        now_s = self._clock()
        with contextlib.suppress(BlockingIOError):
            if self._read_fd >= 0 and os.read(self._read_fd, 4096):
                self._beat_s = now_s
        return now_s - (self._began_s if self._beat_s is None else self._beat_s)

    def has_beaten(self) -> bool:
        """Whether a beat has come in this life, so that the role's loop has begun."""
        self.silent_s()
        return self._beat_s is not None

    def close(self) -> None:
        """Let go of the pipe."""
        os.close(self._read_fd)
        self._read_fd = -1
