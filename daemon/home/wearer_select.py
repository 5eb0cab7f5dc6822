"""The list in Home Assistant from which the wearer of a session is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.home.discovery import Discovery
from daemon.home.entities import Entity
from daemon.mqtt import topics
from daemon.settings import GUEST


def wearer_select(announced: Discovery, known: Sequence[str]) -> tuple[str, bytes]:
    """Topic and retained message; its options are whom this machine knows, and a guest.

    It is a message of its own, in either style of discovery, for it changes with whom there is.
    """
    entity = Entity(
        *("select", "wearer", "Wearer", "engine", topics.WEARER, topics.WEARER),
        options={
            "value_template": "{{ value_json.wearer }}",
            "command_template": "{{ {'wearer': value} | tojson }}",
            "options": list(dict.fromkeys([*known, GUEST])),
            "icon": "mdi:account-switch",
        },
    )
    return announced.alone(entity)


def wearer_select_topic(announced: Discovery) -> str:
    """Where that message is kept."""
    return wearer_select(announced, ())[0]
