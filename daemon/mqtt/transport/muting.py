"""Topics that are not listened to for a while, because too much comes on them.

What is left out after it was read has kept everything else waiting: the other commands, of which a broker
drops what waits too long, and the answer to our ping, without which the connection is given up. So the broker
is asked not to send it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import aiomqtt

Subscribe = Callable[[aiomqtt.Client, str], Awaitable[object]]


class Muting:
    """``subscribe`` brings a topic back. One a link; a new connection begins with every topic heard."""

    def __init__(self, subscribe: Subscribe) -> None:
        self._subscribe = subscribe
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def mute(self, client: aiomqtt.Client, topic: str, seconds: float) -> None:
        """Hear nothing of this topic for so long. Returns at once."""
        if topic not in self._tasks:
            task = asyncio.create_task(self._mute(client, topic, seconds))
            self._tasks[topic] = task
            task.add_done_callback(lambda _: self._tasks.pop(topic, None))

    async def _mute(self, client: aiomqtt.Client, topic: str, seconds: float) -> None:
        with contextlib.suppress(aiomqtt.MqttError, ValueError):  # the link broke meanwhile
            await client.unsubscribe(topic)
            await asyncio.sleep(seconds)
            await self._subscribe(client, topic)

    def close(self) -> None:
        """The link ends, or has broken."""
        for task in list(self._tasks.values()):
            task.cancel()
