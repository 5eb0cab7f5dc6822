"""What Home Assistant is told: every template rendered on real documents, every command sent back decoded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jinja2
import jinja2.sandbox
import msgspec
import pytest
import yaml

from daemon.home.discovery import Discovery
from daemon.home.entities import EMOTIONS, ENTITIES, NO_TARGET, TARGETS, Entity
from daemon.mqtt import codec, commands, documents, topics
from player.choice.targets import NAMED_TARGETS
from support.documents import (
    DOCUMENTS,
    EMOTION,
    HEADSET,
    MOOD,
    NOW,
    PLAYER,
    SESSION,
    SIGNAL,
)

HOME_ASSISTANT = Path(__file__).resolve().parents[3] / "docs" / "home-assistant"
ALL = [entity for entities in ENTITIES.values() for entity in entities]
BY_KEY = {entity.key: entity for entity in ALL}
JINJA = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)


def _rendered(template: str, document: documents.Document) -> str:
    return JINJA.from_string(template).render(value_json=json.loads(codec.encode(document))).strip()


def _value(key: str, document: documents.Document) -> str:
    return _rendered(BY_KEY[key].options["value_template"], document)


def _command(entity: Entity, value: object) -> commands.Command:
    payload = JINJA.from_string(entity.options["command_template"]).render(value=value)
    assert entity.command is not None
    return codec.decode_command(entity.command, payload.encode())


def _configs(style: str = "component") -> Iterator[dict[str, Any]]:
    for owner in ("engine", "player"):
        for payload in Discovery("den", style).messages(owner).values():  # type: ignore[arg-type]
            if payload:
                yield json.loads(payload)


def test_the_device_has_its_entities_and_each_is_told_apart() -> None:
    configs = list(_configs())
    assert len(configs) == len(ALL) >= 18
    assert len({config["unique_id"] for config in configs}) == len(configs)
    assert {config["device"]["identifiers"][0] for config in configs} == {"neuroplayer_den"}
    assert all(config["default_entity_id"].endswith(config["object_id"]) for config in configs)


def test_every_topic_named_exists_in_the_contract() -> None:
    node = topics.Topics("den")
    spoken = {node.full(name) for name in documents.DOCUMENTS}
    for config in _configs():
        assert config.get("state_topic", node.full(topics.EMOTION)) in spoken
        assert config.get("json_attributes_topic", node.full(topics.EMOTION)) in spoken
        if "command_topic" in config:
            assert config["command_topic"].removeprefix(node.full("cmd/")) in commands.COMMANDS
        assert node.full(topics.ESTIMATE) not in json.dumps(config), "only the settled mood drives it"


def test_brain_values_need_the_headset_and_controls_only_their_role() -> None:
    for config in _configs():
        levels = [entry["topic"] for entry in config["availability"]]
        entity = BY_KEY[config["object_id"].removeprefix("neuroplayer_den_")]
        assert config["availability_mode"] == "all"
        assert levels[0].endswith(f"{entity.owner}/availability")
        assert len(levels) == 1 + entity.needs_headset + bool(entity.there)
        assert not (entity.needs_headset and "command_topic" in config)
    template = next(iter(_configs()))["availability"][1]["value_template"]
    assert _rendered(template, HEADSET) == "online"
    for state in ("connecting", "stale", "lost", "incompatible", "ended"):
        assert _rendered(template, msgspec.structs.replace(HEADSET, state=state)) == "offline"


@pytest.mark.parametrize(
    ("key", "without", "with_it"),
    [
        ("battery", HEADSET, msgspec.structs.replace(HEADSET, battery_percent=0.0)),
        ("valence", EMOTION, msgspec.structs.replace(EMOTION, valence=0.0)),
        ("electrode_problem", msgspec.structs.replace(SIGNAL, electrodes=[]), SIGNAL),
    ],
)
def test_what_there_is_nothing_of_is_not_available(
    key: str, without: documents.Document, with_it: documents.Document
) -> None:
    (config,) = [one for one in _configs() if one["object_id"].endswith(f"den_{key}")]
    template = config["availability"][-1]["value_template"]
    assert _rendered(template, without) == "offline"
    assert _rendered(template, with_it) == "online"


def test_a_state_that_is_deleted_is_nothing_to_any_template() -> None:
    for config in _configs():
        for key in ("value_template", "json_attributes_template"):
            if key in config:
                said = JINJA.from_string(config[key]).render(value="")
                nothing = {"None", "unknown"} if "title" not in config else {""}
                assert said in (nothing if key == "value_template" else {"{}"})
        for level in config["availability"][1:]:
            assert JINJA.from_string(level["value_template"]).render(value="") == "offline"


def test_what_is_measured_moves_when_it_has_really_changed() -> None:
    def said(key: str, document: documents.Document, state: str, ago_s: float = 600.0, **more: str) -> str:
        this = {"state": state, "attributes": more, "last_changed": NOW - timedelta(seconds=ago_s)}
        template = JINJA.from_string(BY_KEY[key].options["value_template"], globals={"now": lambda: NOW})
        return template.render(value_json=json.loads(codec.encode(document)), this=this)

    assert said("arousal", EMOTION, "-0.45") == "-0.45"
    assert said("arousal", EMOTION, "-0.3") == "-0.5"
    assert said("arousal", EMOTION, "-0.3", ago_s=20) == "-0.3"
    assert said("arousal", EMOTION, "0.4", ago_s=20) == "-0.5"
    assert said("arousal", EMOTION, "unknown", ago_s=20) == "-0.5"
    assert said("valence", EMOTION, "0.2") == "None"
    assert said("signal_quality", SIGNAL, "85.0") == "85.0"
    assert said("signal_quality", SIGNAL, "80.0") == "91.0"
    assert said("latency", EMOTION, "2.0", unit_of_measurement="ms") == "2.0"
    assert said("latency", EMOTION, "0.002", unit_of_measurement="s") == "0.4"
    better = msgspec.structs.replace(
        SIGNAL, electrodes=[documents.Electrode(channel="AF7", score=0.55, reasons=[])]
    )
    assert said("electrode_problem", better, "on") == "ON"
    assert said("electrode_problem", better, "off") == "OFF"


@pytest.mark.parametrize("entity", ALL, ids=lambda entity: entity.key)
def test_every_template_renders_on_a_document_of_its_topic(entity: Entity) -> None:
    if entity.state is None:
        return
    document = DOCUMENTS[entity.state]
    for name in ("value_template", "json_attributes_template"):
        if name not in entity.options:
            continue
        text = _rendered(entity.options[name], document)
        assert len(text) <= 255 or name != "value_template"
        if name == "json_attributes_template":
            assert isinstance(json.loads(text), dict)


def test_values_read_as_a_person_expects() -> None:
    assert _value("emotion", EMOTION) == "relaxed"
    assert _value("emotion", msgspec.structs.replace(EMOTION, emotion="unknown")) == "unknown"
    assert _value("emotion", msgspec.structs.replace(EMOTION, status="stale")) == "unknown"
    assert _value("valence", EMOTION) == "None"
    assert _value("arousal", EMOTION) == "-0.5"
    assert _value("confidence", EMOTION) == "83.0"
    assert _value("latency", EMOTION) == "0.4"
    assert _value("latency", msgspec.structs.replace(EMOTION, latency_ms={})) == "None"
    assert _value("latency", msgspec.structs.replace(EMOTION, status="stale")) == "None"
    assert _value("electrode_problem", SIGNAL) == "ON"
    assert _value("electrode_problem", msgspec.structs.replace(SIGNAL, electrodes=[])) == "OFF"
    assert _value("headset", HEADSET) == "ON"
    assert _value("battery", HEADSET) == "None"
    assert _value("session", SESSION) == "ON"
    assert _value("target", PLAYER) == NO_TARGET
    assert _value("target", msgspec.structs.replace(PLAYER, target="relax")) == "relax"
    assert _value("target", msgspec.structs.replace(PLAYER, target="0.1,0.2")) == "None"
    assert _value("now_playing", msgspec.structs.replace(PLAYER, track=None)) == "unknown"
    assert _value("volume", PLAYER) == "80.0"


def test_what_is_sent_back_is_what_the_roles_obey() -> None:
    assert _command(BY_KEY["target"], "relax") == commands.TargetCommand(name="relax")
    assert _command(BY_KEY["target"], NO_TARGET) == commands.TargetCommand()
    assert _command(BY_KEY["volume"], 55) == commands.VolumeCommand(volume=0.55)
    assert _command(BY_KEY["crossfade"], 8.5) == commands.CrossfadeCommand(seconds=8.5)
    assert _command(BY_KEY["dwell"], 20) == commands.DwellCommand(seconds=20)
    for policy in BY_KEY["policy"].options["options"]:
        assert _command(BY_KEY["policy"], policy) == commands.PolicyCommand(policy=policy)
    for entity in ALL:
        for name in ("payload_press", "payload_on", "payload_off"):
            if entity.command is not None and name in entity.options:
                codec.decode_command(entity.command, entity.options[name].encode())


def test_the_words_are_those_of_the_product() -> None:
    assert set(TARGETS) == set(NAMED_TARGETS)
    words = msgspec.json.schema(documents.Emotion)["$defs"]["Emotion"]["properties"]["emotion"]["enum"]
    assert set(EMOTIONS) == set(words) - {"unknown"}
    event = json.loads(codec.encode(MOOD))
    assert event["event_type"] in BY_KEY["mood_changed"].options["event_types"]


def test_the_style_chosen_is_announced_and_off_announces_nothing() -> None:
    for owner in ("engine", "player"):
        component = Discovery("den", "component").messages(owner)  # type: ignore[arg-type]
        device = Discovery("den", "device").messages(owner)  # type: ignore[arg-type]
        assert list(device) == [f"homeassistant/device/neuroplayer_den_{owner}/config"]
        assert len(component) == len(ENTITIES[owner])  # type: ignore[index]
        both = set(Discovery("den").topics(owner))  # type: ignore[arg-type]
        assert both == {*component, *device}
        assert not Discovery("den", "off").messages(owner)  # type: ignore[arg-type]


def test_device_discovery_carries_the_same_entities() -> None:
    components = {key: value for config in _configs("device") for key, value in config["components"].items()}
    assert set(components) == set(BY_KEY)
    for config in _configs():
        key = config["object_id"].removeprefix("neuroplayer_den_")
        same = {k: v for k, v in config.items() if k not in ("device", "origin", "object_id")}
        assert {k: v for k, v in components[key].items() if k != "platform"} == same
        assert components[key]["platform"] == BY_KEY[key].component


class _Loader(yaml.SafeLoader):
    """Reads Home Assistant's ``!input``."""


