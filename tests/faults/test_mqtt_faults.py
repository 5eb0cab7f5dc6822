"""The link under faults of the broker, the network, the certificates and hostile neighbours (F19 to F26)."""

from __future__ import annotations

import asyncio
import datetime
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from daemon.mqtt.topics import TopicError, Topics, checked_node
from daemon.mqtt.transport import link as mqtt_link
from daemon.mqtt.transport.link import MqttLink
from daemon.mqtt.transport.outbox import MAX_EVENTS
from daemon.settings import BrokerSettings
from support.peers.real_broker import RealBroker
from support.peers.tcp_proxy import TcpProxy
from support.waiting import PATIENCE_S, until

pytestmark = pytest.mark.broker
STATE = "neuroplayer/t/player/state"


class Ear:
    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []

    def __call__(self, topic: str, payload: bytes, retained: bool) -> None:
        self.heard.append((topic, payload))


def _link(
    settings: BrokerSettings, name: str = "one", ear: Ear | None = None, on_message: str = "#"
) -> MqttLink:
    return MqttLink(
        settings, name, on_message=ear or Ear(), subscriptions=[on_message] if ear else [], seed=1
    )


async def test_f19_a_broker_that_comes_late_gets_everything(tmp_path: Path, free_port: int) -> None:
    broker, ear = RealBroker(tmp_path, free_port), Ear()
    async with _link(BrokerSettings(port=free_port)) as link:
        link.retain(STATE, b"7")
        await until(lambda: link.counters.failures >= 2)
        await asyncio.to_thread(broker.start)
        try:
            await until(link.connected.is_set)
            async with _link(BrokerSettings(port=free_port), "two", ear):
                await until(lambda: (STATE, b"7") in ear.heard)
        finally:
            await asyncio.to_thread(broker.stop)


@pytest.mark.slow
async def test_f21_a_hung_broker_is_noticed_and_nothing_grows(broker: RealBroker) -> None:
    async with _link(BrokerSettings(port=broker.port)) as link:
        await until(link.connected.is_set)
        broker.signal(signal.SIGSTOP)
        stopped_s = time.monotonic()
        try:
            while link.connected.is_set() and time.monotonic() - stopped_s < PATIENCE_S:
                for number in range(200):
                    link.retain(STATE, str(number).encode())
                    link.send("neuroplayer/t/player/decision", b"x" * 500, qos=1)
                await asyncio.sleep(0.1)
            assert not link.connected.is_set()
            assert len(link._outbox.events) <= MAX_EVENTS
            assert len(link._outbox.states) <= 1
        finally:
            broker.signal(signal.SIGCONT)
        await until(link.connected.is_set)


async def test_f22_over_a_slow_link_the_newest_state_wins_and_the_loop_is_free(broker: RealBroker) -> None:
    ear = Ear()
    async with TcpProxy(broker.port) as proxy, _link(BrokerSettings(port=broker.port), "ear", ear):  # noqa: SIM117
        async with _link(BrokerSettings(port=proxy.port)) as link:
            await until(link.connected.is_set)
            proxy.rate = 1000
            worst_s, last_s = 0.0, time.monotonic()
            for number in range(300):
                link.retain(STATE, b"%d" % number + b" " * 400)
                await asyncio.sleep(0.01)
                now_s = time.monotonic()
                worst_s, last_s = max(worst_s, now_s - last_s), now_s
            proxy.rate = None
            await until(lambda: any(payload.startswith(b"299 ") for _, payload in ear.heard))
    assert worst_s < 5.0
    states = [payload for topic, payload in ear.heard if topic == STATE]
    assert len(states) < 150, "most were superseded, not queued"
    assert link.counters.superseded_states > 100


async def test_f22_a_link_reset_again_and_again_ends_with_the_newest_state(
    broker: RealBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_link, "SHORT_LIVES", 100)  # else it rests for 45 s, as from another of its name
    ear = Ear()
    async with TcpProxy(broker.port) as proxy, _link(BrokerSettings(port=broker.port), "ear", ear):  # noqa: SIM117
        async with _link(BrokerSettings(port=proxy.port)) as link:
            for number in range(3):
                await until(link.connected.is_set)
                link.retain(STATE, str(number).encode())
                await asyncio.sleep(0.05)
                proxy.reset()
                await until(lambda: not link.connected.is_set())
            link.retain(STATE, b"last")
            await until(lambda: (STATE, b"last") in ear.heard)
            assert link.counters.connects >= 4


