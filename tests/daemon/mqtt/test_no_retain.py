"""A broker that keeps no messages is used all the same, and is told what it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.mqtt.transport.link import MqttLink
from daemon.settings import BrokerSettings
from support.ear import Ear
from support.peers.real_broker import RealBroker
from support.waiting import until

pytestmark = pytest.mark.broker


async def test_what_keeps_nothing_is_named_and_goes_on_being_told(
    tmp_path: Path, free_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    ear = Ear()
    link = MqttLink(
        BrokerSettings(port=free_port),
        "link",
        on_message=ear,
        subscriptions=["x", "ear/y"],
        availability="x/availability",
    )
    with RealBroker(tmp_path, free_port, "retain_available false"):
        async with link:
            await until(link.connected.is_set)
            link.retain("x", b"said")
            await until(lambda: ear.on("x") == [b"said"])
    assert caplog.text.count("keeps no messages") == 1
    assert "no broker is reached" not in caplog.text
