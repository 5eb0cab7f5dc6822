"""The link against a real Mosquitto."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import pytest

from daemon.mqtt.transport.direct_client import DirectClient, NoAnswerError
from daemon.mqtt.transport.link import MqttLink, backoff_s
from daemon.mqtt.transport.outage import LinkTrouble, Outage
from daemon.settings import BrokerSettings
from support.peers.real_broker import RealBroker
from support.waiting import until

pytestmark = pytest.mark.broker

AVAILABILITY = "neuroplayer/t/player/availability"
STATE = "neuroplayer/t/player/state"


class Ear:
    """Collects what is heard."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []

    def __call__(self, topic: str, payload: bytes, retained: bool) -> None:
        self.heard.append((topic, payload, retained))


def _link(broker: RealBroker, name: str, ear: Ear, **options: object) -> MqttLink:
    return MqttLink(BrokerSettings(port=broker.port), name, on_message=ear, seed=1, **options)  # type: ignore[arg-type]


async def test_a_state_is_kept_and_heard(broker: RealBroker) -> None:
    ear = Ear()
    async with (
        _link(broker, "one", Ear(), availability=AVAILABILITY) as one,
        _link(broker, "two", ear, subscriptions=["neuroplayer/t/#"]),
    ):
        one.retain(STATE, b"1")
        await until(lambda: any(topic == STATE for topic, _, _ in ear.heard))
        assert any((topic, payload) == (AVAILABILITY, b"online") for topic, payload, _ in ear.heard)
    late = Ear()
    async with _link(broker, "three", late, subscriptions=["neuroplayer/t/#"]):
        await until(lambda: (AVAILABILITY, b"offline", True) in late.heard, "it said that it goes")
        await until(lambda: (STATE, b"1", True) in late.heard)


async def test_f20_a_broker_that_forgot_everything_is_told_again(
    broker: RealBroker, caplog: pytest.LogCaptureFixture
) -> None:
    ear = Ear()
    async with _link(broker, "one", Ear(), availability=AVAILABILITY, meanwhile="the music goes on") as one:
        one.retain(STATE, b"7")
        await until(lambda: one.counters.published >= 1)
        broker.kill()
        await until(lambda: not one.connected.is_set())
        broker.start()
        await until(lambda: one.counters.connects == 2)
        async with _link(broker, "two", ear, subscriptions=["neuroplayer/t/#"]):
            await until(lambda: (STATE, b"7", True) in ear.heard)
    assert (AVAILABILITY, b"online", True) in ear.heard
    gone, back = caplog.messages
    where = f"the broker at mqtt://127.0.0.1:{broker.port} is"
    assert gone.startswith(f"{where} gone (")
    assert gone.endswith("; the music goes on; trying again, soon at first, later every half minute")
    assert back.startswith(f"{where} back after ")


async def test_states_are_latest_wins_and_events_bounded_without_a_broker(free_port: int) -> None:
    link = MqttLink(BrokerSettings(port=free_port), "one", on_message=Ear(), seed=1)
    async with link:
        for number in range(1000):
            link.retain(STATE, str(number).encode())
            link.send("neuroplayer/t/player/decision", b"x", qos=1)
        await until(lambda: link.counters.failures > 1)
        assert not link.connected.is_set()
        assert link.counters.dropped_events == 1000 - 64
        assert link.last_error is not None


DOOMED = """
import asyncio, os, sys
from daemon.mqtt.transport.link import MqttLink
from daemon.settings import BrokerSettings
async def main():
    settings = BrokerSettings(port=int(sys.argv[1]))
    link = MqttLink(settings, "doomed", on_message=print, availability=sys.argv[2])
    async with link:
        await link.connected.wait()
        os._exit(9)
asyncio.run(main())
"""


async def test_the_last_will_speaks_for_the_dead(broker: RealBroker) -> None:
    ear = Ear()
    async with _link(broker, "two", ear, subscriptions=["neuroplayer/t/#"]) as two:
        await two.connected.wait()
        doomed = await asyncio.create_subprocess_exec(
            sys.executable, "-c", DOOMED, str(broker.port), AVAILABILITY
        )
        assert await doomed.wait() == 9
        await until(lambda: bool(ear.heard) and ear.heard[-1][:2] == (AVAILABILITY, b"offline"))
    assert (AVAILABILITY, b"online", True) in ear.heard


