"""The link of a role in a home: it announces to Home Assistant, tells changes of mood, shares no more than is
wished, and counts what the metrics show. The roles publish and hear as on any other link.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from daemon.health.endpoint import Health, serve_health
from daemon.health.metrics import RoleCounts
from daemon.home.discovery import Announcement
from daemon.home.entities import Owner
from daemon.home.mood_events import MoodEvents
from daemon.home.sharing import coarse, is_loopback
from daemon.mqtt import topics
from daemon.mqtt.codec import MessageError, decode, encode
from daemon.mqtt.documents import Emotion
from daemon.mqtt.link import Hear, MqttLink
from daemon.mqtt.topics import ENGINE_AVAILABILITY, PLAYER_AVAILABILITY, Topics
from daemon.rate_limit import CommandRate
from daemon.settings import Settings

MEANWHILE: dict[Owner, str] = {
    "player": "the music goes on",
    "engine": "the headset is read on",
}
AVAILABILITY: dict[Owner, str] = {"engine": ENGINE_AVAILABILITY, "player": PLAYER_AVAILABILITY}
COMMAND = "cmd/"
ANNOUNCE_AGAIN_S = 5.0
"""Home Assistant's own restarts are announced again at most so often, whoever claims them."""


class HomeLink(MqttLink):
    """The one link of the engine or of the player. Serves the role's health while it lasts."""

    def __init__(
        self,
        settings: Settings,
        owner: Owner,
        *,
        hear: Hear,
        subscriptions: Sequence[str],
        counts: RoleCounts | None = None,
    ) -> None:
        self._node = Topics(settings.node)
        self._coarse = settings.share == "coarse"
        self._owner = owner
        self._role_hears = hear
        self._mood, self._rate = MoodEvents(), CommandRate()
        self._announced_s = -ANNOUNCE_AGAIN_S
        self._announcement = announcement_of(settings)
        self._health = Health(owner, self, counts) if settings.health_port is not None else None
        self._health_port = settings.health_port
        self._stack = contextlib.AsyncExitStack()
        super().__init__(
            settings.broker,
            f"neuroplayer-{settings.node}-{owner}",
            hear=self._hear_all,
            subscriptions=[*subscriptions, self._announcement.status_topic],
            availability=self._node.full(AVAILABILITY[owner]),
            meanwhile=MEANWHILE[owner],
        )

    async def __aenter__(self) -> Self:
        if self._health is not None:
            await self._stack.enter_async_context(serve_health(self._health, self._health_port))
        self._introduce()
        await super().__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await super().__aexit__(kind, error, trace)
        finally:
            await self._stack.aclose()

    def keep(self, topic: str, payload: bytes) -> None:
        """Publish a retained state, as far as it may be shared."""
        name = self._node.short(topic)
        if name == topics.EMOTION:
            self._tell_mood(payload)
        shared = self._shared(name, payload)
        if shared is not None:
            super().keep(topic, shared)

    def send(self, topic: str, payload: bytes, *, qos: int = 0) -> None:
        """Publish an event, as far as it may be shared."""
        shared = self._shared(self._node.short(topic), payload)
        if shared is not None:
            super().send(topic, shared, qos=qos)

    def _shared(self, name: str | None, payload: bytes) -> bytes | None:
        if name is None:  # discovery: it carries nothing of the wearer
            return payload
        if self._health is not None:
            self._health.note(name, payload)
        return coarse(name, payload) if self._coarse else payload

    def _tell_mood(self, payload: bytes) -> None:
        with contextlib.suppress(MessageError):
            state = decode(topics.EMOTION, payload)
            event = self._mood.hear(state) if isinstance(state, Emotion) else None
            if event is not None:
                self.send(self._node.full(topics.MOOD_CHANGED), encode(event), qos=1)

    def _hear_all(self, topic: str, payload: bytes, retained: bool) -> None:
        name = self._node.short(topic) or ""
        if name.startswith(COMMAND) and not self._rate.allows(name.removeprefix(COMMAND)):
            self.counters.flooding_commands += 1
        elif topic != self._announcement.status_topic:
            self._role_hears(topic, payload, retained)
        elif payload == topics.ONLINE and time.monotonic() - self._announced_s >= ANNOUNCE_AGAIN_S:
            self._introduce()
            self.say_again()

    def _introduce(self) -> None:
        self._announced_s = time.monotonic()
        for topic, payload in self._announcement.messages(self._owner).items():
            super().keep(topic, payload)


def announcement_of(settings: Settings) -> Announcement:
    """What Home Assistant is told of this node. The page is named only where others can reach it."""
    home, web = settings.home_assistant, settings.web
    loopback = web is None or web.host in ("localhost", "") or is_loopback(settings.broker)
    return Announcement(
        node=settings.node,
        style=home.discovery,
        prefix=home.prefix,
        name=home.name,
        page_url=None
        if web is None or loopback or web.host == "0.0.0.0"  # noqa: S104 - compared, not bound
        else f"http://{web.host}:{web.port}",
    )
