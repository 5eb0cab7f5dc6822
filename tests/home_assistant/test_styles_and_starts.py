"""Real Home Assistant: either started first, and from either style of discovery to the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from daemon.home.entities import ENTITIES
from daemon.mqtt import topics
from daemon.settings import Style
from support.documents import EMOTION as KNOWN
from support.documents import PLAYER
from support.peers.announced_home import announced
from support.peers.home_assistant import PYTHON, HomeAssistant
from support.peers.real_broker import RealBroker

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.broker,
    pytest.mark.skipif(PYTHON is None, reason="NEUROPLAYER_HA_PYTHON names no Python that has homeassistant"),
]
EMOTION = "sensor.neuroplayer_den_emotion"
COUNT = sum(map(len, ENTITIES.values()))


def _all_there(states: dict[str, Any]) -> bool:
    ours = [state for name, (state, _) in states.items() if not name.startswith("zone.")]
    return len(ours) == COUNT and "unavailable" not in _but_withheld(states)


def _but_withheld(states: dict[str, Any]) -> list[str]:
    return [state for name, (state, _) in states.items() if not name.endswith(("battery", "valence"))]


async def test_either_may_start_first(broker: RealBroker, tmp_path: Path) -> None:
    async with HomeAssistant(tmp_path, broker.port) as home:
        for _ in range(2):
            async with announced(broker.port):
                states = await home.shown(_all_there)
                assert _all_there(states)
                update, told = states["update.neuroplayer_den_update"]
                assert (update, told["installed_version"], told["latest_version"]) == ("on", "0.1.0", "0.2.0")
                assert await home.tell("complaints") == []
        assert await home.tell("complaints") == []
    async with announced(broker.port), HomeAssistant(tmp_path, broker.port) as home:
        assert _all_there(await home.shown(_all_there))
        assert await home.tell("complaints") == []


async def test_another_style_keeps_what_a_person_has_made_of_the_entities(
    broker: RealBroker, tmp_path: Path
) -> None:
    async with HomeAssistant(tmp_path, broker.port) as home:
        if not await home.tell("knows_devices"):
            pytest.skip("this Home Assistant knows one style")
        async with announced(broker.port, "component"):
            await home.shown(_all_there)
            await home.tell("rename", EMOTION, "sensor.my_mood", "Mine")
        styles: list[Style] = ["device", "component", "device"]
        for style in styles:
            async with announced(broker.port, style):
                states = await home.shown(lambda now: _all_there(now) and "sensor.my_mood" in now)
                assert _all_there(states), style
                assert ["sensor.my_mood", "Mine"] in await home.tell("registered")
                assert len(await home.tell("registered")) == COUNT
                assert await home.tell("complaints") == [], style
    async with announced(broker.port, "device"), HomeAssistant(tmp_path, broker.port) as home:
        assert "sensor.my_mood" in await home.shown(_all_there)
        assert await home.tell("complaints") == []


async def test_where_nothing_is_known_no_text_says_none(broker: RealBroker, tmp_path: Path) -> None:
    unknown = msgspec.structs.replace(KNOWN, emotion="unknown", arousal=None, status="stale")
    async with HomeAssistant(tmp_path, broker.port) as home, announced(broker.port) as links:
        await home.shown(_all_there)
        links["engine"].outlet.retain(topics.EMOTION, unknown)
        links["player"].outlet.retain(topics.PLAYER_STATE, msgspec.structs.replace(PLAYER, track=None))
        playing = "sensor.neuroplayer_den_now_playing"
        states = await home.shown(lambda now: now[EMOTION][0] == now[playing][0] == "unknown")
        assert (states[EMOTION][0], states[playing][0]) == ("unknown", "unknown")
        assert states["sensor.neuroplayer_den_latency"][0] == "unknown"
        assert await home.tell("complaints") == []
