"""The one way onto the wire: listeners are told types, each topic is encoded once, and nothing is parsed."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from acquisition.signal import EegChunk, Gap, HeadsetStatus
from daemon.engine.prepared import PreparedPipeline
from daemon.engine.role import EngineRole
from daemon.home.link import HomeLink
from daemon.mqtt import codec, commands, documents, topics
from daemon.mqtt import outlet as outlet_module
from daemon.mqtt.outlet import Outlet
from daemon.mqtt.transport.link import MqttLink
from daemon.music.documents import reason_info
from daemon.settings import BrokerSettings, Settings
from player.music import Reason
from support.documents import EMOTION
from support.ear import Ear
from support.engine_parts import CHUNK, INFO, MODEL, Pipeline, state
from support.peers.real_broker import RealBroker
from support.waiting import until

NODE = topics.Topics("den")


class _Feed:
    """Gives what a test puts in, when it does."""

    def __init__(self) -> None:
        self.items: asyncio.Queue[HeadsetStatus | EegChunk | Gap] = asyncio.Queue()

    async def __aiter__(self) -> AsyncIterator[HeadsetStatus | EegChunk | Gap]:
        while True:
            yield await self.items.get()

    def on_music(self, valence: float | None, arousal: float | None) -> None:
        pass


def _counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts from now on what is encoded and parsed in this process, by whatever part and library."""
    made: Counter[str] = Counter()

    def count(owner: Any, name: str, word: Callable[[Any], str]) -> None:
        inner = getattr(owner, name)

        def counted(*given: Any, **more: Any) -> Any:
            made[word(given[0] if given else None)] += 1
            return inner(*given, **more)

        monkeypatch.setattr(owner, name, counted)

    count(outlet_module, "encode", lambda document: type(document).__name__)
    for owner, name in ((msgspec.json, "encode"), (msgspec.json, "Encoder"), (json, "dumps")):
        count(owner, name, lambda _given: "JSON written")
    for owner, name in ((msgspec.json, "decode"), (msgspec.json, "Decoder"), (json, "loads")):
        count(owner, name, lambda _given: "JSON parsed")
    return made