async def test_f22_a_link_stalled_in_a_packet_does_not_hold_the_end_up(broker: RealBroker) -> None:
    async with TcpProxy(broker.port) as proxy:
        link = _link(BrokerSettings(port=proxy.port))
        async with link:
            await until(link.connected.is_set)
            proxy.stalled = True
            link.retain(STATE, b"x" * 100_000)
            await asyncio.sleep(0.2)
            ending_s = time.monotonic()
        assert time.monotonic() - ending_s < 10, "the packet is stalled for ever"
        proxy.stalled = False


def _passwords(folder: Path) -> str:
    path = folder / "passwords"
    path.write_text("me:right\n")
    subprocess.run(["mosquitto_passwd", "-U", str(path)], check=True, capture_output=True)
    acl = folder / "acl"
    acl.write_text("user me\ntopic write neuroplayer/t/player/#\n")
    if os.geteuid() == 0:
        for name in (path, acl):
            name.chmod(0o644)
        for parent in (folder, *list(folder.parents)[:3]):
            parent.chmod(parent.stat().st_mode | 0o055)
    return f"password_file {path}\nacl_file {acl}"


@pytest.fixture
def strict(tmp_path: Path, free_port: int) -> Iterator[RealBroker]:
    """A broker that knows one user, who may say the player's part only."""
    found = RealBroker(tmp_path, free_port, _passwords(tmp_path), anonymous=False)
    found.start()
    yield found
    found.stop()


@pytest.mark.parametrize(("user", "password"), [("me", "wrong"), (None, None), ("you", "right")])
async def test_f23_refused_credentials_are_told_without_a_storm(
    strict: RealBroker, user: str | None, password: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    settings = BrokerSettings(port=strict.port, username=user, password=password)
    async with _link(settings) as link:
        await until(lambda: link.counters.failures >= 1)
        await asyncio.sleep(2.0)
        assert link.counters.failures == 1
        assert link.last_error is not None
        assert "uthori" in link.last_error or "ser" in link.last_error
    assert "trying again" in caplog.text
    assert "right" not in caplog.text
    assert "wrong" not in caplog.text


async def test_f23_what_the_access_list_denies_costs_nothing_else(strict: RealBroker) -> None:
    settings = BrokerSettings(port=strict.port, username="me", password="right")
    async with _link(settings) as link:
        await until(link.connected.is_set)
        link.retain("neuroplayer/t/emotion", b"denied")
        link.retain(STATE, b"allowed")
        await until(lambda: link.counters.published >= 2)
        await asyncio.sleep(0.3)
        assert link.connected.is_set()
        assert link.counters.connects == 1


class Certified:
    """A broker with TLS and its authority."""

    def __init__(self, folder: Path, port: int, name: str = "127.0.0.1", days: float = 30) -> None:
        self.authority = trustme.CA()
        until_then = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
        server = self.authority.issue_cert(name, not_after=until_then)
        self.folder, self.port = folder, port
        server.private_key_pem.write_to_path(str(folder / "key.pem"))
        for number, part in enumerate(server.cert_chain_pems):
            part.write_to_path(str(folder / "cert.pem"), append=number > 0)
        self.authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        for path in (folder, *list(folder.parents)[:3]):
            path.chmod(path.stat().st_mode | 0o055)
        for file in folder.glob("*.pem"):
            file.chmod(0o644)
        extra = f"cafile {folder}/ca.pem\ncertfile {folder}/cert.pem\nkeyfile {folder}/key.pem"
        self.extra = extra

    def broker(self, more: str = "") -> RealBroker:
        return RealBroker(self.folder, self.port, f"{self.extra}\n{more}")

    def settings(self, **changes: str | None) -> BrokerSettings:
        given: dict[str, str | None] = {"ca_file": f"{self.folder}/ca.pem"} | changes
        return BrokerSettings(host="127.0.0.1", port=self.port, tls=True, **given)  # type: ignore[arg-type]


# paho leaves the socket of a failed handshake to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("name", "days", "trusted", "says"),
    [
        ("127.0.0.1", 30, True, None),
        ("127.0.0.1", -1, True, "expired"),
        ("other.home", 30, True, "127.0.0.1"),
        ("127.0.0.1", 30, False, "certificate verify failed"),
    ],
    ids=["good", "expired", "wrong name", "unknown authority"],
)
async def test_f23_certificates_are_verified(
    tmp_path: Path, free_port: int, name: str, days: float, trusted: bool, says: str | None
) -> None:
    certified = Certified(tmp_path, free_port, name, days)
    broker = certified.broker()
    await asyncio.to_thread(broker.start)
    try:
        settings = certified.settings(**({} if trusted else {"ca_file": None}))
        async with _link(settings) as link:
            if says is None:
                await until(link.connected.is_set)
                return
            await until(lambda: link.counters.failures >= 1)
            await asyncio.sleep(1.5)
            assert link.counters.failures == 1
            assert says in (link.last_error or "")
    finally:
        await asyncio.to_thread(broker.stop)


