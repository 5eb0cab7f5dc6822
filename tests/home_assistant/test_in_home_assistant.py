"""A real Home Assistant core hears our discovery through a real Mosquitto (`make home-assistant-test`)."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from daemon.home.discovery import Discovery
from daemon.home.entities import ENTITIES, NO_TARGET
from daemon.mqtt import codec, commands, topics
from daemon.mqtt.transport.link import MqttLink
from daemon.settings import BrokerSettings
from support.documents import DOCUMENTS, MOOD
from support.free_ports import a_free_port
from support.peers.real_broker import RealBroker
from support.waiting import PATIENCE_S

PYTHON = os.environ.get("NEUROPLAYER_HA_PYTHON")
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.broker,
    pytest.mark.skipif(PYTHON is None, reason="NEUROPLAYER_HA_PYTHON names no Python that has homeassistant"),
]
NODE = topics.Topics("den")
WANTED = {f"{e.component}.neuroplayer_den_{e.key}" for es in ENTITIES.values() for e in es}
SHOWN = {name for name in WANTED if not name.endswith(("valence", "battery"))}
"""The headset of these documents has no battery, and the classifier knows no valence."""
BLUEPRINTS = Path(__file__).resolve().parents[2] / "docs" / "home-assistant"
CALLS = [
    ["number", "set_value", {"entity_id": "number.neuroplayer_den_volume", "value": 42}],
    ["number", "set_value", {"entity_id": "number.neuroplayer_den_dwell", "value": 20}],
    ["number", "set_value", {"entity_id": "number.neuroplayer_den_crossfade", "value": 6.5}],
    ["button", "press", {"entity_id": "button.neuroplayer_den_skip"}],
    ["button", "press", {"entity_id": "button.neuroplayer_den_recalibrate"}],
    ["select", "select_option", {"entity_id": "select.neuroplayer_den_target", "option": "relax"}],
    ["select", "select_option", {"entity_id": "select.neuroplayer_den_target", "option": NO_TARGET}],
    ["select", "select_option", {"entity_id": "select.neuroplayer_den_policy", "option": "lead"}],
    ["switch", "turn_off", {"entity_id": "switch.neuroplayer_den_session"}],
    ["switch", "turn_on", {"entity_id": "switch.neuroplayer_den_pause"}],
]


class Shown:
    """What Home Assistant showed and logged, and what came back by MQTT."""

    def __init__(self, result: dict[str, Any], commands: list[tuple[str, bytes]]) -> None:
        self.states = {name: value["state"] for name, value in result["states"].items()}
        self.attributes = {name: value["attributes"] for name, value in result["states"].items()}
        self.log: list[str] = result["log"]
        self.done: list[dict[str, Any]] = result["done"]
        self.version: str = result["version"]
        self.commands = commands

    def state(self, domain: str, key: str) -> str:
        return str(self.states[f"{domain}.neuroplayer_den_{key}"])


async def _core(port: int, folder: Path) -> dict[str, Any]:
    wanted = {
        "port": port,
        "http_port": a_free_port(),
        "config_dir": str(folder),
        "blueprints": str(BLUEPRINTS),
        "entities": sorted(SHOWN),
        "calls": CALLS,
        "patience_s": PATIENCE_S,
    }
    script = Path(__file__).parents[1] / "support" / "peers" / "real_home_assistant.py"
    process = await asyncio.create_subprocess_exec(
        *(str(PYTHON), str(script)), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate(json.dumps(wanted).encode())
    return dict(json.loads(out.decode().strip().splitlines()[-1]))


@pytest_asyncio.fixture(params=["component", "device"])
async def shown(request: pytest.FixtureRequest, tmp_path: Path, free_port: int) -> AsyncIterator[Shown]:
    """Home Assistant after it has heard everything, in either style of discovery."""
    announcement = Discovery("den", request.param)
    commands: list[tuple[str, bytes]] = []

    def on_message(topic: str, payload: bytes, retained: bool) -> None:
        commands.append((topic.removeprefix(NODE.full("cmd/")), payload))
        if len(commands) == 1:
            link.send(NODE.full(topics.MOOD_CHANGED), codec.encode(MOOD), qos=1)

    link = MqttLink(
        BrokerSettings(port=free_port),
        "product",
        on_message=on_message,
        subscriptions=[NODE.full("cmd/#")],
        availability=NODE.full(topics.ENGINE_AVAILABILITY),
    )
    link.retain(NODE.full(topics.PLAYER_AVAILABILITY), b"online")
    for owner in ENTITIES:
        for topic, payload in announcement.messages(owner).items():
            link.retain(topic, payload)
    for name, document in DOCUMENTS.items():
        if name != topics.MOOD_CHANGED:
            link.retain(NODE.full(name), codec.encode(document))
    with RealBroker(tmp_path, free_port):
        async with link:
            result = await _core(free_port, tmp_path / "ha")
    if request.param == "device" and tuple(map(int, result["version"].split(".")[:2])) < (2024, 11):
        pytest.skip(f"Home Assistant {result['version']} knows no device discovery")
    yield Shown(result, commands)


async def test_everything_shows_works_and_nothing_is_complained_about(shown: Shown) -> None:
    assert set(shown.states) >= WANTED
    assert {name for name in WANTED if shown.states[name] == "unavailable"} == WANTED - SHOWN
    assert shown.state("sensor", "emotion") == "relaxed"
    assert shown.state("sensor", "arousal") == "-0.5"
    assert shown.state("binary_sensor", "headset") == "on"
    assert shown.state("binary_sensor", "electrode_problem") == "on"
    assert shown.attributes["binary_sensor.neuroplayer_den_electrode_problem"]["electrodes"] == ["AF7"]
    assert shown.state("select", "policy") == "match"
    assert shown.attributes["event.neuroplayer_den_mood_changed"]["event_type"] == "happy"
    got = [(name, codec.decode_command(name, payload)) for name, payload in shown.commands]
    assert got == [
        ("volume", commands.VolumeCommand(volume=0.42)),
        ("dwell", commands.DwellCommand(seconds=20)),
        ("crossfade", commands.CrossfadeCommand(seconds=6.5)),
        ("skip", commands.SkipCommand()),
        ("recalibrate", commands.RecalibrateCommand()),
        ("target", commands.TargetCommand(name="relax")),
        ("target", commands.TargetCommand()),
        ("policy", commands.PolicyCommand(policy="lead")),
        ("session", commands.SessionCommand(action="stop")),
        ("pause", commands.PauseCommand(paused=True)),
    ]
    assert shown.states["automation.headset_lost_yaml"] == "on"
    assert [(call["service"], call["data"]["entity_id"]) for call in shown.done] == [
        ("scene.turn_on", ["scene.sunny"])
    ]
    assert not shown.log, shown.log
