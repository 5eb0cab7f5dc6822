"""Waiting for what must come true, with the patience that a machine busy with other work asks for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

PATIENCE_S = 60.0
"""A healthy product takes a moment of this. How fast it is belongs to ``bench/``, not to a test."""

SCAN_PATIENCE_S = 240.0
"""For what the scan of the music does, which runs behind everything else on a machine: where two other
programs keep two cores busy it gets a thirtieth of one. Such tests have a longer ``timeout``."""


def wait_until(condition: Callable[[], bool], what: str = "it", seconds: float = PATIENCE_S) -> None:
    """Wait for a condition; fails the test with ``what`` when it does not come true."""
    until_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until_s, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)


async def until(condition: Callable[[], bool], what: str = "it", seconds: float = PATIENCE_S) -> None:
    """``wait_until`` on an event loop, which goes on meanwhile."""
    until_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until_s, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.01)
