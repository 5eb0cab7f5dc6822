"""Asks the roles that run to forget a wearer, and clears what brokers keep of a node."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from daemon.forgetting.kept_files import ForgetReport
from daemon.home.removal import linked, remove_node
from daemon.mqtt import codec, commands, documents, topics
from daemon.mqtt.outlet import Outlet
from daemon.processes.locks import Running
from daemon.settings import BrokerSettings, HomeAssistantSettings

CONFIRM_S = 1.0
"""A role answers at once; one that does not within this is named as not having answered."""
OTHERS_S = 0.2
"""So long for pages, of which nobody knows how many there are."""


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
    async with linked(
        broker, confirmations.on_message, [topics.Topics(node).full(topics.FORGOTTEN) for node in nodes]
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
    """Have the broker forget what it keeps of the node, and Home Assistant its entities."""
    gone = await remove_node(broker, home, node)
    if gone is None:
        done.failures.append(f"{broker.url}: cannot be reached, so what it keeps was not deleted")
    else:
        done.topics += gone
