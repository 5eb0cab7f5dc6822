"""A role made known to Home Assistant, after a look at what the broker still keeps of it in the other style.

Two entities of one id are one too many, and one that goes takes with it what a person has made of it. So what
was announced before is handed over, as Home Assistant's own documentation asks for it.
"""

from __future__ import annotations

import asyncio
import contextlib

from daemon.home.discovery import MIGRATE, Discovery
from daemon.home.entities import Owner
from daemon.mqtt.transport.link import MqttLink

LOOK_S = 3.0
"""So long for what is retained, on a broker that never lets us hear ourselves."""
LOAD_S = 1.0
"""In this Home Assistant has let entities go, and has made them anew."""
TOMBSTONE_S = 5
"""So long a broker keeps the message that ends a device. An empty one would do, but when it comes there is no
such device any more, and Home Assistant complains."""


class Introduction:
    """Given by ``on_message`` what comes on ``subscriptions``; ``run`` ends once everything is said."""

    def __init__(self, announcement: Discovery, owner: Owner, availability: str) -> None:
        self._announcement, self._owner, self._availability = announcement, owner, availability
        self._topics = frozenset(announcement.topics(owner))
        self._found: set[str] = set()
        self._looked = asyncio.Event()
        self.over = False

    @property
    def subscriptions(self) -> list[str]:
        """In this order: a broker has sent what it keeps of the first before anything of the last."""
        return [*self._announcement.filters(self._owner), self._availability]

    def on_message(self, topic: str, payload: bytes) -> bool:
        """Whether this was meant for here."""
        if topic == self._availability:
            self._looked.set()
        elif topic in self._topics and payload and not self._looked.is_set():
            self._found.add(topic)
        return topic in self._topics or topic == self._availability

    async def run(self, link: MqttLink) -> None:
        """Once the broker is there: take over from the other style, and announce."""
        await link.connected.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._looked.wait(), LOOK_S)
        self._looked.set()
        messages = self._announcement.messages(self._owner)
        left = sorted(self._found - set(messages))
        if left and messages:
            await self._hand_over(link, left)
        self._publish(link, messages)
        if left and messages:
            await asyncio.sleep(LOAD_S)
        self._bury(link, left, handed_over=bool(messages))
        self.over = True

    def again(self, link: MqttLink) -> None:
        """Home Assistant has started anew."""
        if self.over:
            self._publish(link, self._announcement.messages(self._owner))

    def _publish(self, link: MqttLink, messages: dict[str, bytes]) -> None:
        for topic, payload in messages.items():
            link.retain(topic, payload)

    async def _hand_over(self, link: MqttLink, left: list[str]) -> None:
        for topic in left:
            link.send(topic, MIGRATE, qos=1)
        await asyncio.sleep(LOAD_S)

    def _bury(self, link: MqttLink, left: list[str], *, handed_over: bool) -> None:
        device = self._announcement.device_topic(self._owner)
        for topic in left:
            if topic == device and handed_over and link.knows_expiry:
                link.put(topic, MIGRATE, expiry_s=TOMBSTONE_S)
            else:
                link.put(topic, b"")
