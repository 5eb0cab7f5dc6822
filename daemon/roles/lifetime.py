"""What every role does alike: log to standard error, serve until told to stop, then leave in order."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Coroutine
from typing import Any

from daemon.heartbeat import beat
from daemon.stopping import stop_on_signals


def log_to_stderr(role: str) -> None:
    """Warnings as lines that begin with the role's name."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format=f"{role}: %(message)s", force=True)


async def until_stopped(work: Coroutine[Any, Any, object], duration_s: float | None = None) -> None:
    """Run ``work`` until a signal, the end of ``duration_s`` or its own end; its errors are raised."""
    stop = stop_on_signals()
    task = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    beating = asyncio.create_task(beat())
    try:
        await asyncio.wait({task, stopping}, timeout=duration_s, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
    finally:
        for pending in (task, stopping, beating):
            pending.cancel()
        await asyncio.gather(task, stopping, beating, return_exceptions=True)
