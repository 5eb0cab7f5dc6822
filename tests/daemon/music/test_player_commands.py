"""The commands about single tracks reach the playback, and what it refuses is answered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daemon.mqtt import codec
from daemon.mqtt.outlet import Outlet
from daemon.mqtt.topics import Topics
from daemon.music.documents import state_document
from daemon.music.role import PlayerRole
from player.choice.chooser import Chooser, PolicySettings
from player.choice.taste import Taste
from player.music import Mood, PlaybackState, Target, Track

NODE = Topics("home")


class Heard:
    """Takes note of what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        self.taste = Taste()

    def __getattr__(self, name: str) -> Any:
        def note(*given: Any) -> None:
            if given and given[0] == "unknown":
                raise ValueError("the library has no track 'unknown'")
            self.asked.append((name, given))

        return note


@pytest.mark.parametrize(
    ("command", "payload", "asked"),
    [
        ("like", b'{"id":"a"}', ("like", ("a", True))),
        ("like", b'{"liked":false}', ("like", (None, False))),
        ("ban", b"", ("ban", (None, True))),
        ("ban", b'{"id":"a","banned":false}', ("ban", ("a", False))),
        ("play", b'{"id":"a"}', ("play", ("a",))),
        ("skip", b"", ("skip", ())),
        ("seek", b'{"position_s":61.5}', ("seek", (61.5,))),
        ("library_rescan", b"{}", ("rescan", ())),
        ("speak", b'{"cue":"rest_end"}', ("speak", ("rest_end",))),
    ],
)
def test_commands_reach_the_playback(
    command: str, payload: bytes, asked: tuple[str, tuple[Any, ...]]
) -> None:
    music = Heard()
    role = PlayerRole(Outlet(NODE), music, simulated=False)  # type: ignore[arg-type]
    role.on_message(NODE.command(command), payload, retained=False)
    assert music.asked[0] == asked


@pytest.mark.parametrize(
    ("command", "payload", "retained"),
    [
        ("play", b"{}", False),
        ("play", b'{"id":""}', False),
        ("play", b'{"id":"unknown"}', False),
        ("like", b'{"id":5}', False),
        ("speak", b'{"cue":"/etc/passwd"}', False),
        ("speak", b"{}", False),
        ("ban", b"{}", True),
    ],
)
def test_bad_commands_are_counted_and_change_nothing(command: str, payload: bytes, retained: bool) -> None:
    music = Heard()
    role = PlayerRole(Outlet(NODE), music, simulated=False)  # type: ignore[arg-type]
    role.on_message(NODE.command(command), payload, retained)
    assert music.asked == []
    assert role._inlet.refused == 1


@pytest.mark.parametrize(
    ("payload", "retained", "ends"),
    [
        (b'{"action":"stop"}', False, 1),
        (b'{"action":"stop"}', True, 0),
        (b'{"action":"start"}', False, 0),
        (b'{"action":5}', False, 0),
        (b"", False, 0),
    ],
)
def test_the_end_of_a_recording_ends_what_is_written_beside_it(
    payload: bytes, retained: bool, ends: int
) -> None:
    music, ended = Heard(), list[str]()
    role = PlayerRole(Outlet(NODE), music, simulated=False, end_log=lambda: ended.append("ended"))  # type: ignore[arg-type]
    assert NODE.command("record") in role.subscriptions
    role.on_message(NODE.command("record"), payload, retained)
    assert (len(ended), music.asked, role._inlet.refused) == (ends, [], 0), "the engine answers"


TRACK = Track("a", "/m/a.wav", "A", "", 9, 0, 9, None, None, Mood(None, 0), "tag", 1)


def _told(target: Target | None) -> dict[str, Any]:
    """The player's state as it travels."""
    document = state_document(
        PlaybackState(TRACK, 1.0, None, False, 1.0, 8.0, None, "lead", target),
        datetime.now(UTC),
        simulated=False,
        output="null",
        library_tracks=1,
        taste=Taste(liked=frozenset("a")),
    )
    told: dict[str, Any] = msgspec.json.decode(codec.encode(document))
    return told


_place = st.floats(-1, 1)


@given(st.builds(Mood, st.none() | _place, _place))
@example(Mood(0.00001, -0.00001))
@example(Mood(None, 0.3))
@example(Mood(0.123456789, -5e-324))
def test_the_point_that_was_asked_for_is_told_to_the_last_digit(asked: Mood) -> None:
    chooser = Chooser(PolicySettings(policy="lead"))
    chooser.set_target(asked)
    told = _told(chooser.target)
    assert (told["target_valence"], told["target_arousal"]) == (asked.valence, asked.arousal)


def test_a_target_by_name_is_told_with_its_point() -> None:
    chooser = Chooser(PolicySettings(policy="lead", target="relax"))
    told = _told(chooser.target)
    assert (told["target"], told["target_valence"], told["target_arousal"]) == ("relax", 0.4, -0.6)
    told = _told(None)
    assert (told["target"], told["target_valence"], told["target_arousal"]) == (None, None, None)


def test_the_state_says_what_is_liked_and_no_path() -> None:
    told = _told(None)
    assert told["track"]["liked"] is True
    assert "/m/a.wav" not in str(told)
