"""Tells systemd that the service is ready and alive, as long as the roles that matter give signs of life."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from daemon.notify import SOCKET, notify, watchdog_every_s

NEEDED = ("engine", "player")
FRESH_S = 5.0
EVERY_S = 1.0


async def watch_service(alive: Callable[[], bool]) -> None:
    """Say ``READY=1`` once all live, then feed the watchdog while they do. Ends at once without systemd."""
    if not os.environ.get(SOCKET):
        return
    every_s = min(EVERY_S, watchdog_every_s() or EVERY_S)
    ready = False
    while True:
        if alive():
            notify("WATCHDOG=1" if ready else "READY=1\nWATCHDOG=1\nSTATUS=engine and player are alive")
            ready = True
        await asyncio.sleep(every_s)
