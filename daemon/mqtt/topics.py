"""Names of the MQTT topics, version 1 of the contract. Pure: no broker, no clock."""

from __future__ import annotations

import re
from dataclasses import dataclass

from player.location import quoted

ROOT = "neuroplayer"
ONLINE = b"online"
OFFLINE = b"offline"

ENGINE_AVAILABILITY = "engine/availability"
PLAYER_AVAILABILITY = "player/availability"
HEADSET = "headset"
SIGNAL = "signal"
ESTIMATE = "estimate"
EMOTION = "emotion"
SESSION = "session"
MOOD_CHANGED = "mood_changed"
PLAYER_STATE = "player/state"
PLAYER_DECISION = "player/decision"
COMMAND_ERROR = "cmd/error"
FORGET = "forget"
FORGOTTEN = "forgotten"
WEARER = "wearer"
INFO = "info"
PLAYER_INFO = "player/info"

ENGINE_COMMANDS = ("session", "recalibrate", "label", "dwell", "record", FORGET)
PLAYER_COMMANDS = (
    "skip",
    "pause",
    "volume",
    "policy",
    "target",
    "crossfade",
    "seek",
    "like",
    "ban",
    "play",
    "speak",
    "library_rescan",
    FORGET,
)
COMMANDS = (*dict.fromkeys(ENGINE_COMMANDS + PLAYER_COMMANDS), WEARER)
"""The last one goes to who has started the roles."""
OF_A_SESSION = (HEADSET, SIGNAL, EMOTION, SESSION, PLAYER_STATE)
RETAINED = (*OF_A_SESSION, INFO, PLAYER_INFO, ENGINE_AVAILABILITY, PLAYER_AVAILABILITY, WEARER)
"""What a broker keeps of a node, beside what Home Assistant is told of it."""
EXPIRY_S = {SIGNAL: 60, EMOTION: 60, PLAYER_STATE: 60}
"""States that are said again all the time: so long after the last time they are nobody's state any more."""

_NODE = re.compile(r"[a-z0-9_-]{1,64}")


class TopicError(ValueError):
    """A node or command name breaks the contract. The message names it and the rule."""


def checked_node(node: str) -> str:
    """The node name itself, if it may stand in a topic. Raises ``TopicError``."""
    if _NODE.fullmatch(node) is None:
        raise TopicError(f"node name {quoted(node)} must be 1 to 64 of the characters a-z, 0-9, _ and -")
    return node


@dataclass(frozen=True, slots=True)
class Topics:
    """All topics of one node: full names from short ones and back."""

    node: str

    def __post_init__(self) -> None:
        checked_node(self.node)

    @property
    def base(self) -> str:
        return f"{ROOT}/{self.node}/"

    def full(self, name: str) -> str:
        """``emotion`` -> ``neuroplayer/<node>/emotion``."""
        return self.base + name

    def command(self, name: str) -> str:
        """The topic a command is sent to. Raises ``TopicError`` for an unknown command."""
        if name not in COMMANDS:
            raise TopicError(f"unknown command {quoted(name)}, one of {', '.join(COMMANDS)}")
        return self.full(f"cmd/{name}")

    def short(self, topic: str) -> str | None:
        """``neuroplayer/<node>/emotion`` -> ``emotion``; None for a topic of another node."""
        return topic[len(self.base) :] if topic.startswith(self.base) else None
