"""A sign of life from each role's event loop to the supervisor, so that one that hangs is noticed.

A byte is written to a pipe twice a second. A blocked loop writes nothing, and neither does a stopped process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time

DESCRIPTOR = "NEUROPLAYER_HEARTBEAT_FD"
EVERY_S = 0.5
HUNG_S = 10.0
START_S = 45.0
"""Until its first beat a role has so long: interpreters start slowly on a machine that is busy."""
LATE_S = 3.0
"""When the supervisor's own clock jumps so far, it was asleep itself, and nobody is blamed."""


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
        self.beat_s: float | None = None
        """When the last beat came, monotonic."""
        self._read_fd, self.write_fd = os.pipe()
        os.set_blocking(self._read_fd, False)
        os.set_blocking(self.write_fd, False)

    def environment(self) -> dict[str, str]:
        """What the child needs to find its end, which must be passed on."""
        return {DESCRIPTOR: str(self.write_fd)}

    def started(self) -> None:
        """The child has its end: let go of ours."""
        os.close(self.write_fd)

    async def until_hung(self) -> None:
        """Return when no beat has come for too long."""
        began_s = looked_s = time.monotonic()
        while True:
            await asyncio.sleep(min(EVERY_S, self._hung_s / 4))
            now_s = time.monotonic()
            self._look(now_s)
            if now_s - looked_s > LATE_S:
                began_s, self.beat_s = now_s, now_s if self.beat_s is not None else None
            looked_s = now_s
            silent_s = now_s - (began_s if self.beat_s is None else self.beat_s)
            if silent_s > (START_S if self.beat_s is None else self._hung_s):
                return

    def has_beaten(self) -> bool:
        """Whether a beat has come in this life, so that the role's loop has begun."""
        self._look(time.monotonic())
        return self.beat_s is not None

    def _look(self, now_s: float) -> None:
        with contextlib.suppress(BlockingIOError):
            if self._read_fd >= 0 and os.read(self._read_fd, 4096):
                self.beat_s = now_s

    def close(self) -> None:
        """Let go of the pipe."""
        os.close(self._read_fd)
        self._read_fd = -1
