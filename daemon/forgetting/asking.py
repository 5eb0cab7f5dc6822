"""Asks the roles that run to forget a wearer, and clears what brokers keep of a node."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import msgspec

from daemon.forgetting.kept_files import ForgetReport
from daemon.home.discovery import Discovery
from daemon.home.entities import ENTITIES
from daemon.mqtt import codec, commands, documents, topics
from daemon.mqtt.link import MqttLink
from daemon.mqtt.outlet import Outlet
from daemon.processes.locks import Running
from daemon.settings import BrokerSettings, HomeAssistantSettings

BROKER_S = 5.0
CONFIRM_S = 1.0
"""A role answers at once; one that does not within this is named as not having answered."""
OTHERS_S = 0.2
"""So long for pages, of which nobody knows how many there are."""
SETTLE_S = 0.5
"""Home Assistant takes its entities away in this; before, it would read the empty states as broken ones."""


@dataclass
class _Confirmations:
    """Which roles of which nodes have confirmed."""

    nodes: Sequence[str]
    confirmed: set[tuple[str, str]] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def on_message(self, topic: str, payload: bytes, retained: bool) -> None:
        for node in self.nodes:
            if topic == topics.Topics(node).full(topics.FORGOTTEN) and not retained:
                with contextlib.suppress(codec.MessageError):
                    answer = codec.decode(topics.FORGOTTEN, payload)
                    assert isinstance(answer, documents.Forgotten)  # noqa: S101 - the topic says so
                    self.confirmed.add((node, answer.role))
                    self.changed.set()


async def ask_roles(
    broker: BrokerSettings, wearer: str, running: Sequence[Running], done: ForgetReport
) -> bool:
    """Have these keep nothing more of the wearer. False where the broker is not there.

    A role that plays for another wearer does not answer, and is not asked to: ``running`` are the wearer's.
    """
    nodes = sorted({role.node for role in running})
    confirmations, command = _Confirmations(nodes), commands.ForgetCommand(wearer=wearer)
    wanted = {(role.node, role.role) for role in running}
    async with _linked(
        broker, confirmations, [topics.Topics(node).full(topics.FORGOTTEN) for node in nodes]
    ) as link:
        if link is None:
            done.failures.append(f"{broker.url}: cannot be reached, so what runs was not asked to forget")
            return False
        for node in nodes:
            Outlet(topics.Topics(node), link).command(topics.FORGET, command)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONFIRM_S):
                while not wanted <= confirmations.confirmed:
                    confirmations.changed.clear()
                    await confirmations.changed.wait()
        await asyncio.sleep(OTHERS_S)
    done.confirmed += [f"{role} of node {node}" for node, role in sorted(confirmations.confirmed)]
    for node, role in sorted(wanted - confirmations.confirmed):
        done.failures.append(f"the {role} of node {node} did not confirm within {CONFIRM_S:g} s")
    return True


async def clear_topics(
    broker: BrokerSettings, home: HomeAssistantSettings, node: str, done: ForgetReport
) -> None:
    """Have the broker forget what it keeps of the node: an empty retained message replaces each.

    Home Assistant's discovery goes first, so that nothing listens any more when the states go.
    """
    announced = Discovery(node, home.discovery, home.prefix)
    discovery = [topic for owner in ENTITIES for topic in announced.topics(owner)]
    states = [topics.Topics(node).full(name) for name in topics.RETAINED]
    async with _linked(broker, None, []) as link:
        if link is None:
            done.failures.append(f"{broker.url}: cannot be reached, so what it keeps was not deleted")
            return
        for names, settle_s in ((discovery, SETTLE_S), (states, 0.0)):
            for name in names:
                link.retain(name, b"")
            done.topics += names
            await asyncio.sleep(settle_s)


@contextlib.asynccontextmanager
async def _linked(
    broker: BrokerSettings, confirmations: _Confirmations | None, hears: Sequence[str]
) -> AsyncIterator[MqttLink | None]:
    """A link of a name of its own; None where the broker does not let it in."""
    on_message = confirmations.on_message if confirmations is not None else lambda *_: None
    identifier = f"neuroplayer-forget-{msgspec.json.encode(id(on_message)).decode()}"
    link = MqttLink(broker, identifier, on_message=on_message, subscriptions=hears)
    async with link:
        try:
            await asyncio.wait_for(link.connected.wait(), timeout=BROKER_S)
        except TimeoutError:
            yield None
            return
        yield link
