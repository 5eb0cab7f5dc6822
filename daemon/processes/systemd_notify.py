"""What systemd is told (sd_notify): ready, alive, reloading, stopping. Silent where nobody listens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable

SOCKET = "NOTIFY_SOCKET"
OWN_VARIABLES = (SOCKET, "WATCHDOG_USEC", "WATCHDOG_PID")
"""Not handed on to child processes: only the service's main process speaks to systemd."""


def notify(state: str) -> bool:
    """Send ``READY=1``, ``WATCHDOG=1``, ``STATUS=...``; whether somebody was there to hear it."""
    address = os.environ.get(SOCKET, "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(state.encode(), address)
        return True
    return False


def watchdog_every_s() -> float | None:
    """A third of the patience of systemd's watchdog, or None where it does not watch this process."""
    text, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not text.isdigit() or not int(text) or (pid.isdigit() and int(pid) != os.getpid()):
        return None
    return int(text) / 1e6 / 3


def reloading() -> None:
    """Tell that the configuration is being read anew; ``ready`` must follow."""
    notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")


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