async def test_the_last_will_speaks_for_one_that_has_no_time_for_a_farewell(
    broker: RealBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def for_ever(_link: MqttLink, _client: object) -> None:
        await asyncio.Event().wait()

    ear = Ear()
    async with _link(broker, "two", ear, subscriptions=["neuroplayer/t/#"]) as two:
        await two.connected.wait()
        monkeypatch.setattr(MqttLink, "_converse", for_ever)
        async with _link(broker, "one", Ear(), availability=AVAILABILITY) as one:
            await one.connected.wait()
        await until(lambda: bool(ear.heard) and ear.heard[-1][:2] == (AVAILABILITY, b"offline"))
    assert (AVAILABILITY, b"online") in [heard[:2] for heard in ear.heard]


def test_the_pause_between_attempts_grows_to_thirty_seconds_with_jitter() -> None:
    import random

    rng = random.Random(3)
    pauses = [backoff_s(n, rng) for n in range(1, 12)]
    assert 0.5 <= pauses[0] <= 1.5
    assert all(15 <= pause <= 45 for pause in pauses[5:])
    assert len(set(pauses)) == len(pauses)


async def test_what_is_heard_is_answered_at_once_and_a_fault_of_the_listener_costs_nothing(
    broker: RealBroker,
) -> None:
    heard: list[bytes] = []

    def echo(topic: str, payload: bytes, retained: bool) -> None:
        if payload == b"bad":
            raise ValueError(payload)
        for qos in (0, 1):
            there.send("t/back", payload, qos=qos)

    there = MqttLink(BrokerSettings(port=broker.port), "there", on_message=echo, subscriptions=["t/go"])
    here = MqttLink(
        BrokerSettings(port=broker.port),
        "here",
        on_message=lambda _topic, payload, _retained: heard.append(payload),
        subscriptions=["t/back"],
    )
    long = b"x" * 200_000  # more than the socket takes at once
    async with here, there:
        await until(lambda: here.connected.is_set() and there.connected.is_set())
        for payload in (b"bad", b"1", long, b"2"):
            here.send("t/go", payload, qos=1)
        await until(lambda: heard.count(b"2") == 2)
    assert heard == [b"1", b"1", long, long, b"2", b"2"]
    assert (here.counters.connects, there.counters.connects) == (1, 1)


async def test_an_error_of_our_own_side_is_no_word_of_the_broker(
    broker: RealBroker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """paho's error 4 says that the socket is gone; a broker's 4 of MQTT 3.1.1 that the password is wrong."""
    clients: list[DirectClient] = []
    make = MqttLink._client

    def made(link: MqttLink) -> DirectClient:
        clients.append(make(link))
        return clients[-1]

    monkeypatch.setattr(MqttLink, "_client", made)
    async with _link(broker, "one", Ear()) as one:
        await until(lambda: one.counters.connects == 1)
        clients[0].give_up()  # as after a suspend: paho knows of no socket when the next state is written
        one.retain(STATE, b"1")
        await until(lambda: one.counters.failures == 1)
        assert "[code:4]" in (one.last_error or "")
        await until(lambda: one.counters.connects == 2)
    told = [record.message for record in caplog.records if record.name == "daemon.mqtt.transport.outage"]
    assert "is gone (the connection broke)" in told[0]


async def test_a_broker_that_says_nothing_is_known_by_type_and_not_by_words(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = DirectClient(lambda _message: None, "127.0.0.1", silent.getsockname()[1], timeout=0.2)
        with pytest.raises(NoAnswerError):
            await client.__aenter__()
        client.give_up()
    clock = iter(float(s) for s in range(9)).__next__
    Outage("mqtt://x", clock=clock).failed("refused", LinkTrouble.NO_ANSWER)
    assert "(it does not answer)" in caplog.messages[0]


@pytest.mark.parametrize("mqtt3", [False, True])
async def test_a_wrong_password_is_refused_in_both_versions_of_mqtt(
    tmp_path: Path, free_port: int, caplog: pytest.LogCaptureFixture, mqtt3: bool
) -> None:
    wrong = BrokerSettings(port=free_port, username="me", password="wrong", mqtt3=mqtt3)
    with RealBroker(tmp_path, free_port, anonymous=False):
        async with MqttLink(wrong, "one", on_message=Ear(), seed=1):
            await until(lambda: bool(caplog.messages))
    assert "does not let us in (" in caplog.messages[0]
