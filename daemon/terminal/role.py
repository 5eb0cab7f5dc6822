"""The view role: every document of a node goes to the display and to the summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from daemon.mqtt import topics
from daemon.mqtt.codec import MessageError, decode
from daemon.mqtt.topics import Topics
from daemon.safe_text import harmless
from daemon.terminal.session_summary import SessionSummary

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
    """Shows what keeps to the contract, with the fields that a newer node may have added.

    On a broker of a home anybody may write: what is no document of ours is not shown, and no word in one
    reaches the terminal as anything but a word.
    """

    def __init__(self, node: Topics, display: Display) -> None:
        self._topics = node
        self._display = display
        self.summary = SessionSummary()

    def on_message(self, topic: str, payload: bytes, retained: bool) -> None:
        """A message from the broker."""
        name = self._topics.short(topic) or ""
        if name in AVAILABILITIES:
            online = payload == topics.ONLINE
            self.summary.on_availability(AVAILABILITIES[name], online)
            self._display.show_availability(AVAILABILITIES[name], online)
        elif name in SHOWN:
            try:
                decode(name, payload)
                document = harmless(msgspec.json.decode(payload, type=dict[str, Any]))
            except (MessageError, msgspec.MsgspecError, RecursionError):
                return
            self.summary.on_document(name, document)
            self._display.show(name, document)
