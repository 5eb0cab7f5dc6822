"""Real Home Assistant: whose session it is, chosen from a list that follows whom this machine knows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from daemon.home.link import HomeLink
from daemon.mqtt.outlet import Outlet
from daemon.mqtt.topics import Topics
from daemon.settings import BrokerSettings, HomeAssistantSettings, Settings, Style
from daemon.startup.wearer_choice import WearerChoice
from daemon.wearers.wearer import Wearer
from support.peers.home_assistant import PYTHON, HomeAssistant
from support.peers.real_broker import RealBroker
from support.waiting import until

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.broker,
    pytest.mark.skipif(PYTHON is None, reason="NEUROPLAYER_HA_PYTHON names no Python that has homeassistant"),
]
NAME = "select.neuroplayer_den_wearer"


@contextlib.asynccontextmanager
async def _session(settings: Settings, chosen: list[str]) -> AsyncIterator[None]:
    """What of a running session Home Assistant hears; who is chosen is written down, and nothing changes."""

    async def turn(wearer: str) -> None:
        chosen.append(wearer)

    home = HomeLink(
        settings, "engine", Outlet(Topics(settings.node)), on_message=lambda *_: None, subscriptions=[]
    )
    async with home:
        choosing = asyncio.create_task(WearerChoice(lambda: settings, turn).run())
        try:
            yield
        finally:
            choosing.cancel()
            await asyncio.gather(choosing, return_exceptions=True)


@pytest.mark.parametrize("style", ["component", "device"])
async def test_the_list_follows_whom_there_is(style: Style, broker: RealBroker, tmp_path: Path) -> None:
    settings = Settings(
        node="den",
        wearer="anna",
        broker=BrokerSettings(port=broker.port),
        state_dir=str(tmp_path / "state"),
        home_assistant=HomeAssistantSettings(discovery=style),
    )
    anna, bob = (Wearer(name, tmp_path / "state") for name in ("anna", "bob"))
    for one in (anna, bob):
        one.folder.mkdir(parents=True)
    chosen: list[str] = []

    def options(states: dict[str, Any]) -> Any:
        return states.get(NAME, ["", {}])[1].get("options")

    async with HomeAssistant(tmp_path / "ha", broker.port) as home:
        if style == "device" and not await home.tell("knows_devices"):
            pytest.skip("this Home Assistant knows one style")
        async with _session(settings, chosen):
            states = await home.shown(lambda now: options(now) == ["anna", "bob", "guest"])
            await home.shown(lambda now: now[NAME][0] == "anna")
            assert options(states) == ["anna", "bob", "guest"]
            await home.tell("call", "select", "select_option", {"entity_id": NAME, "option": "bob"})
            await until(lambda: chosen == ["bob"])
            await home.shown(lambda now: now[NAME][0] == "anna")
            bob.folder.rmdir()
            states = await home.shown(lambda now: options(now) == ["anna", "guest"])
            assert options(states) == ["anna", "guest"]
        states = await home.shown(lambda now: now[NAME][0] == "unavailable")
        assert states[NAME][0] == "unavailable"
        assert await home.tell("complaints") == []
