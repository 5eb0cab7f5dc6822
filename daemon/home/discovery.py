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
HEADSET_AVAILABLE = "{{ 'online' if value_json.state == 'streaming' else 'offline' }}"

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
        """Retained messages by topic. Messages of the style not chosen are empty, which removes them."""
        found = dict.fromkeys(self.topics(owner), b"")
        if self.style == "component":
            found |= {self._component_topic(e): _encoded(self._component(e)) for e in ENTITIES[owner]}
        elif self.style == "device":
            found[self._device_topic(owner)] = _encoded(self._whole_device(owner))
        return found

    def topics(self, owner: Owner) -> list[str]:
        """Every discovery topic that may hold a message of this role."""
        return [self._component_topic(e) for e in ENTITIES[owner]] + [self._device_topic(owner)]

    @property
    def _id(self) -> str:
        return f"neuroplayer_{self.node}"

    def _component_topic(self, entity: Entity) -> str:
        return f"{self.prefix}/{entity.component}/{self._id}/{entity.key}/config"

    def _device_topic(self, owner: Owner) -> str:
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
            levels.append({"topic": node.full(topics.HEADSET), "value_template": HEADSET_AVAILABLE})
        return levels


def _origin() -> Payload:
    return {"name": "neuroplayer", "sw_version": __version__}


def _encoded(payload: Payload) -> bytes:
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
