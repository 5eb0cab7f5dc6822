"""A flood on one command keeps no other waiting: a real Mosquitto, and a machine that is slow to read."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import pytest

from daemon.home.link import HomeLink
from daemon.mqtt import topics
from daemon.mqtt.outlet import Outlet
from daemon.mqtt.transport.link import MqttLink
from daemon.settings import BrokerSettings, Settings
from support.ear import Ear
from support.peers import flood
from support.peers.real_broker import RealBroker
from support.waiting import until

pytestmark = pytest.mark.broker
NODE = topics.Topics("den")


class SlowEar(Ear):
    """Takes a moment for each message, as a machine does that is busy otherwise."""

    def __call__(self, topic: str, payload: bytes, retained: bool) -> None:
        time.sleep(0.001)
        super().__call__(topic, payload, retained)


async def test_a_flood_on_one_command_loses_no_other(broker: RealBroker) -> None:
    ear, speak, volume = SlowEar(), NODE.command("speak"), NODE.command("volume")
    settings = Settings(node="den", broker=BrokerSettings(port=broker.port))
    home = HomeLink(settings, "player", Outlet(NODE), on_message=ear, subscriptions=[speak, volume])
    rate, home._rate.allows = home._rate.allows, lambda name: time.sleep(0.001) or rate(name)  # type: ignore
    sender = MqttLink(BrokerSettings(port=broker.port), "sender", on_message=Ear())
    async with home, sender:
        await until(lambda: home.link.connected.is_set() and sender.connected.is_set())
        flooding = await asyncio.create_subprocess_exec(
            *(sys.executable, str(Path(flood.__file__)), str(broker.port), speak, "3000")
        )
        try:
            await until(lambda: bool(home.link._muting._tasks))
            for number in range(1, 31):
                sender.send(volume, b'{"volume":%.2f}' % (number / 100), qos=1)
                await asyncio.sleep(0.1)
            await until(lambda: len(ear.on(volume)) == 30)
            heard = len(ear.on(speak))
            await until(lambda: len(ear.on(speak)) > heard)
        finally:
            flooding.kill()
            await flooding.wait()
        assert home.link.counters.connects == 1
        await until(lambda: not home.link._muting._tasks)
        heard = len(ear.on(speak))
        sender.send(speak, flood.PAYLOAD, qos=1)
        await until(lambda: len(ear.on(speak)) > heard)
