"""A node taken away from Home Assistant, and from what brokers keep."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import msgspec

from daemon.home.discovery import Discovery
from daemon.home.entities import ENTITIES
from daemon.home.wearer_select import wearer_select_topic
from daemon.mqtt import topics
from daemon.mqtt.transport.link import MqttLink, OnMessage
from daemon.settings import BrokerSettings, HomeAssistantSettings

BROKER_S = 5.0
SETTLE_S = 0.5
"""In this a broker has sent what it keeps, and Home Assistant has let entities go."""


async def remove_node(broker: BrokerSettings, home: HomeAssistantSettings, node: str) -> list[str] | None:
    """Have the broker forget what it keeps of the node: which topics' messages went. None: it is not there.

    Home Assistant's discovery goes first, so that nothing listens any more when the states go. Home Assistant
    complains of a whole device that it does not know, so that only one that is kept is ended.
    """
    announced = Discovery(node, home.discovery, home.prefix)
    discovery = [topic for owner in ENTITIES for topic in announced.topics(owner)]
    discovery.append(wearer_select_topic(announced))
    states = [topics.Topics(node).full(name) for name in topics.RETAINED]
    kept: set[str] = set()

    def on_message(topic: str, payload: bytes, retained: bool) -> None:
        if payload:
            kept.add(topic)

    filters = [one for owner in ENTITIES for one in announced.filters(owner)]
    async with linked(broker, on_message, [*dict.fromkeys(filters), *states]) as link:
        if link is None:
            return None
        await asyncio.sleep(SETTLE_S)
        devices = (
            {announced.device_topic(owner) for owner in ENTITIES} if home.discovery != "device" else set()
        )
        gone = [name for name in discovery if name in kept or name not in devices]
        for name in gone:
            link.put(name, b"")
        await asyncio.sleep(SETTLE_S)
        for name in states:
            link.put(name, b"")
    return [name for name in [*discovery, *states] if name in kept]


@contextlib.asynccontextmanager
async def linked(
    broker: BrokerSettings, on_message: OnMessage, subscriptions: Sequence[str]
) -> AsyncIterator[MqttLink | None]:
    """A link of a name of its own; None where the broker does not let it in."""
    identifier = f"neuroplayer-forget-{msgspec.json.encode(id(on_message)).decode()}"
    link = MqttLink(broker, identifier, on_message=on_message, subscriptions=subscriptions)
    async with link:
        try:
            await asyncio.wait_for(link.connected.wait(), timeout=BROKER_S)
        except TimeoutError:
            yield None
            return
        yield link
