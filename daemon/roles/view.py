"""The view role: every document of a node goes to the display and to the summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from daemon import topics
from daemon.messages import MAX_STATE_BYTES
from daemon.session_summary import SessionSummary
from daemon.topics import Topics

SHOWN = frozenset(
    {
        topics.EMOTION,
        topics.ESTIMATE,
        topics.HEADSET,
        topics.SIGNAL,
        topics.SESSION,
        topics.PLAYER_STATE,
        topics.PLAYER_DECISION,
        topics.COMMAND_ERROR,
    }
)
AVAILABILITIES = {topics.ENGINE_AVAILABILITY: "engine", topics.PLAYER_AVAILABILITY: "player"}


class Display(Protocol):
    """Where documents are shown."""

    def show(self, topic: str, document: Mapping[str, Any]) -> None:
        """A new document of a short topic."""
        ...

    def show_availability(self, role: str, online: bool) -> None:
        """A role came or went."""
        ...


class ViewRole:
    """Decodes what comes, leniently: a view of a newer node shows what it knows."""

    def __init__(self, node: Topics, display: Display) -> None:
        self._topics = node
        self._display = display
        self.summary = SessionSummary()

    def hear(self, topic: str, payload: bytes, retained: bool) -> None:
        """A message from the broker."""
        name = self._topics.short(topic) or ""
        if name in AVAILABILITIES:
            online = payload == topics.ONLINE
            self.summary.hear_availability(AVAILABILITIES[name], online)
            self._display.show_availability(AVAILABILITIES[name], online)
        elif name in SHOWN and len(payload) <= MAX_STATE_BYTES:
            try:
                document = msgspec.json.decode(payload, type=dict[str, Any])
            except (msgspec.MsgspecError, RecursionError):
                return
            self.summary.hear(name, document)
            self._display.show(name, document)
