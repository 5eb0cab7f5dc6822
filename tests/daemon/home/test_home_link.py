"""The engine's and the player's link in a home, against a real Mosquitto."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from acquisition.signal import Gap, HeadsetStatus, StreamInfo
from daemon.health import endpoint
from daemon.health.metrics import RoleCounts, SignalLoss
from daemon.home import link as home_link
from daemon.home.entities import Owner
from daemon.home.link import HomeLink
from daemon.home.mood_events import MoodEvents
from daemon.home.sharing import coarse, is_loopback, refuse_to_share
from daemon.mqtt import codec, documents, topics
from daemon.mqtt.documents import Estimate
from daemon.mqtt.outlet import Outlet
from daemon.mqtt.transport.link import MqttLink
from daemon.settings import BrokerSettings, Settings
from support.documents import EMOTION, SIGNAL
from support.ear import Ear
from support.peers.real_broker import RealBroker
from support.waiting import PATIENCE_S, until

pytestmark = pytest.mark.broker
NODE = topics.Topics("den")
ESTIMATE = Estimate(
    at=datetime(2026, 1, 1, tzinfo=UTC),
    simulated=False,
    probabilities={"rest": 0.2},
    valence=None,
    arousal=0.61,
    confidence=0.8,
    status="ok",
    model=documents.Model(name="m", sha256=None),
)


def _settings(broker: RealBroker, **changes: Any) -> Settings:
    return Settings(node="den", broker=BrokerSettings(port=broker.port), **changes)


def _home(
    settings: Settings, owner: Owner = "engine", on_message: Ear | None = None, **more: Any
) -> HomeLink:
    return HomeLink(
        settings, owner, Outlet(NODE), on_message=on_message or Ear(), **{"subscriptions": [], **more}
    )


def _listener(broker: RealBroker, ear: Ear) -> MqttLink:
    return MqttLink(BrokerSettings(port=broker.port), "ear", on_message=ear, subscriptions=["#"])


async def test_it_announces_at_once_and_again_when_home_assistant_restarts(
    broker: RealBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_link, "ANNOUNCE_AGAIN_S", 600.0)  # however long this takes, it is one storm
    ear, own = Ear(), Ear()
    config = "homeassistant/sensor/neuroplayer_den/emotion/config"
    home = _home(_settings(broker), on_message=own)
    async with _listener(broker, ear) as other, home:
        await until(lambda: len(ear.on(config)) >= 1)
        home.outlet.retain(topics.EMOTION, EMOTION)
        await until(lambda: len(ear.on(NODE.full(topics.EMOTION))) == 1)
        home._announced_s -= 601  # as if it had been a while
        other.send("homeassistant/status", b"online", qos=1)
        await until(lambda: len(ear.on(config)) == 2 and len(ear.on(NODE.full(topics.EMOTION))) == 2)
        for _ in range(20):
            other.send("homeassistant/status", b"online", qos=1)
        other.send("x", b"last", qos=1)
        await until(lambda: len(ear.on("x")) == 1)
    assert len(ear.on(config)) == 2, "a storm of birth messages is answered once"
    assert own.heard == []


async def test_f20_a_broker_killed_and_empty_is_told_discovery_availability_and_state_again(
    broker: RealBroker,
) -> None:
    ear = Ear()
    config = "homeassistant/sensor/neuroplayer_den/emotion/config"
    home = _home(_settings(broker))
    async with home:
        home.outlet.retain(topics.EMOTION, EMOTION)
        await until(lambda: home.link.counters.published >= 1)
        broker.kill()
        await until(lambda: not home.link.connected.is_set())
        broker.start()
        await until(lambda: home.link.counters.connects == 2)
        async with _listener(broker, ear):
            await until(lambda: bool(ear.on(config)) and bool(ear.on(NODE.full(topics.EMOTION))))
            await until(lambda: b"online" in ear.on(NODE.full("engine/availability")))


async def test_a_change_of_mood_is_one_event(broker: RealBroker) -> None:
    ear = Ear()
    async with (
        _listener(broker, ear) as listener,
        _home(_settings(broker)) as home,
    ):
        await listener.connected.wait()
        await home.link.connected.wait()
        for emotion in ("relaxed", "relaxed", "unknown", "relaxed", "focused"):
            home.outlet.retain(topics.EMOTION, msgspec.structs.replace(EMOTION, emotion=emotion))
        await until(lambda: len(ear.on(NODE.full(topics.MOOD_CHANGED))) == 2)
    said = [json.loads(payload) for payload in ear.on(NODE.full(topics.MOOD_CHANGED))]
    assert [(one["previous"], one["event_type"]) for one in said] == [
        ("unknown", "relaxed"),
        ("relaxed", "focused"),
    ]


def test_a_state_that_claims_nothing_fires_nothing() -> None:
    events = MoodEvents()
    assert events.on_state(msgspec.structs.replace(EMOTION, status="stale")) is None
    assert events.on_state(EMOTION) is not None
    assert events.on_state(msgspec.structs.replace(EMOTION, status="unreliable", emotion="focused")) is None
    assert events.on_state(EMOTION) is None


async def test_coarse_sends_wide_steps_and_no_window(broker: RealBroker) -> None:
    ear = Ear()
    settings = _settings(broker, share="coarse")
    async with (
        _listener(broker, ear) as listener,
        _home(settings) as home,
    ):
        await listener.connected.wait()
        await home.link.connected.wait()
        home.outlet.publish(topics.ESTIMATE, ESTIMATE)
        home.outlet.retain(topics.SIGNAL, SIGNAL)
        home.outlet.retain(topics.EMOTION, EMOTION)
        await until(lambda: bool(ear.on(NODE.full(topics.EMOTION)) and ear.on(NODE.full(topics.SIGNAL))))
    emotion = json.loads(ear.on(NODE.full(topics.EMOTION))[0])
    signal = json.loads(ear.on(NODE.full(topics.SIGNAL))[0])
    assert (emotion["arousal"], emotion["confidence"]) == (-0.5, 0.75)
    assert (signal["overall"], signal["electrodes"]) == (1.0, [])
    assert ear.on(NODE.full(topics.ESTIMATE)) == []


def test_coarse_numbers_stay_within_the_contract() -> None:
    for arousal in (-1.0, -0.76, -0.2, 0.0, 0.24, 0.26, 0.9, 1.0):
        document = coarse(msgspec.structs.replace(EMOTION, arousal=arousal))
        assert isinstance(document, documents.Emotion)
        assert document.arousal in (-1.0, -0.5, 0.0, 0.5, 1.0)
    for number in (math.nan, math.inf):
        with pytest.raises(codec.MessageError):
            coarse(msgspec.structs.replace(EMOTION, arousal=number))
    assert coarse(ESTIMATE) is None


def test_off_never_sends_to_another_machine() -> None:
    from daemon.errors import BadInputError

    far = Settings(share="off", broker=BrokerSettings(host="192.168.1.2"))
    with pytest.raises(BadInputError, match="share = off keeps states on this machine"):
        refuse_to_share(far)
    refuse_to_share(Settings(share="off"))
    assert is_loopback(BrokerSettings(host="::1"))
    assert not is_loopback(BrokerSettings(host="broker.local"))


def _get(port: int, path: str, host: str = "127.0.0.1") -> tuple[int, bytes]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


async def test_health_and_metrics_on_loopback(
    broker: RealBroker, health_ports: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "PATIENCE_S", PATIENCE_S)
    port = health_ports["engine"]
    settings = _settings(broker, health_port=port)
    async with _home(settings) as home:
        await home.link.connected.wait()
        home.outlet.retain(topics.EMOTION, EMOTION)
        home.outlet.retain(topics.SIGNAL, SIGNAL)
        status, body = await asyncio.to_thread(_get, port, "/health")
        assert status == 200
        assert json.loads(body)["connected"] is True
        status, body = await asyncio.to_thread(_get, port, "/metrics")
        text = body.decode()
        assert 'neuroplayer_stage_seconds_count{stage="compute"} 1.0' in text
        assert 'neuroplayer_electrode_quality{channel="AF7"} 0.2' in text
        assert "neuroplayer_mqtt_connected 1.0" in text
        assert (await asyncio.to_thread(_get, port, "/x"))[0] == 404
        assert (await asyncio.to_thread(_get, port, "/health", "evil.example"))[0] == 403
        assert await _answer_to(b"GET / " + b"x" * 20_000, port) == b""
        home.health._spoke_s -= 100  # type: ignore[union-attr]
        status, body = await asyncio.to_thread(_get, port, "/health")
        assert (status, json.loads(body)["healthy"]) == (503, False)


def _running() -> set[str]:
    """The names of what runs on this loop."""
    return {getattr(task.get_coro(), "__name__", "") for task in asyncio.all_tasks()}


async def _answer_to(request: bytes, port: int) -> bytes:
    """All that comes until the other side hangs up, by an end or by a reset."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    with contextlib.suppress(ConnectionError):
        writer.write(request)
        answer = await reader.read()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return answer


