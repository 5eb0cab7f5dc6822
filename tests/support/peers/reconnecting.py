"""Loses a link again and again, and counts what may have piled up."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from unittest import mock

import psutil

from daemon.mqtt.transport import link as mqtt_link
from daemon.mqtt.transport.link import MqttLink
from daemon.settings import BrokerSettings
from support.peers.tcp_proxy import TcpProxy
from support.waiting import until

TOPIC = "reconnects/state"
WARM = 5
"""The first few fill caches and pools."""


@dataclass
class Reconnected:
    """Samples of what may grow: after the first few connections, at the end."""

    connects: int = 0
    heard_once: bool = False
    descriptors: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    tasks: list[int] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)

    def look(self) -> None:
        """Take a sample."""
        me = psutil.Process()
        self.descriptors.append(me.num_fds())
        self.threads.append(threading.active_count())
        self.tasks.append(len(asyncio.all_tasks()))
        self.rss_mb.append(round(me.memory_info().rss / 1e6, 1))

    def is_no_more_than_at_first(self) -> bool:
        """Whether there are no more descriptors, threads and tasks than in the first sample."""
        now = Reconnected()
        now.look()
        pairs = ((now.descriptors, self.descriptors), (now.threads, self.threads), (now.tasks, self.tasks))
        return all(later[-1] <= first[0] for later, first in pairs)


async def reconnect_link(port: int, times: int, every: int = 0) -> Reconnected:
    """Reset the connection of a subscribed link ``times`` times; pauses between attempts are left out.

    ``every`` so many connections another sample is taken.
    """
    found = Reconnected()
    heard: list[bytes] = []
    settings = {"backoff_s": lambda _failures, _rng: 0.001, "SHORT_LIVES": times + 1}
    async with TcpProxy(port) as proxy:
        with mock.patch.multiple(mqtt_link, **settings):
            async with MqttLink(
                BrokerSettings(port=proxy.port),
                "again",
                on_message=lambda _topic, payload, _retained: heard.append(payload),
                subscriptions=[TOPIC],
            ) as link:
                for number in range(times):
                    await until(lambda n=number: link.connected.is_set() and link.counters.connects > n)  # type: ignore[misc]
                    if number == WARM or (every and number > WARM and number % every == 0):
                        found.look()
                    proxy.seen.clear()
                    proxy.reset()
                    await until(
                        lambda n=number: not link.connected.is_set() or link.counters.connects > n + 1  # type: ignore[misc]
                    )
                await until(lambda: link.connected.is_set() and link.counters.connects > times)
                heard.clear()
                link.send(TOPIC, b"last", qos=1)
                await until(lambda: b"last" in heard)
                link.send(TOPIC, b"really", qos=1)
                await until(lambda: b"really" in heard)
                await until(found.is_no_more_than_at_first, "what is still closing has closed")
                found.look()
                found.connects = link.counters.connects
    found.heard_once = heard == [b"last", b"really"]
    return found
