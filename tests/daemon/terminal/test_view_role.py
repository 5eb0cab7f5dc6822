"""What the view makes of messages on a broker that others may write to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from daemon.mqtt import codec, documents
from daemon.mqtt.topics import Topics
from daemon.terminal.role import ViewRole

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ERROR = documents.CommandError(at=NOW, simulated=False, command="skip", error="no", refused=1)


class Screen:
    def __init__(self) -> None:
        self.shown: list[tuple[str, Mapping[str, Any]]] = []

    def show(self, topic: str, document: Mapping[str, Any]) -> None:
        self.shown.append((topic, document))

    def show_availability(self, role: str, online: bool) -> None:
        self.shown.append((role, {"online": online}))


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b"[1]", b"\xff", b"{" * 3000, codec.encode(ERROR).replace(b'"no"', b"5")]
)
@pytest.mark.parametrize("topic", ["emotion", "player/state", "player/decision", "headset", "cmd/error"])
def test_what_is_no_document_is_not_shown(topic: str, payload: bytes) -> None:
    screen = Screen()
    ViewRole(Topics("home"), screen).on_message(f"neuroplayer/home/{topic}", payload, False)
    assert screen.shown == []


def test_no_word_steers_the_terminal_and_new_fields_are_kept() -> None:
    screen = Screen()
    hostile = msgspec.structs.replace(ERROR, command="\x1b]0;mine\x07", error="\x1b[2Jgone\x9b\u202e")
    payload = codec.encode(hostile)[:-1] + b',"news":[{"a":"b\\u001b"},null,1]}'
    ViewRole(Topics("home"), screen).on_message("neuroplayer/home/cmd/error", payload, False)
    ((_, document),) = screen.shown
    assert (document["command"], document["error"]) == (" ]0;mine ", " [2Jgone  ")
    assert document["news"] == [{"a": "b "}, None, 1]