_Loader.add_constructor("!input", lambda loader, node: f"!input {loader.construct_scalar(node)}")


def test_the_blueprints_ask_for_what_they_use() -> None:
    paths = sorted(HOME_ASSISTANT.glob("*.yaml"))
    assert len(paths) == 2
    for path in paths:
        blueprint = yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506 - a SafeLoader
        asked = set(blueprint["blueprint"]["input"])
        used = set(re.findall(r"!input (\w+)", path.read_text()))
        assert asked == used
    scenes = {name.removesuffix("_scene") for name in used if name.endswith("_scene")}
    assert scenes == set(EMOTIONS)


def test_the_flow_speaks_the_contract() -> None:
    flow = json.loads((HOME_ASSISTANT / "node-red-flow.json").read_text())
    ids = {node["id"] for node in flow}
    assert all(target in ids for node in flow for wires in node.get("wires", []) for target in wires)
    node = topics.Topics("home")
    heard = [n["topic"] for n in flow if n["type"] == "mqtt in"]
    assert heard == [node.full(topics.MOOD_CHANGED)]
    assert [n["topic"] for n in flow if n["type"] == "mqtt out"] == [node.command("target")]
    (evening,) = [n for n in flow if n["type"] == "inject"]
    codec.decode_command("target", evening["payload"].encode())
