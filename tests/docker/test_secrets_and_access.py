"""The secrets that ``docker/make-secrets.sh`` makes, and the access list, held against a real Mosquitto."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from support.free_ports import a_free_port
from support.peers.real_broker import MOSQUITTO, wait_for_port
from support.waiting import PATIENCE_S, wait_until

DOCKER = Path(__file__).resolve().parents[2] / "docker"
CONTAINER_USER = 10001
STRANGER = 65534
NODE = "neuroplayer/home/"
ROOT = os.geteuid() == 0
OWNED = ("engine", "player", "web", "mosquitto.passwd")
USERS = ("engine", "player", "web", "homeassistant")
NO_DOCKER = {**os.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock"}

if not Path(MOSQUITTO).exists() or shutil.which("mosquitto_passwd") is None:
    pytest.skip("Mosquitto is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A copy of ``docker/`` where another user may walk, which pytest's own folders forbid."""
    with tempfile.TemporaryDirectory(prefix="neuroplayer-secrets-") as made:
        Path(made).chmod(0o755)
        copy = Path(made) / "docker"
        shutil.copytree(DOCKER, copy, ignore=shutil.ignore_patterns("secrets*"))
        yield copy


def _make(folder: Path, *words: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [*before, "sh", str(folder / "make-secrets.sh"), *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=NO_DOCKER, timeout=PATIENCE_S
    )


@pytest.fixture(scope="module")
def secrets(folder: Path) -> Path:
    """As the person who starts the containers makes them; without root, for containers of the own user."""
    done = _make(folder, *(() if ROOT else (str(os.geteuid()),)))
    assert done.returncode == 0, done.stderr
    return folder / "secrets"


@dataclass
class Client:
    """One user at the broker: what it may say, and what it hears."""

    port: int
    user: str | None
    password: str | None
    heard: set[str] = field(default_factory=set)
    verdict: str = ""

    def __post_init__(self) -> None:
        self._answers: dict[int, ReasonCode] = {}
        self._lock = threading.Lock()
        self._link = paho.Client(
            CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, reconnect_on_failure=False
        )
        self._link.username_pw_set(self.user, self.password)
        self._link.on_connect = self._connected
        self._link.on_subscribe = self._subscribed
        self._link.on_publish = self._published
        self._link.on_message = lambda _client, _data, message: self.heard.add(message.topic)
        self._link.connect("127.0.0.1", self.port)
        self._link.loop_start()
        wait_until(lambda: bool(self.verdict), f"an answer to {self.user}")

    def _connected(
        self, client: paho.Client, _data: object, _flags: object, code: ReasonCode, _more: object
    ) -> None:
        if code.is_failure:
            self.verdict = str(code)
        else:
            client.subscribe("#", qos=1)

    def _subscribed(
        self, _client: paho.Client, _data: object, _number: int, codes: list[ReasonCode], _more: object
    ) -> None:
        """Only from now on it hears all that others say."""
        self.verdict = str(codes[0])

    def _published(
        self, _client: object, _data: object, number: int, code: ReasonCode, _more: Properties
    ) -> None:
        with self._lock:
            self._answers[number] = code

    def may_say(self, topic: str) -> bool:
        """Whether the broker takes a message of this topic, by its own answer."""
        number = self._link.publish(topic, b"{}", qos=1).mid

        def answered() -> bool:
            with self._lock:
                return number in self._answers

        wait_until(answered, f"an answer to {topic}")
        return not self._answers[number].is_failure

    def close(self) -> None:
        """Gone with its thread and sockets when this returns."""
        self._link.disconnect()
        self._link.loop_stop()
        self._link._reset_sockets()


@pytest.fixture(scope="module")
def port(folder: Path, secrets: Path) -> Iterator[int]:
    """Mosquitto with the containers' own files, as the containers' user: with other places and port."""
    free = a_free_port()
    secrets.chmod(0o711)  # a container is handed the file itself, not the way to it
    text = (folder / "mosquitto.conf").read_text()
    for there, here in (
        ("listener 1883", f"listener {free} 127.0.0.1"),
        ("/run/secrets/mosquitto.passwd", str(secrets / "mosquitto.passwd")),
        ("/mosquitto/config/mosquitto.acl", str(folder / "mosquitto.acl")),
    ):
        assert there in text
        text = text.replace(there, here)
    own = folder / "here.conf"
    own.write_text(text)
    as_user = ("setpriv", f"--reuid={CONTAINER_USER}", f"--regid={CONTAINER_USER}", "--clear-groups")
    process = subprocess.Popen([*(as_user if ROOT else ()), MOSQUITTO, "-c", str(own)])
    try:
        wait_for_port(free, process=process)
        yield free
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@pytest.fixture
def clients(port: int, secrets: Path) -> Iterator[dict[str, Client]]:
    with contextlib.ExitStack() as open_ones:
        found: dict[str, Client] = {}
        for user in USERS:
            found[user] = Client(port, user, (secrets / user).read_text())
            open_ones.callback(found[user].close)
        yield found


def test_the_secrets_are_for_the_containers_user_alone(folder: Path, secrets: Path) -> None:
    owner = CONTAINER_USER if ROOT else os.geteuid()
    for name in (*OWNED, "homeassistant"):
        assert stat.S_IMODE((secrets / name).stat().st_mode) == 0o600
    assert {(secrets / name).stat().st_uid for name in OWNED} == {owner}
    assert (secrets / "homeassistant").stat().st_uid == int(os.environ.get("SUDO_UID", os.geteuid()))
    hashes = (secrets / "mosquitto.passwd").read_text()
    passwords = {(secrets / user).read_text() for user in USERS}
    assert len(passwords) == len(USERS)
    assert not [password for password in passwords if password in hashes or len(password) < 32]
    before = hashes
    again = _make(folder)
    assert (again.returncode, "there already" in again.stdout) == (0, True)
    assert (secrets / "mosquitto.passwd").read_text() == before


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
def test_a_user_who_can_give_nothing_away_is_told_and_keeps_nothing(folder: Path) -> None:
    own = folder.parent / "stranger"
    shutil.copytree(DOCKER, own, ignore=shutil.ignore_patterns("secrets*"))
    for path in (own, *own.iterdir()):
        os.chown(path, STRANGER, STRANGER)
    user = ("setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups")
    done = _make(own, before=user)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "make-secrets: the files must belong to the containers' user 10001"
    )
    assert not [path for path in own.iterdir() if path.name.startswith("secrets")]
    mine = _make(own, str(STRANGER), before=user)
    assert (mine.returncode, (own / "secrets/engine").stat().st_uid) == (0, STRANGER)


