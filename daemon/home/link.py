"""The link of a role in a home: it announces to Home Assistant, tells changes of mood, shares no more than is
wished, and counts what the metrics show. The roles publish and hear as beside any other link.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from daemon.health.endpoint import Health, serve_health
from daemon.health.metrics import RoleCounts
from daemon.home.discovery import Discovery
from daemon.home.entities import Owner
from daemon.home.introduction import Introduction
from daemon.home.mood_events import MoodEvents
from daemon.home.sharing import coarse, is_loopback
from daemon.mqtt import topics
from daemon.mqtt.codec import MessageError, decode_command
from daemon.mqtt.commands import ForgetCommand
from daemon.mqtt.documents import Document, Emotion, Forgotten
from daemon.mqtt.outlet import Outlet
from daemon.mqtt.topics import ENGINE_AVAILABILITY, PLAYER_AVAILABILITY
from daemon.mqtt.transport.link import MqttLink, OnMessage
from daemon.rate_limit import Buckets, CommandRate
from daemon.settings import Settings
from daemon.wearers.keeping import keeping_of
from daemon.wearers.wearer import wearer_of

MEANWHILE: dict[Owner, str] = {
    "player": "the music goes on",
    "engine": "the headset is read on",
}
AVAILABILITY: dict[Owner, str] = {"engine": ENGINE_AVAILABILITY, "player": PLAYER_AVAILABILITY}
COMMAND = "cmd/"
FLOOD = (500, 100)
"""So many commands of a name that are left out at once, and so many a second, are borne."""
MUTE_S = 1.0
"""Of more, nothing is taken from the broker for so long: then as many are heard again as may be."""
ANNOUNCE_AGAIN_S = 5.0
"""Home Assistant's own restarts are announced again at most so often, whoever claims them."""


class HomeLink:
    """The one link of the engine or of the player, which it gives to their ``outlet``.

    Serves the role's health while it lasts. ``forget_wearer`` is called when the wearer is to be forgotten.
    """

    def __init__(
        self,
        settings: Settings,
        owner: Owner,
        outlet: Outlet,
        *,
        on_message: OnMessage,
        subscriptions: Sequence[str],
        counts: RoleCounts | None = None,
        forget_wearer: Callable[[], None] = lambda: None,
    ) -> None:
        self._owner: Owner = owner
        self._wearer, self._forget_wearer = wearer_of(settings).name, forget_wearer
        self._role_on_message = on_message
        self._mood, self._rate = MoodEvents(), CommandRate()
        self._floods = Buckets(*FLOOD, time.monotonic)
        self._announced_s = -ANNOUNCE_AGAIN_S
        self._simulated = False
        self._announcement = announcement_of(settings)
        self._introduction = Introduction(self._announcement, owner, outlet.node.full(AVAILABILITY[owner]))
        self.link = MqttLink(
            settings.broker,
            f"neuroplayer-{settings.node}-{owner}",
            on_message=self._on_message,
            subscriptions=[
                *subscriptions,
                self._announcement.status_topic,
                *self._introduction.subscriptions,
            ],
            availability=outlet.node.full(AVAILABILITY[owner]),
            meanwhile=MEANWHILE[owner],
        )
        self.health = Health(owner, self.link, counts) if settings.health_port is not None else None
        self._health_port = settings.health_port
        if not keeping_of(settings).on:
            self.link.stop_retaining()
        self._stack = contextlib.AsyncExitStack()
        self.outlet = outlet
        outlet.link = self.link
        if settings.share == "coarse":
            outlet.share = coarse
        outlet.listen(self._on_document)
        if self.health is not None:
            outlet.listen(self.health.note)

    async def __aenter__(self) -> Self:
        if self.health is not None:
            await self._stack.enter_async_context(serve_health(self.health, self._health_port))
        await self._stack.enter_async_context(self.link)
        if self.link.keeps:
            self._stack.push_async_callback(_ended, asyncio.create_task(self._introduction.run(self.link)))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def introduced(self) -> bool:
        """Whether Home Assistant has been told everything."""
        return self._introduction.over

    def _on_document(self, document: Document) -> None:
        self._simulated = document.simulated
        if isinstance(document, Emotion) and (event := self._mood.on_state(document)) is not None:
            self.outlet.publish(topics.MOOD_CHANGED, event, qos=1)

    def _on_message(self, topic: str, payload: bytes, retained: bool) -> None:
        name = self.outlet.node.short(topic) or ""
        if name.startswith(COMMAND) and not self._rate.allows(name.removeprefix(COMMAND)):
            self.link.counters.flooding_commands += 1
            if not self._floods.allow(name):
                self.link.mute(topic, MUTE_S)
        elif name == COMMAND + topics.FORGET:
            self._forget(payload, retained)
        elif topic == self._announcement.status_topic:
            self._on_home_status(payload)
        elif not self._introduction.on_message(topic, payload):
            self._role_on_message(topic, payload, retained)

    def _on_home_status(self, payload: bytes) -> None:
        """Home Assistant comes or goes."""
        if payload == topics.ONLINE and time.monotonic() - self._announced_s >= ANNOUNCE_AGAIN_S:
            self._announced_s = time.monotonic()
            if self.link.keeps:
                self._introduction.again(self.link)
            self.link.republish()

    def _forget(self, payload: bytes, retained: bool) -> None:
        """Keep nothing more, if it is this session's wearer who is to be forgotten, and answer."""
        try:
            command = decode_command(topics.FORGET, payload)
        except MessageError:
            self._role_on_message(
                self.outlet.node.command(topics.FORGET), payload, retained
            )  # which refuses it
            return
        if isinstance(command, ForgetCommand) and command.wearer == self._wearer and not retained:
            self._forget_wearer()
            self.link.stop_retaining()
            answer = Forgotten(at=datetime.now(UTC), simulated=self._simulated, role=self._owner)
            self.outlet.publish(topics.FORGOTTEN, answer, qos=1)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def announcement_of(settings: Settings) -> Discovery:
    """What Home Assistant is told of this node. The page is named only where others can reach it."""
    home, web = settings.home_assistant, settings.web
    loopback = web is None or web.host in ("localhost", "") or is_loopback(settings.broker)
    return Discovery(
        node=settings.node,
        style=home.discovery,
        prefix=home.prefix,
        name=home.name,
        page_url=None
        if web is None or loopback or web.host == "0.0.0.0"  # noqa: S104 - compared, not bound
        else f"http://{web.host}:{web.port}",
    )
