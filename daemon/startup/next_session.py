"""One wearer's session ends and another one's begins; nothing passes from one to the other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

import msgspec

from daemon.mqtt import topics
from daemon.mqtt.transport.link import MqttLink
from daemon.places import private_folder
from daemon.processes.locks import sign_again
from daemon.processes.supervisor import Supervisor
from daemon.settings import RoleName, Settings
from daemon.wearers.wearer import leave_no_trace, wearer_of

BROKER_S = 5.0
SETTLE_S = 0.2


class NextSession:
    """Called with whoever is to wear the headset next. ``begin`` is told the settings before any role is.

    All roles but the broker end first: what they know of one wearer goes with their processes. Then a guest's
    files go, and what the broker keeps of the session. Nothing is recorded in the next one until its wearer
    agrees, for a consent is a person's own.
    """

    def __init__(
        self, supervisor: Supervisor, locked: Sequence[RoleName], begin: Callable[[Settings], None]
    ) -> None:
        self._supervisor, self._locked, self._begin = supervisor, locked, begin

    async def __call__(self, wearer: str) -> None:
        old = self._supervisor.settings
        new = msgspec.structs.replace(old, wearer=wearer, record="", open_page=False)

        async def between() -> None:
            leave_no_trace(old)  # before anything can end this
            with contextlib.suppress(OSError):  # what cannot be kept is told by who wants to keep it
                private_folder(wearer_of(new).folder)
            sign_again(new, self._locked)
            self._begin(new)
            await _clear(new)

        await self._supervisor.change(new, between)


async def _clear(settings: Settings) -> None:
    """Have the broker forget the states of the session that has ended, where it can be reached."""
    link = MqttLink(settings.broker, f"neuroplayer-{settings.node}-between", on_message=lambda *_: None)
    node = topics.Topics(settings.node)
    async with link:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(link.connected.wait(), timeout=BROKER_S)
            for name in topics.OF_A_SESSION:
                link.put(node.full(name), b"")
            await asyncio.sleep(SETTLE_S)
