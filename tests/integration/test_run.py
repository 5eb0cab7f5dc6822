"""``neuroplayer run`` as a user starts, watches, breaks and ends it."""

from __future__ import annotations

import json
import os
import re
import signal
import time

import psutil
import pytest

from support.peers.real_broker import MOSQUITTO, RealBroker, wait_for_port
from support.running_product import MosquittoSub, Product, Running
from support.waiting import wait_until

UNNAMED = ("run", "--no-web", "--output", "null", "--baseline", "5", "--seed", "1")
BASE = (*UNNAMED, "--source", "simulated")


def mqtt_port(running: Running) -> int:
    """The port of the broker that a running session announced."""
    wait_until(lambda: running.says("MQTT: mqtt://"), "the MQTT address is said")
    line = next(line for line in running.lines if line.startswith("MQTT:"))
    found = re.search(r"127\.0\.0\.1:(\d+)", line)
    assert found is not None, line
    wait_for_port(int(found[1]), 20)
    return int(found[1])


@pytest.mark.broker
def test_it_says_what_it_found_and_ends_on_ctrl_c_with_a_summary(product: Product) -> None:
    running = product.start(*UNNAMED, "--plain")
    wait_until(lambda: running.says("rest:") or running.says("mood:"), "a first state")
    assert running.says("Wearer: simulated, as no headset was found")
    assert running.says("Music: eight demo tracks")
    assert running.says("Sound: none was wanted")
    port = mqtt_port(running)
    with MosquittoSub(port) as ear:
        wait_until(lambda: bool(ear.on("emotion")), "an independent program hears the state")
        assert all(document["simulated"] for document in ear.documents("emotion"))
        wait_until(lambda: any(d["track"] for d in ear.documents("player/state")), "music sounds")
        pids = running.children()
        assert set(pids) == {"broker", "engine", "player", "view"}
        running.interrupt()
        assert running.wait() == 0, running.errors
    assert running.says("Session of 0 min")
    assert running.says("simulated wearer")
    assert running.says("Music: 1 track")
    assert not any(psutil.pid_exists(pid) for pid in pids.values())
    assert not any("Traceback" in line for line in running.errors)


@pytest.mark.broker
def test_f34_a_killed_engine_comes_back(product: Product, broker: RealBroker, ear: MosquittoSub) -> None:
    running = product.start(*BASE, "--plain", "--broker", f"mqtt://127.0.0.1:{broker.port}")
    wait_until(lambda: "running" in [d["phase"] for d in ear.documents("session")], "the rest is done")
    first = running.children()["engine"]
    already = len(ear.on("session"))
    os.kill(first, signal.SIGKILL)
    wait_until(
        lambda: [heard.payload for heard in ear.on("engine/availability")] == ["online", "offline", "online"],
        "the last will, then the engine again",
    )
    second = running.children()["engine"]
    assert second != first
    # "back within 3 s", in the time of its own that stays the same however busy the machine is
    times = psutil.Process(second).cpu_times()
    assert running.says("starting it again in 0.1 s")
    assert times.user + times.system < 2.9
    wait_until(lambda: running.says("engine:   is back"), "the view says so")
    wait_until(
        lambda: [d["phase"] for d in ear.documents("session")[already:]][-1:] == ["running"],
        "the stored rest serves again",
    )
    assert "calibrating" not in [d["phase"] for d in ear.documents("session")[already:]]
    assert running.says("engine ended (killed by SIGKILL)")


@pytest.mark.broker
def test_a_killed_supervisor_leaves_nobody_behind(
    product: Product, broker: RealBroker, ear: MosquittoSub
) -> None:
    running = product.start(*BASE, "--plain", "--broker", f"mqtt://127.0.0.1:{broker.port}")
    wait_until(lambda: bool(ear.on("emotion")), "a first state")
    pids = running.children().values()
    running.process.kill()
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in pids), "every role has ended")


@pytest.mark.broker
def test_the_embedded_broker_serves_mqtt_3(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROPLAYER_EMBEDDED_BROKER", "1")
    running = product.start(*BASE, "--plain")
    with MosquittoSub(mqtt_port(running)) as ear:
        wait_until(lambda: bool(ear.on("emotion")), "states through the embedded broker")
    assert running.says("embedded broker")


@pytest.mark.broker
def test_json_lines_are_json_and_the_duration_ends_it(product: Product) -> None:
    running = product.start(*BASE, "--json", "--duration", "3s")
    assert running.wait() == 0, running.errors
    said = [json.loads(line) for line in running.lines]
    assert said[-1]["topic"] == "summary"

    running = product.start(*UNNAMED, "--json")
    for topic in ("emotion", "headset", "session"):
        wait_until(lambda named=f'"topic": "{topic}"': running.says(named), topic)  # type: ignore[misc]
    while running.process.poll() is None:  # an impatient listener changes nothing
        running.interrupt()
        time.sleep(0.003)
    assert running.wait() == 0, running.errors
    assert not running.says("Traceback")
    said = [json.loads(line) for line in running.lines]
    assert said[-1]["topic"] == "summary"
    assert said[-1]["document"]["simulated"] is True


def test_a_port_in_use_is_one_line_and_status_2(product: Product, broker: RealBroker) -> None:
    running = product.start("broker", "--broker", f"mqtt://127.0.0.1:{broker.port}")
    assert running.wait() == 2
    assert len(running.errors) == 1
    assert f"{broker.port} on 127.0.0.1 is in use" in running.errors[0]


def test_mosquitto_is_found_outside_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    from daemon.broker import mosquitto_binary

    if MOSQUITTO != "/usr/sbin/mosquitto":
        pytest.skip("Mosquitto is not in /usr/sbin here")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert mosquitto_binary() == MOSQUITTO
