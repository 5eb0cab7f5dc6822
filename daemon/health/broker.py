"""The health of the broker that this product starts: a client says whether it answers, and what it counts.

Only where ``health.port`` is configured; else Mosquitto takes the place of the role's process, at no cost.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from functools import partial

from daemon.health.endpoint import Health, serve_health
from daemon.health.metrics import Read, RoleCounts
from daemon.mqtt.transport.link import MqttLink
from daemon.processes.child_patience import within
from daemon.processes.lifetime import until_stopped
from daemon.settings import Settings

PR_SET_PDEATHSIG = 1
END_S = 0.6
COUNTED = {
    "$SYS/broker/messages/received": ("broker_messages_received", "MQTT packets the broker has received"),
    "$SYS/broker/messages/sent": ("broker_messages_sent", "MQTT packets the broker has sent"),
}
DROPPED = "$SYS/broker/publish/messages/dropped"
CLIENTS = "$SYS/broker/clients/connected"


class BrokerStatistics:
    """What Mosquitto says of itself every ten seconds; zeros for a broker that says nothing."""

    topics = (*COUNTED, DROPPED, CLIENTS)

    def __init__(self) -> None:
        self._values: dict[str, float] = {}

    def on_message(self, topic: str, payload: bytes, retained: bool) -> None:
        """A number, as text."""
        if topic in self.topics and payload[:20].isdigit():
            self._values[topic] = float(payload[:20])

    def counts(self) -> RoleCounts:
        """For the metrics."""
        return RoleCounts(
            queues={"broker": self._reader(DROPPED)},
            counters={name: (text, self._reader(topic)) for topic, (name, text) in COUNTED.items()},
            gauges={"broker_clients": ("Clients that are connected", self._reader(CLIENTS))},
        )

    def _reader(self, topic: str) -> Read:
        return lambda: self._values.get(topic, 0.0)


@contextlib.asynccontextmanager
async def broker_health(settings: Settings) -> AsyncIterator[None]:
    """Serve the broker's health while it lasts."""
    statistics = BrokerStatistics()
    name = f"neuroplayer-{settings.node}-broker-health"
    link = MqttLink(settings.broker, name, on_message=statistics.on_message, subscriptions=statistics.topics)

    def ails() -> str:
        return "" if link.connected.is_set() else link.last_error or "the broker does not answer"

    async with serve_health(Health("broker", link, statistics.counts(), ails), settings.health_port), link:
        yield


async def keep_mosquitto(command: Sequence[str], settings: Settings) -> int:
    """Run Mosquitto as a child beside its health, until told to stop; returns its exit status."""
    process = await asyncio.create_subprocess_exec(*command, preexec_fn=_dies_with_us())
    async with broker_health(settings):
        await until_stopped(process.wait())
    if process.returncode is not None:
        return process.returncode
    process.terminate()
    try:
        await within(process.wait(), process.pid, END_S)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):  # it may have ended in this very moment
            process.kill()
        await process.wait()
    return 0


def _dies_with_us() -> partial[int] | None:
    """Made before the fork: the child itself calls nothing but the kernel."""
    if not sys.platform.startswith("linux"):
        return None
    return partial(ctypes.CDLL(None).prctl, PR_SET_PDEATHSIG, signal.SIGTERM)
