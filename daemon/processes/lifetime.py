"""What every role does alike: log to standard error, serve until told to stop, then leave in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from daemon.processes.heartbeat import beat
from daemon.processes.logs import start_logging
from daemon.processes.stopping import stop_on_signals
from daemon.processes.systemd_notify import notify, watch_service
from daemon.settings import LogSettings

HUMAN = LogSettings()


def log_to_stderr(role: str, wanted: LogSettings = HUMAN) -> None:
    """Warnings as lines that begin with the role's name, or as the configuration wants them."""
    start_logging(role, wanted)


async def until_stopped(
    work: Coroutine[Any, Any, object],
    duration_s: float | None = None,
    *,
    hang_up: Callable[[], None] = lambda: None,
) -> None:
    """Run ``work`` until a signal, the end of ``duration_s`` or its own end; its errors are raised.

    SIGHUP calls ``hang_up``. As a service of its own the process tells systemd that its loop is alive.
    """
    stop = stop_on_signals()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hang_up)
    serving = asyncio.create_task(watch_service(lambda: True))
    task = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    beating = asyncio.create_task(beat())
    try:
        await asyncio.wait({task, stopping}, timeout=duration_s, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
    finally:
        notify("STOPPING=1")
        for pending in (task, stopping, beating, serving):
            pending.cancel()
        await asyncio.gather(task, stopping, beating, serving, return_exceptions=True)