def test_an_argument_that_is_no_user_is_refused(folder: Path) -> None:
    done = _make(folder, "root; id")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_nobody_without_a_password_is_let_in(port: int, secrets: Path) -> None:
    for user, password in ((None, None), ("engine", (secrets / "web").read_text()), ("root", "x")):
        client = Client(port, user, password)
        client.close()
        assert client.verdict == "Not authorized", user


MAY_SAY = {
    "engine": {
        "engine/availability",
        "emotion",
        "estimate",
        "signal",
        "headset",
        "session",
        "mood_changed",
        "cmd/error",
    },
    "player": {"player/availability", "player/state", "player/decision", "cmd/error"},
    "web": {"cmd/skip", "cmd/session", "cmd/record", "cmd/label", "cmd/error"},
    "homeassistant": {"cmd/skip", "cmd/session", "cmd/label", "cmd/error"},
}
"""Of all the topics named here, each user may say its own and no other."""


def test_each_says_its_own_and_no_other(clients: dict[str, Client]) -> None:
    asked = set().union(*MAY_SAY.values())
    for user, client in clients.items():
        assert {name for name in asked if client.may_say(NODE + name)} == MAY_SAY[user], user
        assert not client.may_say("elsewhere/lamp"), user
    announces = {user for user, client in clients.items() if client.may_say("homeassistant/device/x/config")}
    assert announces == {"engine", "player", "homeassistant"}


def test_each_hears_what_it_needs_and_no_more(clients: dict[str, Client]) -> None:
    assert clients["engine"].may_say(NODE + "estimate")
    assert clients["engine"].may_say(NODE + "emotion")
    assert clients["player"].may_say(NODE + "player/state")
    assert clients["homeassistant"].may_say("homeassistant/status")
    assert clients["web"].may_say(NODE + "cmd/skip")
    last = NODE + "cmd/session"
    assert clients["web"].may_say(last)
    wait_until(lambda: all(last in client.heard for client in clients.values()), "all hear the last")
    heard = {user: {topic.removeprefix(NODE) for topic in client.heard} for user, client in clients.items()}
    status = "homeassistant/status"
    assert heard == {
        "engine": {"player/state", "cmd/session", status},
        "player": {"emotion", "cmd/skip", "cmd/session", status},
        "web": {"estimate", "emotion", "player/state", "cmd/skip", "cmd/session"},
        "homeassistant": {"estimate", "emotion", "player/state", "cmd/skip", "cmd/session", status},
    }
