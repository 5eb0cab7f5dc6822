"""What a station says it plays, on its way to everybody who shows it, and why one is not heard."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import jinja2
import msgspec
import pytest
from rich.console import Console

from daemon.home.entities import PLAYER_ENTITIES
from daemon.mqtt import codec, documents, topics
from daemon.mqtt.fitting import fitted
from daemon.music.documents import state_document
from daemon.terminal.live_view import LiveView
from daemon.terminal.plain_view import player_line
from player.music import Mood, PlaybackState, Track
from player.reading.http_asking import DENIED
from player.reading.station import UnreachableStationError, open_station
from support.documents import PLAYER, TRACK

RADIO = Track("r", "http://127.0.0.1/live", "My Radio", "", 0, 0, 0, None, None, Mood(None, 0), "given", 1)
SAID = "Björk – Jóga"


def told(title: str) -> documents.PlayerState:
    state = PlaybackState(RADIO, 65.0, None, False, 1.0, 8.0, None, "match", None, stream_title=title)
    return fitted(state_document(state, datetime.now(UTC), simulated=False, output="null", library_tracks=1))


@pytest.mark.parametrize(
    ("title", "shown"),
    [(SAID, SAID), ("", ""), ("x" * 500, "x" * 200), ("by joe:s3cret@host", "by ***@host")],
)
def test_the_title_has_a_field_of_its_own(title: str, shown: str) -> None:
    on_the_wire: dict[str, Any] = msgspec.json.decode(codec.encode(told(title)))
    assert (on_the_wire["stream_title"], on_the_wire["track"]["title"]) == (shown, "My Radio")
    assert isinstance(codec.decode(topics.PLAYER_STATE, codec.encode(told(title))), documents.PlayerState)


def test_the_terminal_shows_it_and_a_stream_has_no_end() -> None:
    document = msgspec.json.decode(codec.encode(told(SAID)))
    assert SAID in player_line(document)
    view = LiveView(["a session"], clock=lambda: 0.0)
    view.show(topics.PLAYER_STATE, document)
    console = Console(file=io.StringIO(), width=100, height=30, force_terminal=True, color_system=None)
    console.print(view.render(100, 30), height=30)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert SAID in shown
    assert "1:05, without an end" in shown


@pytest.mark.parametrize(("title", "shown"), [(SAID, SAID), ("", None)])
def test_home_assistant_has_it_as_an_attribute(title: str, shown: str | None) -> None:
    entity = next(one for one in PLAYER_ENTITIES if one.key == "now_playing")
    document = msgspec.structs.replace(PLAYER, track=TRACK, stream_title=title)
    value = msgspec.json.decode(codec.encode(document))
    text = jinja2.Environment(autoescape=False).from_string(entity.options["json_attributes_template"])  # noqa: S701
    assert msgspec.json.decode(text.render(value_json=value))["stream_title"] == shown


@pytest.mark.parametrize(
    ("denied", "address", "hint"),
    [
        ("denied", "http://radio.invalid/live", True),
        ("", "http://radio.invalid/live", False),
        ("denied", "http://127.0.0.1:1/live", False),
    ],
)
def test_a_station_that_the_service_may_not_reach_says_so(
    monkeypatch: pytest.MonkeyPatch, denied: str, address: str, hint: bool
) -> None:
    monkeypatch.setenv(DENIED, denied)
    with pytest.raises(UnreachableStationError) as refused:
        open_station(address)
    assert ("service install --internet" in str(refused.value)) == hint
