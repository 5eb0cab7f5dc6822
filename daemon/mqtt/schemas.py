"""JSON Schemas of the MQTT contract, generated from ``daemon.mqtt.documents`` into ``docs/mqtt``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from daemon.mqtt import commands, documents, topics

ASYNCAPI = "asyncapi.json"
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def file_name(topic: str) -> str:
    """``player/state`` -> ``player-state.schema.json``."""
    return topic.replace("/", "-") + ".schema.json"


def _schema(kind: type[msgspec.Struct], topic: str) -> dict[str, Any]:
    (reference,), components = msgspec.json.schema_components((kind,), ref_template="#/$defs/{name}")
    name = reference["$ref"].rsplit("/", 1)[1]
    return {
        "$schema": DRAFT,
        "$id": f"urn:neuroplayer:mqtt:1:{topic}",
        **components.pop(name),
        **({"$defs": components} if components else {}),
    }


def _complete(schema: dict[str, Any]) -> dict[str, Any]:
    """Every field of a document is always written, also one that has a default for who reads older ones."""
    for part in (schema, *schema.get("$defs", {}).values()):
        if "properties" in part:
            part["required"] = list(part["properties"])
    return schema


def schemas() -> dict[str, dict[str, Any]]:
    """Every schema by the name of its file."""
    found = {file_name(topic): _complete(_schema(kind, topic)) for topic, kind in documents.DOCUMENTS.items()}
    for name, command in commands.COMMANDS.items():
        found[file_name(f"cmd/{name}")] = _schema(command, f"cmd/{name}")
    return found


def asyncapi() -> dict[str, Any]:
    """The whole contract as an AsyncAPI 3 document, which names the schemas beside it."""
    said = {topic: kind.__doc__ or "" for topic, kind in documents.DOCUMENTS.items()}
    asked = {f"cmd/{name}": kind.__doc__ or "" for name, kind in commands.COMMANDS.items()}
    plain = dict.fromkeys((topics.ENGINE_AVAILABILITY, topics.PLAYER_AVAILABILITY), "The role's last will.")
    channels, operations = {}, {}
    for topic, text in (said | asked | plain).items():
        name = topic.replace("/", "_")
        document = {"type": "string", "enum": [topics.ONLINE.decode(), topics.OFFLINE.decode()]}
        payload = document if topic in plain else {"$ref": f"./{file_name(topic)}"}
        kind = "text/plain" if topic in plain else "application/json"
        channels[name] = {
            "address": f"{topics.ROOT}/{{node}}/{topic}",
            "description": text.split("\n\n")[0],
            "parameters": {"node": {"description": "the name of one installation", "default": "home"}},
            "messages": {name: {"contentType": kind, "payload": payload}},
        }
        operations[name] = {
            "action": "receive" if topic in asked else "send",
            "channel": {"$ref": f"#/channels/{name}"},
            "bindings": {"mqtt": {"retain": topic in topics.RETAINED, "bindingVersion": "0.2.0"}},
        }
    info = {"title": "Neuro-Adaptive Music Player", "version": "1", "license": {"name": "Apache-2.0"}}
    return {
        "asyncapi": "3.0.0",
        "info": info,
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
    }


def text(schema: dict[str, Any]) -> str:
    """A schema as it stands in its file."""
    return msgspec.json.format(msgspec.json.encode(schema, order="sorted"), indent=2).decode() + "\n"


def write(folder: Path) -> None:
    """Write every schema, so that ``docs/mqtt`` is current again."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in {**schemas(), ASYNCAPI: asyncapi()}.items():
        (folder / name).write_text(text(schema), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/mqtt"))
