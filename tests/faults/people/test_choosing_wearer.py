"""Another wearer is chosen while a session runs: whatever was the first one's stays with them."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from support.peers.real_broker import RealBroker
from support.running_product import MosquittoSub, Product, Running
from support.waiting import PATIENCE_S, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.slow]


def _wearers() -> Path:
    return Path(os.environ["NEUROPLAYER_STATE_DIR"]) / "wearers"


def _files(name: str) -> dict[str, bytes]:
    folder = _wearers() / name
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def _send(broker: RealBroker, name: str, **words: Any) -> None:
    command = ["mosquitto_pub", "-p", str(broker.port), "-q", "1", "-t", f"neuroplayer/t/cmd/{name}"]
    subprocess.run([*command, "-m", json.dumps(words)], check=True, timeout=PATIENCE_S)


def _said(ear: MosquittoSub, name: str, since: int = 0) -> list[dict[str, Any]]:
    """What was said on a topic; what was taken back is no document."""
    return [
        h.document
        for h in ear.heard[since:]
        if h.topic == f"neuroplayer/t/{name}" and h.payload.startswith("{")
    ]


def _choose(broker: RealBroker, ear: MosquittoSub, name: str) -> int:
    """Choose, and wait until the next session says who it is; how much had been heard when it was sent."""
    wait_until(lambda: ear.on("wearer")[-1:] != [] and ear.on("wearer")[-1].payload[0] == "{", "it is heard")
    heard = len(ear.heard)
    _send(broker, "wearer", wearer=name)
    wait_until(
        lambda: any(d["wearer"] == name for d in _said(ear, "wearer", heard)), f"it is {name}'s session"
    )
    return heard


@pytest.fixture
def running(product: Product, broker: RealBroker, ear: MosquittoSub) -> Running:
    """Anna's session, with music, recorded."""
    running = product.start(
        *("run", "--node", "t", "--wearer", "anna", "--plain", "--output", "null", "--no-web", "--record"),
        *("--source", "simulated", "--speed", "8", "--baseline", "10"),
        *("--broker", f"mqtt://127.0.0.1:{broker.port}"),
    )
    wait_until(lambda: any(d["status"] == "ok" for d in ear.documents("emotion")), "a mood")
    wait_until(lambda: any(d["track"] for d in ear.documents("player/state")), "music")
    return running


def test_nothing_of_one_wearer_goes_to_the_next(
    running: Running, broker: RealBroker, ear: MosquittoSub
) -> None:
    _send(broker, "ban")
    wait_until((_wearers() / "anna" / "taste.json").exists, "Anna's ban is kept")
    heard = _choose(broker, ear, "bob")
    anna = _files("anna")
    assert [name for name in anna if name.endswith(".xdf")], "her recording was closed in order"
    assert not [name for name in anna if name.endswith(".part")]
    wait_until(lambda: any(d["status"] == "ok" for d in _said(ear, "emotion", heard)[-1:]), "Bob's mood")
    statuses = [d["status"] for d in _said(ear, "emotion", heard)]
    assert "calibrating" in statuses[statuses.index("stale") :], "a rest of his own"
    session = _said(ear, "session")[-1]
    assert not session["recording"], "the consent was Anna's"
    assert _files("anna") == anna, "byte for byte"
    bob = _files("bob")
    assert not list((_wearers() / "bob" / "recordings").glob("*.xdf*"))
    assert json.loads(anna["taste.json"])["banned"]
    assert "taste.json" not in bob

    _choose(broker, ear, "guest")
    _send(broker, "like")
    before = _files("bob")
    _choose(broker, ear, "anna")
    assert not [path for path in _wearers().glob("guest-*") if any(path.rglob("*"))], "a guest leaves nothing"
    assert _files("bob") == before
    known = _said(ear, "wearer")[-1]["known"]
    assert known == ["anna", "bob"]

    running.interrupt()
    assert running.wait() == 0, running.errors
    with MosquittoSub(broker.port) as late:
        time.sleep(1.0)
        kept = {h.topic: h.payload for h in late.heard}
    assert [topic for topic, payload in kept.items() if "bob" in payload] == [], "nobody is named for good"


def test_a_name_that_is_none_is_refused_and_the_session_goes_on(
    running: Running, broker: RealBroker, ear: MosquittoSub
) -> None:
    wait_until(lambda: bool(_said(ear, "wearer")), "the list")
    for wrong in ("Bob", "../bob", "guest-t", "___", "b b"):
        _send(broker, "wearer", wearer=wrong)
    wait_until(lambda: len(ear.documents("cmd/error")) == 5, "five refusals")
    _send(broker, "wearer", wearer="anna")
    time.sleep(1.0)
    assert {d["command"] for d in ear.documents("cmd/error")} == {"wearer"}
    assert {d["wearer"] for d in _said(ear, "wearer")} == {"anna"}
    assert not [path.name for path in _wearers().iterdir() if path.name != "anna"]


def test_home_assistant_is_offered_whom_there_is(
    running: Running, broker: RealBroker, ear: MosquittoSub
) -> None:
    topic = "homeassistant/select/neuroplayer_t/wearer/config"

    def offered() -> list[str]:
        told = [h.document["options"] for h in ear.heard if h.topic == topic and h.payload.startswith("{")]
        return told[-1] if told else []

    wait_until(lambda: offered() == ["anna", "guest"], "Anna and a guest")
    (_wearers() / "carla").mkdir()
    wait_until(lambda: offered() == ["anna", "carla", "guest"], "Carla, too")
    (_wearers() / "carla").rmdir()
    wait_until(lambda: offered() == ["anna", "guest"], "she was forgotten")
