"""Who wears the headset in a session that runs: said on MQTT, and chosen there by page and Home Assistant."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from daemon.home.link import announcement_of
from daemon.home.wearer_select import wearer_select
from daemon.mqtt import documents, topics
from daemon.mqtt.codec import MessageError, decode_command
from daemon.mqtt.commands import Command, ForgetCommand, WearerCommand
from daemon.mqtt.inlet import Inlet
from daemon.mqtt.outlet import Outlet
from daemon.mqtt.transport.link import MqttLink
from daemon.settings import GUEST, Settings
from daemon.wearers.wearer import Wearer, checked_wearer, is_guest, wearer_of, wearers_in

LOOK_S = 0.5
"""So soon somebody who was forgotten is gone from the list, and who is new stands in it."""
FAREWELL_S = 0.3
MAX_KNOWN = 64


def known_wearers(state: Path) -> list[str]:
    """Everybody of whom something may be kept, guests aside; so many at most as a list may show."""
    return [w.name for w in wearers_in(state) if not w.name.startswith(f"{GUEST}-")][:MAX_KNOWN]


class WearerChoice:
    """Hears ``cmd/wearer`` while a session runs. ``turn`` ends it and begins one of another wearer.

    ``current`` gives the settings in force. The link is a new one for each session: what it keeps on the
    broker are names of people, which go with it.
    """

    def __init__(self, current: Callable[[], Settings], turn: Callable[[str], Awaitable[None]]) -> None:
        self._current, self._turn = current, turn
        logging.getLogger("daemon.mqtt").setLevel(logging.CRITICAL)  # of the broker the roles tell already

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._turn(await _Session(self._current()).next_wearer())


class _Session:
    """One session's wearer on the broker."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._wearer = settings, wearer_of(settings)
        self._announced = announcement_of(settings)
        self._outlet = Outlet(topics.Topics(settings.node))
        self._inlet = Inlet(self._outlet, lambda: datetime.now(UTC), self._simulated)
        self._link = MqttLink(
            settings.broker,
            f"neuroplayer-{settings.node}-wearer",
            on_message=self._on_message,
            subscriptions=[self._outlet.node.command(name) for name in (topics.WEARER, topics.FORGET)],
        )
        self._outlet.link = self._link
        self._offered: list[str] | None = None
        self._published: tuple[str, tuple[str, ...]] | None = None
        self._wish: str | None = None

    def _simulated(self) -> bool:
        return self._settings.source.partition(":")[0] == "simulated"

    async def next_wearer(self) -> str:
        """Say who it is, until another one is wished for."""
        async with self._link:
            try:
                while self._wish is None:
                    self._publish_state()
                    await asyncio.sleep(LOOK_S)
            finally:
                await self._withdraw()
        return self._wish

    def _publish_state(self) -> None:
        """Who it is now and who else there is, where that has changed; one who was forgotten is a guest.

        The list for Home Assistant goes a look ahead: it takes no state that is not in the list it knows.
        """
        known = known_wearers(self._wearer.state)
        if self._settings.share != "full":
            known = [name for name in known if name == self._wearer.name]
        if known != self._offered:
            self._offered = known
            topic, message = wearer_select(self._announced, known)
            if message:
                self._link.retain(topic, message)
            return
        guest = is_guest(self._settings) or not self._link.keeps or not self._wearer.folder.is_dir()
        now = (GUEST if guest else self._wearer.name, tuple(known))
        if now == self._published:
            return
        self._published = now
        self._outlet.retain(
            topics.WEARER,
            documents.SessionWearer(
                at=datetime.now(UTC), simulated=self._simulated(), wearer=now[0], known=list(known)
            ),
        )

    async def _withdraw(self) -> None:
        """Nothing of a session that has ended says whose it was, or who is known here.

        The list in Home Assistant stays, with nobody in it: what a person has made of it would go with it.
        """
        self._link.put(self._outlet.node.full(topics.WEARER), b"")
        if self._wish is None:
            topic, message = wearer_select(self._announced, ())
            self._link.put(topic, message if self._link.keeps else b"")
        await asyncio.sleep(FAREWELL_S if self._link.connected.is_set() else 0)

    def _on_message(self, topic: str, payload: bytes, retained: bool) -> None:
        name = self._outlet.node.short(topic) or ""
        if name == f"cmd/{topics.WEARER}":
            self._inlet.handle(name, payload, retained, self._handle_command)
        elif name == f"cmd/{topics.FORGET}" and not retained:
            self._on_forget(payload)

    def _handle_command(self, command: Command) -> None:
        """A guest may follow a guest; the same person goes on."""
        if isinstance(command, WearerCommand):
            guest = command.wearer == GUEST
            name = GUEST if guest else checked_wearer(command.wearer)
            if guest or is_guest(self._settings) or Wearer(name, self._wearer.state) != self._wearer:
                self._wish = name

    def _on_forget(self, payload: bytes) -> None:
        try:
            command = decode_command(topics.FORGET, payload)
        except MessageError:
            return  # which the roles refuse
        if isinstance(command, ForgetCommand) and command.wearer == self._wearer.name:
            self._link.stop_retaining()
