"""The MQTT contract by value: names, sizes and the bounds of every field, each from both sides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from daemon.mqtt import codec, commands, documents, topics
from daemon.mqtt.codec import MessageError
from daemon.mqtt.schemas import schemas

NOW = "2026-01-02T03:04:05Z"


def test_every_topic_by_its_name() -> None:
    assert {name: kind.__name__ for name, kind in documents.DOCUMENTS.items()} == {
        "headset": "Headset", "signal": "Signal", "estimate": "Estimate", "emotion": "Emotion",
        "mood_changed": "MoodChanged", "session": "Session", "player/state": "PlayerState",
        "player/decision": "Decision", "cmd/error": "CommandError", "forgotten": "Forgotten",
        "wearer": "SessionWearer",
        "info": "Info", "player/info": "Info",
    }  # fmt: skip
    assert tuple(commands.COMMANDS) == topics.COMMANDS
    assert set(topics.COMMANDS) == {*topics.ENGINE_COMMANDS, *topics.PLAYER_COMMANDS, "wearer"}
    assert len(topics.COMMANDS) == len(set(topics.COMMANDS)), "both hear of forgetting, by one name"
    assert topics.ENGINE_COMMANDS == ("session", "recalibrate", "label", "dwell", "record", "forget")
    assert (topics.ENGINE_AVAILABILITY, topics.PLAYER_AVAILABILITY) == (
        "engine/availability",
        "player/availability",
    )
    assert (topics.ONLINE, topics.OFFLINE) == (b"online", b"offline")
    assert (documents.MAX_CANDIDATES, codec.MAX_COMMAND_BYTES, codec.MAX_STATE_BYTES) == (12, 4096, 65536)


def test_full_and_short_names() -> None:
    node = topics.Topics("den")
    assert node.base == "neuroplayer/den/"
    assert node.full("emotion") == "neuroplayer/den/emotion"
    assert node.short("neuroplayer/den/player/state") == "player/state"
    assert node.short("neuroplayer/other/emotion") is None
    for name in topics.COMMANDS:
        assert node.command(name) == f"neuroplayer/den/cmd/{name}"
    with pytest.raises(topics.TopicError, match=r"unknown command 'dance', one of session, recalibrate"):
        node.command("dance")
    assert topics.checked_node("a" * 64) == "a" * 64
    with pytest.raises(topics.TopicError, match="1 to 64"):
        topics.checked_node("a" * 65)


def _error(**changes: Any) -> documents.CommandError:
    made = documents.CommandError(
        at=datetime(2026, 1, 2, tzinfo=UTC), simulated=False, command="skip", error="no", refused=0
    )
    return msgspec.structs.replace(made, **changes)


def test_a_payload_may_be_as_long_as_it_may_be() -> None:
    bare = len(b'{"text":""}')
    assert codec.decode_command("label", b'{"text":""' + b" " * (4096 - bare) + b"}")
    with pytest.raises(MessageError, match="4097 bytes, at most 4096"):
        codec.decode_command("label", b'{"text":""' + b" " * (4097 - bare) + b"}")
    state = codec.encode(_error())
    assert codec.decode("cmd/error", state[:-1] + b" " * (65536 - len(state)) + b"}") == _error()
    with pytest.raises(MessageError, match="65537 bytes, at most 65536"):
        codec.decode("cmd/error", state[:-1] + b" " * (65537 - len(state)) + b"}")
    with pytest.raises(MessageError, match="'cmd/skip' carries no document"):
        codec.decode("cmd/skip", b"{}")
    with pytest.raises(MessageError, match="unknown command 'dance', one of session"):
        codec.decode_command("dance", b"{}")


def test_infinity_in_a_field_without_bounds_never_leaves() -> None:
    candidate = documents.CandidateInfo(id="a", title="b", score=float("inf"), parts={"mood": 0.5})
    with pytest.raises(MessageError, match="not finite"):
        codec.encode(_decision([candidate]))
    deep = documents.CandidateInfo(id="a", title="b", score=1.0, parts={"mood": float("nan")})
    with pytest.raises(MessageError, match="not finite"):
        codec.encode(_decision([deep]))
    fine = documents.CandidateInfo(id="a", title="b", score=-1e9, parts={"mood": 0.5})
    assert json.loads(codec.encode(_decision([fine] * 12)))["candidates"][0]["score"] == -1e9
    with pytest.raises(MessageError, match="length <= 12"):
        codec.encode(_decision([fine] * 13))


def _decision(candidates: list[documents.CandidateInfo]) -> documents.Decision:
    mood = documents.TrackMood(valence=None, arousal=0.0, source="tag", confidence=1.0)
    track = documents.TrackInfo(id="a", title="b", artist="c", duration_s=1.0, mood=mood)
    assert track.liked is False
    reason = documents.ReasonInfo(
        note="none", wearer="known", valence=None, arousal=None, confidence=None, target=None, weighed=1,
        rank=0, all_banned=False,
    )  # fmt: skip
    return documents.Decision(
        at=datetime(2026, 1, 2, tzinfo=UTC), simulated=True, kind="next", chosen=track, why="", reason=reason,
        policy="match", aim_valence=None, aim_arousal=0.0, candidates=candidates, seed=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "field", "good", "bad"),
    [
        ("dwell", "seconds", [0, 120], [-0.1, 120.1]),
        ("volume", "volume", [0, 1], [-0.01, 1.01]),
        ("crossfade", "seconds", [0, 30], [-0.1, 30.1]),
        ("seek", "position_s", [0, 61.5, 172_800], [-0.1, 172_800.1, None]),
        ("label", "valence", [-1, 1, None], [-1.01, 1.01]),
        ("label", "text", ["x" * 200], ["x" * 201]),
        ("target", "name", ["x" * 64, None], ["x" * 65]),
        ("target", "arousal", [-1, 1], [-1.01, 1.01]),
        ("play", "id", ["x", "x" * 200], ["", "x" * 201]),
        ("like", "id", ["x" * 200, None], ["x" * 201]),
        ("record", "who", ["x" * 100], ["x" * 101]),
        ("record", "consent", ["x" * 1000], ["x" * 1001]),
        ("session", "action", ["start", "stop"], ["pause"]),
        ("wearer", "wearer", ["a", "x" * 64], ["", "x" * 65]),
        ("speak", "cue", ["rest_begin", "rest_end", "headset_lost", "headset_back"], ["hello"]),
        ("pause", "paused", [True, False, None], ["yes"]),
    ],
)
def test_commands_by_their_bounds(name: str, field: str, good: list[Any], bad: list[Any]) -> None:
    rest = {"action": "start"} if name == "record" else {}
    for value in good:
        got = codec.decode_command(name, json.dumps({**rest, field: value}).encode())
        assert getattr(got, field) == value
        assert codec.decode_command(name, codec.encode(got)) == got
    for value in bad:
        with pytest.raises(MessageError, match=field):
            codec.decode_command(name, json.dumps({**rest, field: value}).encode())


def test_what_a_command_means_where_nothing_is_said() -> None:
    assert codec.decode_command("like", b"{}") == commands.LikeCommand(id=None, liked=True)
    assert codec.decode_command("ban", b"{}") == commands.BanCommand(id=None, banned=True)
    assert codec.decode_command("target", b"{}") == commands.TargetCommand(
        name=None, valence=None, arousal=None
    )
    assert codec.decode_command("label", b"{}") == commands.LabelCommand(valence=None, arousal=None, text="")
    with pytest.raises(MessageError, match="unknown field"):
        codec.decode_command("skip", b'{"at":1}')


BOUNDS = {
    "headset": {"rate_hz": (0, None), "battery_percent": (0, 100), "gap_s": (0, None)},
    "signal": {"overall": (0, 1), "late": (0, None)},
    "info": {"contract": (1, None), "rate_hz": (0, None), "channels": (0, None)},
    "player-info": {"contract": (1, None), "rate_hz": (0, None), "channels": (0, None)},
    "estimate": {"valence": (-1, 1), "arousal": (-1, 1), "confidence": (0, 1)},
    "emotion": {"valence": (-1, 1), "arousal": (-1, 1), "confidence": (0, 1), "seq": (0, None)},
    "mood_changed": {"valence": (-1, 1), "arousal": (-1, 1), "confidence": (0, 1)},
    "session": {"baseline_wanted_s": (0, None), "baseline_trusted_s": (0, None), "dwell_s": (0, None)},
    "player-state": {
        "position_s": (0, None), "volume": (0, 1), "crossfade_s": (0, None), "fading": (0, 1),
        "target_valence": (-1, 1), "target_arousal": (-1, 1), "library_tracks": (0, None),
    },
    "player-decision": {"aim_valence": (-1, 1), "aim_arousal": (-1, 1), "seed": (None, None)},
    "cmd-error": {"refused": (0, None)},
    "forgotten": {},
    "wearer": {},
}  # fmt: skip
"""Every number of every document, as its schema bounds it."""


def _numbers(schema: dict[str, Any]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for field, rule in schema["properties"].items():
        for one in rule.get("anyOf", [rule]):
            if one.get("type") in ("number", "integer"):
                yield field, (one.get("minimum"), one.get("maximum"))


def test_every_number_has_these_bounds() -> None:
    made = {name.removesuffix(".schema.json"): schema for name, schema in schemas().items()}
    found = {
        name: dict(_numbers(made[name]))
        for name in made
        if not name.startswith("cmd-") or name == "cmd-error"
    }
    assert found == BOUNDS
    parts = made["player-decision"]["$defs"]
    assert dict(_numbers(parts["TrackMood"])) == {
        "valence": (-1, 1),
        "arousal": (-1, 1),
        "confidence": (0, 1),
    }
    assert dict(_numbers(parts["ReasonInfo"])) == {
        **dict(_numbers(parts["TrackMood"])),
        "weighed": (0, None),
        "rank": (0, None),
        "start_s": (0, None),
        "known": (0, None),
        "failed": (0, None),
    }
    assert dict(_numbers(made["signal"]["$defs"]["Electrode"])) == {"score": (0, 1)}


def test_every_list_and_text_ends() -> None:
    made = {name.removesuffix(".schema.json"): schema for name, schema in schemas().items()}

    def most(name: str, field: str) -> Any:
        rule = made[name]["properties"][field]
        return rule.get("maxItems", rule.get("maxLength"))

    assert [most("headset", "channels"), most("signal", "electrodes"), most("session", "notes")] == [
        512,
        512,
        16,
    ]
    assert [most("player-state", "degraded"), most("player-decision", "candidates")] == [32, 12]
    assert [most("headset", "source"), most("headset", "reason"), most("cmd-error", "error")] == [
        200,
        2000,
        2000,
    ]
    assert made["signal"]["$defs"]["Electrode"]["properties"]["reasons"]["maxItems"] == 16