async def test_a_taken_health_port_costs_the_endpoint_only(
    broker: RealBroker, caplog: pytest.LogCaptureFixture
) -> None:
    settings = _settings(broker, health_port=broker.port)
    async with _home(settings) as home:
        await asyncio.wait_for(home.link.connected.wait(), 60)
    assert "no health endpoint" in caplog.text


async def test_who_is_being_answered_does_not_hold_up_the_end(
    broker: RealBroker, health_ports: dict[str, int]
) -> None:
    port = health_ports["engine"]
    async with _home(_settings(broker, health_port=port)):
        asking = asyncio.create_task(_answer_to(b"GET /hea", port))
        await until(lambda: "answer" in _running(), "it is being answered")
    assert not {"answer", "_answer"} & _running()
    assert await asking == b""


async def test_what_a_role_counts_is_in_its_metrics(broker: RealBroker, health_ports: dict[str, int]) -> None:
    port = health_ports["engine"]
    loss, info = SignalLoss(), StreamInfo("test", "test", ("AF7",), 256.0)
    loss.push(Gap(0.0, 1.0, 256, "lost"))
    assert loss.lost_s == 0, "the rate is not known yet"
    loss.push(HeadsetStatus("streaming", info))
    loss.push(Gap(1.0, 1.5, 128, "lost"))
    loss.push(Gap(2.0, 2.125, 32, "lost", bridged=True))
    counts = RoleCounts(
        queues={"eeg_to_page": lambda: 3},
        underruns={"device": lambda: 2},
        lost_s=lambda: loss.lost_s,
    )
    settings = _settings(broker, health_port=port)
    async with _home(settings, counts=counts) as home:
        await home.link.connected.wait()
        home.link.counters.dropped_events = 5
        _, body = await asyncio.to_thread(_get, port, "/metrics")
    lines = body.decode().splitlines()
    for line in (
        'neuroplayer_queue_drops_total{queue="mqtt_events"} 5.0',
        'neuroplayer_queue_drops_total{queue="eeg_to_page"} 3.0',
        'neuroplayer_audio_underruns_total{at="device"} 2.0',
        "neuroplayer_lost_seconds_total 0.625",
        "neuroplayer_mqtt_connects_total 1.0",
    ):
        assert line in lines


async def test_f25_a_flood_of_commands_is_left_out_and_counted(
    broker: RealBroker, caplog: pytest.LogCaptureFixture
) -> None:
    ear = Ear()
    commands = [NODE.command("volume"), NODE.command("session")]
    sender = MqttLink(BrokerSettings(port=broker.port), "sender", on_message=Ear())
    async with _home(_settings(broker), "player", ear, subscriptions=commands) as home, sender:
        await until(lambda: home.link.connected.is_set() and sender.connected.is_set())
        for number in range(60):
            for _ in range(9):
                sender.send(commands[0], b"1")
            sender.send(commands[1], b"{}")
            await until(lambda n=number: home.link.counters.received >= 10 * (n + 1))  # type: ignore[misc]
        heard = len(ear.on(commands[0])) + len(ear.on(commands[1]))
        assert heard + home.link.counters.flooding_commands == 60 * 10
        assert 100 <= len(ear.on(commands[0])) < 60 * 9
        assert 10 <= len(ear.on(commands[1])) < 60
    assert caplog.text.count("too many commands") == 1, "told once"
