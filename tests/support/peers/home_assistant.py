"""A real Home Assistant that a test tells what to do, in its own process and environment."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from support.free_ports import a_free_port
from support.waiting import PATIENCE_S

PYTHON = os.environ.get("NEUROPLAYER_HA_PYTHON")
SCRIPT = Path(__file__).with_name("home_assistant_told.py")


class HomeAssistant:
    """Started by ``async with``; another one on the same folder is the same home after a restart."""

    def __init__(self, folder: Path, broker_port: int) -> None:
        self._given = [str(SCRIPT), str(folder), str(broker_port), str(a_free_port())]
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            str(PYTHON),
            *self._given,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=1 << 22,
        )
        await self.tell("states")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), PATIENCE_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def tell(self, step: str, *given: Any) -> Any:
        """Have a step done (a method of ``Told``); what it answers."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([step, *given]).encode() + b"\n")
        while line := await self._process.stdout.readline():
            if line.startswith(b"answer "):
                return json.loads(line.removeprefix(b"answer "))
        raise AssertionError(f"Home Assistant ended at {step}")

    async def shown(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The states, once they are as wanted, or as they are after all patience."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                states: dict[str, Any] = await self.tell("states")
                if wanted(states):
                    return states
                await asyncio.sleep(0.1)
