"""The MQTT contract: every field present, bounded, finite, and the shipped schemas current."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.mqtt import codec, commands, documents, schemas, topics
from daemon.mqtt.codec import MessageError

DOCS = Path(__file__).resolve().parents[3] / "docs" / "mqtt"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MODEL = documents.Model(name="band-power", sha256=None)


def _emotion(**changes: object) -> documents.Emotion:
    document = documents.Emotion(
        at=NOW,
        simulated=True,
        emotion="relaxed",
        valence=None,
        arousal=-0.5,
        confidence=0.8,
        status="ok",
        since=NOW,
        seq=3,
        model=MODEL,
        latency_ms={"compute": 0.4},
    )
    return msgspec.structs.replace(document, **changes)


def test_the_shipped_schemas_are_current() -> None:
    wanted = {name: schemas.text(schema) for name, schema in schemas.schemas().items()}
    found = {path.name: path.read_text() for path in DOCS.glob("*.schema.json")}
    assert found == wanted, "run: python -m daemon.mqtt.schemas docs/mqtt"


@pytest.mark.parametrize("name", sorted(schemas.schemas()))
def test_each_schema_is_valid_and_requires_every_field_of_a_document(name: str) -> None:
    schema = schemas.schemas()[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    if not name.startswith("cmd-") or name == "cmd-error.schema.json":
        assert set(schema["required"]) == set(schema["properties"])
        assert "simulated" in schema["required"]


def test_a_document_is_valid_against_its_schema_and_comes_back() -> None:
    payload = codec.encode(_emotion())
    document = json.loads(payload)
    jsonschema.validate(document, schemas.schemas()["emotion.schema.json"])
    assert document["valence"] is None
    assert document["at"] == "2026-01-02T03:04:05Z"
    assert codec.decode("emotion", payload) == _emotion()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1.01, -1.01])
def test_a_number_outside_the_contract_never_leaves(value: float) -> None:
    with pytest.raises(MessageError):
        codec.encode(_emotion(confidence=value))


def test_a_time_without_zone_never_leaves() -> None:
    with pytest.raises(MessageError):
        codec.encode(_emotion(at=datetime(2026, 1, 2)))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("volume", b'{"volume": NaN}'),
        ("volume", b'{"volume": 1e999}'),
        ("volume", b'{"volume": 2}'),
        ("volume", b'{"volume": "1"}'),
        ("volume", b"{}"),
        ("volume", b"\xff\xfe"),
        ("volume", b"[" * 4000),
        ("volume", b'{"volume": 1, "surprise": 2}'),
        ("skip", b"x"),
        ("skip", b" " * 5000),
        ("policy", b'{"policy": "evil"}'),
        ("crossfade", b'{"seconds": 1' + b"0" * 400 + b"}"),
        ("nothing", b"{}"),
        ("target", b'{"name": "' + b"x" * 65 + b'"}'),
    ],
)
def test_a_bad_command_is_refused_by_name(name: str, payload: bytes) -> None:
    with pytest.raises(MessageError):
        codec.decode_command(name, payload)


@given(st.sampled_from(sorted(commands.COMMANDS)), st.binary(max_size=6000))
def test_no_payload_does_more_than_be_refused(name: str, payload: bytes) -> None:
    try:
        command = codec.decode_command(name, payload)
    except MessageError:
        return
    codec.encode(command)


def test_an_empty_payload_is_a_command_without_arguments() -> None:
    assert codec.decode_command("skip", b"") == commands.SkipCommand()
    assert codec.decode_command("pause", b"") == commands.PauseCommand(paused=None)


@given(st.text(max_size=80))
def test_a_node_never_escapes_its_level(node: str) -> None:
    try:
        base = topics.Topics(node).base
    except topics.TopicError:
        return
    assert base.count("/") == 2
    assert not set(base) & set("+#\0 \n")


@pytest.mark.parametrize("node", ["", "a" * 65, "Home", "a/b", "+", "#", "..", "a b", "a\n", "é"])
def test_a_hostile_node_is_refused(node: str) -> None:
    with pytest.raises(topics.TopicError):
        topics.Topics(node)