@pytest.mark.broker
@pytest.mark.parametrize("share", ["full", "coarse"])
async def test_a_mood_change_is_encoded_once_a_topic_and_never_parsed(
    broker: RealBroker,
    health_ports: dict[str, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    share: Any,
) -> None:
    moods = ("relaxed", "focused")
    pipeline = Pipeline([(state(float(at_s), mood, 0.5),) for at_s, mood in enumerate(moods)])
    feed, outlet, ear = _Feed(), Outlet(NODE), Ear()
    role = EngineRole(
        outlet,
        feed,
        lambda _info: PreparedPipeline(pipeline=pipeline, model=MODEL, baseline_s=0.0),
        simulated=False,
        labels_file=tmp_path / "labels.jsonl",
    )
    settings = Settings(
        node="den",
        broker=BrokerSettings(port=broker.port),
        share=share,
        health_port=health_ports["engine"],
    )

    def heard(name: str, mood: str) -> bool:
        return any(mood.encode() in payload for payload in ear.on(NODE.full(name)))

    def both(mood: str) -> bool:
        return heard(topics.EMOTION, mood) and heard(topics.MOOD_CHANGED, mood)

    listener = MqttLink(settings.broker, "ear", on_message=ear, subscriptions=[NODE.base + "#"])
    home = HomeLink(settings, "engine", outlet, on_message=role.on_message, subscriptions=role.subscriptions)
    async with listener, home:
        await until(lambda: listener.connected.is_set() and home.link.connected.is_set())
        running = asyncio.create_task(role.run())
        feed.items.put_nowait(HeadsetStatus("streaming", INFO))
        feed.items.put_nowait(CHUNK)
        await until(lambda: both("relaxed"))
        made = _counted(monkeypatch)
        feed.items.put_nowait(CHUNK)
        await until(lambda: both("focused"))
        monkeypatch.undo()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert made == {"Emotion": 1, "MoodChanged": 1, "JSON written": 2}
    assert home.health is not None
    assert b'neuroplayer_states_total{status="ok"} 2.0' in home.health.metrics(), "and the metrics were told"


class _Wire:
    def __init__(self) -> None:
        self.said: list[tuple[str, bytes]] = []

    def retain(self, topic: str, payload: bytes, expiry_s: int | None = None) -> None:
        self.said.append((topic, payload))

    def send(self, topic: str, payload: bytes, *, qos: int = 0) -> None:
        self.said.append((topic, payload))


def test_listeners_are_told_the_whole_of_what_leaves_in_part() -> None:
    wire, told = _Wire(), list[documents.Document]()
    outlet = Outlet(NODE, wire)
    outlet.share = lambda _document: None
    outlet.listen(told.append)
    outlet.retain(topics.EMOTION, EMOTION)
    assert (told, wire.said) == ([EMOTION], [])


def test_before_there_is_a_link_nothing_is_told() -> None:
    told = list[documents.Document]()
    outlet = Outlet(NODE)
    outlet.listen(told.append)
    outlet.retain(topics.EMOTION, EMOTION)
    outlet.publish(topics.EMOTION, EMOTION)
    outlet.command("skip", commands.SkipCommand())
    assert told == []


def test_a_document_that_breaks_the_contract_costs_itself_only(caplog: pytest.LogCaptureFixture) -> None:
    wire, told = _Wire(), list[documents.Document]()
    outlet = Outlet(NODE, wire)
    outlet.listen(told.append)
    outlet.retain(topics.EMOTION, msgspec.structs.replace(EMOTION, confidence=2.0))
    assert (told, wire.said) == ([], [])
    assert "emotion was not published" in caplog.text
    outlet.retain(topics.EMOTION, EMOTION)
    assert (told, wire.said) == ([EMOTION], [(NODE.full("emotion"), msgspec.json.encode(EMOTION))])


def test_only_the_outlet_encodes() -> None:
    root = Path(__file__).resolve().parents[3] / "daemon"
    encoding = re.compile(r"codec\.encode\(|mqtt\.codec import .*\bencode\b")
    found = {
        str(path.relative_to(root)) for path in root.rglob("*.py") if encoding.search(path.read_text("utf-8"))
    }
    assert found == {"mqtt/outlet.py"}


_place = st.none() | st.floats(-1, 1)


@given(_place, _place, st.floats(0, 1), st.dictionaries(st.text(max_size=20), st.floats(0, 1e300)), st.text())
@example(None, -1e-5, 5e-324, {"a": 1e300}, "\ud800")
def test_what_is_encoded_is_what_the_library_writes_and_comes_back(
    valence: float | None, arousal: float | None, confidence: float, latency_ms: dict[str, float], name: str
) -> None:
    model = documents.Model(name=name[:200].encode("utf-8", "replace").decode(), sha256=None)
    document = msgspec.structs.replace(
        EMOTION,
        valence=valence,
        arousal=arousal,
        confidence=confidence,
        latency_ms=latency_ms,
        model=model,
    )
    payload = codec.encode(document)
    assert payload == msgspec.json.encode(document)
    assert codec.decode("emotion", payload) == document


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", ["valence", "arousal", "confidence", "latency_ms"])
def test_a_number_that_is_none_never_leaves_not_even_as_null(field: str, number: float) -> None:
    given: Any = {"compute": number} if field == "latency_ms" else number
    with pytest.raises(codec.MessageError):
        codec.encode(msgspec.structs.replace(EMOTION, **{field: given}))


def test_a_number_without_bounds_is_finite_too() -> None:
    track = documents.TrackInfo(
        id="a",
        title="A",
        artist="",
        duration_s=1.0,
        mood=documents.TrackMood(valence=None, arousal=0.0, source="tag", confidence=1.0),
    )
    decision = documents.Decision(
        at=EMOTION.at,
        simulated=False,
        kind="next",
        chosen=track,
        why="",
        reason=reason_info(Reason()),
        policy="match",
        aim_valence=None,
        aim_arousal=0.0,
        candidates=[documents.CandidateInfo(id="a", title="A", score=1.0, parts={"x": -math.inf})],
        seed=1,
    )
    with pytest.raises(codec.MessageError, match="finite"):
        codec.encode(decision)


def test_half_a_character_is_refused_in_one_line() -> None:
    model = documents.Model(name="\ud800", sha256=None)
    with pytest.raises(codec.MessageError, match="surrogates"):
        codec.encode(msgspec.structs.replace(EMOTION, model=model))
