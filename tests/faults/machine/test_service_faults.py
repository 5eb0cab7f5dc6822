"""The service as a whole: locks, reload, watchdog, and an end at any moment (F24, F38, F44, F45)."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from support.peers.real_broker import RealBroker
from support.running_product import MosquittoSub, Product, Running
from support.waiting import wait_until

pytestmark = pytest.mark.broker
UNNAMED = ("--output", "null", "--no-web", "--plain", "--baseline", "none")
QUICK = (*UNNAMED, "--source", "simulated")


def _url(broker: RealBroker) -> str:
    return f"mqtt://127.0.0.1:{broker.port}"


def _playing(ear: MosquittoSub) -> bool:
    return any(document["track"] for document in ear.documents("player/state"))


def test_f24_a_second_daemon_of_the_node_is_refused(
    product: Product, broker: RealBroker, ear: MosquittoSub
) -> None:
    first = product.start("run", *QUICK, "--broker", _url(broker))
    wait_until(lambda: _playing(ear), "the first plays")
    second = product.start("run", *QUICK, "--broker", _url(broker))
    assert second.wait() == 2
    (line,) = second.errors
    assert "another engine of node 'home' runs already (process" in line
    assert str(first.process.pid) in line
    assert first.process.poll() is None


def _config(text: str) -> None:
    path = Path(os.environ["NEUROPLAYER_CONFIG"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)


def test_f38_reload_keeps_the_music_and_a_broken_file_keeps_the_old(
    product: Product, broker: RealBroker, ear: MosquittoSub
) -> None:
    _config('[music]\nvolume = 0.5\n[session]\nbaseline = "none"\n')
    running = product.start("run", "--output", "null", "--no-web", "--plain", "--broker", _url(broker))
    wait_until(lambda: _playing(ear) and bool(ear.on("headset")), "it plays and reads")
    before = running.children()
    track = ear.documents("player/state")[-1]["track"]["id"]
    _config('[music]\nvolume = 0.25\npolicy = "manual"\n[session]\nbaseline = 60\n')
    running.process.send_signal(signal.SIGHUP)
    wait_until(lambda: ear.documents("player/state")[-1]["volume"] == 0.25, "the new volume is heard")
    wait_until(lambda: ear.documents("session")[-1]["baseline_wanted_s"] == 60, "the engine began again")
    state = ear.documents("player/state")[-1]
    assert (state["policy"], state["track"]["id"]) == ("manual", track)
    assert running.children()["player"] == before["player"]
    assert running.children()["engine"] != before["engine"]
    positions = [document["position_s"] for document in ear.documents("player/state")]
    assert positions == sorted(positions), "the track was played on"
    after = running.children()
    _config("[music]\nvolume = 9\nvolum = 1\n")
    running.process.send_signal(signal.SIGHUP)
    wait_until(lambda: running.says("the configuration in force is kept"), "the refusal is told")
    assert running.says("music.volume must be a number from 0 to 1, got 9")
    assert running.says("did you mean music.volume?")
    time.sleep(1.5)
    assert running.children() == after
    assert ear.documents("player/state")[-1]["volume"] == 0.25


class Systemd:
    """The other end of ``NOTIFY_SOCKET``."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self.heard: list[tuple[float, str]] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while text := self._socket.recv(4096).decode():
            self.heard.append((time.monotonic(), text))

    def says(self, words: str) -> bool:
        return any(words in text for _, text in list(self.heard))

    def fed_after(self, moment_s: float) -> bool:
        return any("WATCHDOG=1" in text and at_s > moment_s for at_s, text in list(self.heard))

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", str(self.path))
        self._thread.join(5)
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    """A socket like systemd's, named in the environment."""
    found = Systemd(tmp_path)
    monkeypatch.setenv("NOTIFY_SOCKET", str(found.path))
    monkeypatch.setenv("WATCHDOG_USEC", "3000000")
    yield found
    found.close()


@pytest.mark.slow
@pytest.mark.parametrize("role", ["engine", "player"])
def test_f45_the_watchdog_is_not_fed_while_a_role_hangs(
    product: Product, broker: RealBroker, systemd: Systemd, role: str
) -> None:
    running = product.start("run", *QUICK, "--broker", _url(broker))
    wait_until(lambda: systemd.says("READY=1"), "it is ready")
    os.kill(running.children()[role], signal.SIGSTOP)
    stopped_s = time.monotonic()
    time.sleep(8.5)
    assert not systemd.fed_after(stopped_s + 7.0), "nobody vouches for a role that hangs"
    wait_until(lambda: systemd.fed_after(stopped_s + 9), "the role was started again")
    running.process.terminate()
    running.wait()
    assert systemd.says("STOPPING=1")


def test_a_single_role_tells_systemd_itself(
    product: Product, broker: RealBroker, systemd: Systemd, ear: MosquittoSub
) -> None:
    _config("[session]\nbaseline = 30\n")
    running = product.start("engine", "--broker", _url(broker))
    wait_until(lambda: systemd.fed_after(0), "ready and fed")
    wait_until(lambda: bool(ear.on("session")), "it speaks")
    _config("[session]\nbaseline = 90\n")
    running.process.send_signal(signal.SIGHUP)
    wait_until(lambda: ear.documents("session")[-1]["baseline_wanted_s"] == 90, "it began again")
    assert running.process.poll() is None, "in the same process"


def _descendants(running: Running) -> list[psutil.Process]:
    return psutil.Process(running.process.pid).children(recursive=True)


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


@pytest.mark.slow
def test_f44_an_end_at_random_moments_is_in_time_and_leaves_nothing(
    product: Product, broker: RealBroker, ear: MosquittoSub
) -> None:
    rng = random.Random(44)
    for number in range(int(os.environ.get("NEUROPLAYER_SIGTERMS", "4"))):
        running = product.start("run", *UNNAMED, "--broker", _url(broker))
        if number:
            time.sleep(rng.uniform(0.3, 6.0))
        else:
            wait_until(lambda: bool(ear.on("player/availability")), "the player is there")
        children = _descendants(running)
        asked_s = time.monotonic()
        running.process.terminate()
        status = running.wait()
        took_s = time.monotonic() - asked_s
        # an interpreter that is still starting dies of the signal: then it has begun nothing yet
        assert status == 0 or (status == -signal.SIGTERM and not children), running.errors
        assert took_s < 12, "at most 5 s, but for a machine busy with other work"
        assert not [child for child in children if _lives(child)]
        assert not any("Traceback" in line for line in running.errors), running.errors
    said = subprocess.run(
        ["mosquitto_sub", "-p", str(broker.port), "-t", "neuroplayer/home/+/availability", "-v", "-W", "2"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    assert said
    assert all(line.endswith("offline") for line in said), said


def test_logs_as_json(product: Product, broker: RealBroker) -> None:
    _config('[log]\nformat = "json"\n')
    running = product.start("run", *QUICK, "--broker", "mqtt://127.0.0.1:1")
    wait_until(lambda: running.says("refused") and running.says('"role":"engine"'), "nobody listens")
    running.interrupt()
    assert running.wait() == 0
    documents = [json.loads(line) for line in running.errors]
    assert {document["role"] for document in documents} >= {"engine"}
    assert any("refused" in document["message"] for document in documents)
