"""Waiting for what a child process does, for as long as it could have run, however busy the machine is."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from acquisition.isolation.child_clock import LOOK_S, ChildClock

Kind = TypeVar("Kind")


async def done_in_time(work: asyncio.Future[Any], pid: int, patience_s: float) -> bool:
    """Wait for ``work`` until the process could have run for ``patience_s`` seconds; whether it is done."""
    clock = ChildClock(pid)
    while not work.done() and clock() < patience_s:
        await asyncio.wait({work}, timeout=min(LOOK_S, patience_s))
    return work.done()


async def within(work: Coroutine[Any, Any, Kind], pid: int, patience_s: float) -> Kind:
    """What ``work`` returns. Raises ``TimeoutError`` and cancels it once the process had that long."""
    task = asyncio.create_task(work)
    try:
        if not await done_in_time(task, pid, patience_s):
            raise TimeoutError
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
