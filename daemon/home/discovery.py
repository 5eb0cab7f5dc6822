"""Home Assistant's MQTT discovery: which messages make the product appear there by itself. Pure.

Component discovery (one message an entity) is understood by every version; device discovery (one message a
role) from 2024.11. Two levels of availability: controls need their role, EEG values the headset as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from daemon import __version__
from daemon.home.entities import ENTITIES, Entity, Owner
from daemon.mqtt import topics
from daemon.mqtt.topics import Topics
from daemon.settings import Style

DEFAULT_PREFIX = "homeassistant"
MIGRATE = b'{"migrate_discovery":true}'
"""Has Home Assistant let go of an entity but keep what a person has made of it, until it comes again."""

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Discovery:
    """What is told to Home Assistant, and where. ``prefix`` is the discovery prefix configured there."""

    node: str
    style: Style = "component"
    prefix: str = DEFAULT_PREFIX
    name: str | None = None
    page_url: str | None = None

    @property
    def status_topic(self) -> str:
        """Where Home Assistant says that it has (re)started."""
        return f"{self.prefix}/status"

    def messages(self, owner: Owner) -> dict[str, bytes]:
        """Retained messages by topic, of the style chosen."""
        if self.style == "component":
            return {self._component_topic(e): _encoded(self._component(e)) for e in ENTITIES[owner]}
        return (
            {self.device_topic(owner): _encoded(self._whole_device(owner))} if self.style == "device" else {}
        )

    def alone(self, entity: Entity) -> tuple[str, bytes]:
        """Topic and message of an entity that is announced by itself; empty where nothing is announced."""
        message = b"" if self.style == "off" else _encoded(self._component(entity))
        return self._component_topic(entity), message

    def topics(self, owner: Owner) -> list[str]:
        """Every discovery topic that may hold a message of this role."""
        return [self._component_topic(e) for e in ENTITIES[owner]] + [self.device_topic(owner)]

    def filters(self, owner: Owner) -> list[str]:
        """What to subscribe to, to see what is retained on these."""
        return [f"{self.prefix}/+/{self._id}/+/config", self.device_topic(owner)]

    @property
    def _id(self) -> str:
        return f"neuroplayer_{self.node}"

    def _component_topic(self, entity: Entity) -> str:
        return f"{self.prefix}/{entity.component}/{self._id}/{entity.key}/config"

    def device_topic(self, owner: Owner) -> str:
        """Where the one message of the device style goes."""
        return f"{self.prefix}/device/{self._id}_{owner}/config"

    def _component(self, entity: Entity) -> Payload:
        object_id = f"{self._id}_{entity.key}"
        return {
            **self._entity(entity),
            # object_id for versions before 2025.10, default_entity_id from then on
            "object_id": object_id,
            "default_entity_id": f"{entity.component}.{object_id}",
            "device": self._device(),
            "origin": _origin(),
        }

    def _whole_device(self, owner: Owner) -> Payload:
        components = {}
        for entity in ENTITIES[owner]:
            object_id = f"{self._id}_{entity.key}"
            components[entity.key] = {
                "platform": entity.component,
                **self._entity(entity),
                "default_entity_id": f"{entity.component}.{object_id}",
            }
        return {"device": self._device(), "origin": _origin(), "components": components}

    def _device(self) -> Payload:
        device: Payload = {
            "identifiers": [self._id],
            "name": self.name or f"Neuroplayer {self.node}",
            "manufacturer": "Neuroplayer",
            "model": "Neuro-Adaptive Music Player",
            "sw_version": __version__,
        }
        return device | ({"configuration_url": self.page_url} if self.page_url else {})

    def _entity(self, entity: Entity) -> Payload:
        node = Topics(self.node)
        payload: Payload = {
            "unique_id": f"{self._id}_{entity.key}",
            "name": entity.name,
            "availability": self._availability(entity, node),
            "availability_mode": "all",
            "qos": 1,
            **entity.options,
        }
        for key, nothing in (("value_template", entity.nothing), ("json_attributes_template", "{}")):
            if key in payload:
                payload[key] = _guarded(payload[key], nothing)
        if entity.state is not None:
            payload["state_topic"] = node.full(entity.state)
        if entity.state is not None and "json_attributes_template" in entity.options:
            payload["json_attributes_topic"] = node.full(entity.state)
        if entity.command is not None:
            payload["command_topic"] = node.command(entity.command)
        return payload

    def _availability(self, entity: Entity, node: Topics) -> list[Mapping[str, str]]:
        own = {"engine": topics.ENGINE_AVAILABILITY, "player": topics.PLAYER_AVAILABILITY}[entity.owner]
        levels: list[Mapping[str, str]] = [{"topic": node.full(own)}]
        if entity.needs_headset:
            levels.append(_while("value_json.state == 'streaming'", node.full(topics.HEADSET)))
        if entity.state is not None and entity.there:
            levels.append(_while(entity.there, node.full(entity.state)))
        return levels


def _while(condition: str, topic: str) -> Mapping[str, str]:
    return {
        "topic": topic,
        "value_template": _guarded(f"{{{{ 'online' if {condition} else 'offline' }}}}", "offline"),
    }


def _guarded(template: str, nothing: str) -> str:
    """A retained message that is deleted arrives as an empty one, of which no template makes anything."""
    return f"{{% if value_json is mapping %}}{template}{{% else %}}{nothing}{{% endif %}}"


def _origin() -> Payload:
    return {"name": "neuroplayer", "sw_version": __version__}


def _encoded(payload: Payload) -> bytes:
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