async def test_f23_a_client_certificate_lets_in(tmp_path: Path, free_port: int) -> None:
    certified = Certified(tmp_path, free_port)
    own = certified.authority.issue_cert("player@home", common_name="player")
    own.private_key_pem.write_to_path(str(tmp_path / "own-key.pem"))
    own.cert_chain_pems[0].write_to_path(str(tmp_path / "own-cert.pem"))
    broker = certified.broker("require_certificate true\nuse_identity_as_username true")
    await asyncio.to_thread(broker.start)
    try:
        async with _link(certified.settings()) as without:
            await asyncio.sleep(1.0)
            assert not without.connected.is_set()
        with_own = certified.settings(
            cert_file=f"{tmp_path}/own-cert.pem", key_file=f"{tmp_path}/own-key.pem"
        )
        async with _link(with_own) as link:
            await until(link.connected.is_set)
    finally:
        await asyncio.to_thread(broker.stop)


async def test_f24_two_hosts_with_one_id_do_not_fight(
    broker: RealBroker, caplog: pytest.LogCaptureFixture
) -> None:
    settings = BrokerSettings(port=broker.port)
    async with _link(settings, "same") as one:
        await until(one.connected.is_set)
        async with _link(settings, "same") as two:
            await until(two.connected.is_set)
            await until(lambda: one.counters.taken_over + two.counters.taken_over >= 1)
            before = one.counters.connects + two.counters.connects
            await asyncio.sleep(6.0)
            assert one.counters.connects + two.counters.connects <= before + 1
            assert before <= 2 * 4
    assert "another client took over the id 'same'" in caplog.text


async def test_f25_huge_and_hostile_payloads_do_not_reach_us(broker: RealBroker) -> None:
    ear, memory = Ear(), psutil.Process()
    async with _link(BrokerSettings(port=broker.port), "us", ear, "neuroplayer/t/cmd/+") as link:
        await until(link.connected.is_set)
        before = memory.memory_info().rss
        bomb = Path(str(broker._config)).with_name("bomb")
        with bomb.open("wb") as file:
            file.truncate(100 * 1024 * 1024)
        send = [
            "mosquitto_pub",
            "-p",
            str(broker.port),
            "-t",
            "neuroplayer/t/cmd/volume",
            "-V",
            "5",
            "-q",
            "1",
        ]
        await asyncio.to_thread(subprocess.run, [*send, "-f", str(bomb)], check=False, capture_output=True)
        bomb.unlink()
        for text in ("[" * 200_000, '{"volume":NaN}', "\udcff\x00", '{"volume":1e400}'):
            process = await asyncio.create_subprocess_exec(*send, "-s", stdin=asyncio.subprocess.PIPE)
            await process.communicate(text.encode("utf-8", "surrogateescape"))
        await asyncio.to_thread(subprocess.run, [*send, "-m", '{"volume":0.5}'], check=True)
        await until(lambda: bool(ear.heard) and ear.heard[-1][1] == b'{"volume":0.5}')
        assert max(len(payload) for _, payload in ear.heard) < 256 * 1024
        assert memory.memory_info().rss - before < 30 * 1024 * 1024
        assert link.counters.connects == 1


async def test_f25_a_flood_is_bounded_and_the_loop_stays_free(broker: RealBroker) -> None:
    ear = Ear()
    async with (
        _link(BrokerSettings(port=broker.port), "us", ear, "flood/#") as link,
        _link(BrokerSettings(port=broker.port), "them") as them,
    ):
        await until(lambda: link.connected.is_set() and them.connected.is_set())
        worst_s = 0.0
        for _ in range(100):
            for _ in range(30):
                them.send("flood/x", b"x" * 100)
            began_s = time.monotonic()
            await asyncio.sleep(0.005)
            worst_s = max(worst_s, time.monotonic() - began_s)
        them.send("flood/x", b"end", qos=1)
        await until(lambda: bool(ear.heard) and ear.heard[-1][1] == b"end")
        assert worst_s < 5.0
        assert link.counters.connects == 1


@given(st.text(min_size=0, max_size=100))
def test_f26_a_node_name_is_a_plain_word_or_refused(name: str) -> None:
    try:
        checked_node(name)
    except TopicError:
        return
    assert 1 <= len(name) <= 64
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")


@pytest.mark.parametrize("name", ["+", "#", "a/b", "../x", "a\0", "a\n", "A", "ä", "", "x" * 65, "$SYS"])
def test_f26_hostile_names_are_refused(name: str) -> None:
    with pytest.raises(TopicError):
        Topics(name)
    with pytest.raises(TopicError):
        Topics("home").command(name)
