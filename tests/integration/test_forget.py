"""Fault F46: a wearer takes back what is known of them, also while recording, and nobody else's."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from support.peers.real_broker import RealBroker
from support.running_product import MosquittoSub, Product, Running
from support.waiting import wait_until

pytestmark = pytest.mark.broker

SOURCE = ("--source", "simulated", "--speed", "8", "--baseline", "10")


def _state() -> Path:
    return Path(os.environ["NEUROPLAYER_STATE_DIR"])


def _url(broker: RealBroker) -> str:
    return f"mqtt://127.0.0.1:{broker.port}"


def _send(broker: RealBroker, node: str, command: str, words: dict[str, object]) -> None:
    topic = f"neuroplayer/{node}/cmd/{command}"
    told = ["mosquitto_pub", "-p", str(broker.port), "-q", "1", "-t", topic, "-m", json.dumps(words)]
    subprocess.run(told, check=True, timeout=20)


def _digests(folder: Path) -> dict[str, str]:
    """Of every file that is finished."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".part"))
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_f46_forget_while_recording_leaves_nothing_and_nothing_new_is_written(
    product: Product, broker: RealBroker, ear: MosquittoSub
) -> None:
    theirs = _state() / "wearers" / "t"
    engine = product.start("engine", *SOURCE, "--node", "t", "--broker", _url(broker), "--record")
    wait_until(lambda: len(ear.documents("estimate")) > 3, "estimates")
    wait_until((theirs / "baselines").is_dir, "a stored rest")
    (theirs / "labels.jsonl").write_text("{}\n")
    (theirs / "taste.json").write_text("{}\n")
    running = product.start("forget", "--yes", "--node", "t", "--broker", _url(broker))
    assert running.wait() == 0, running.errors
    for said in (
        ".xdf.part",
        "consent.json",
        "labels.jsonl",
        "confirmed by the engine of node t",
        "Receipt: t",
    ):
        assert running.says(said), said
    assert running.says("retained message of neuroplayer/t/emotion")
    wait_until(lambda: engine.says("deleted, so the recording has stopped"), "the recording has stopped")
    wait_until(lambda: any('"recording":false' in heard.payload for heard in ear.on("session")), "REC is off")
    _send(broker, "t", "label", {"valence": 0.5})
    _send(broker, "t", "record", {"action": "start", "who": "Ada", "consent": "yes"})
    wait_until(lambda: "was forgotten" in str(ear.documents("cmd/error")), "no new recording")
    assert not theirs.exists()
    engine.interrupt()
    assert engine.wait() == 0
    assert not theirs.exists()
    with MosquittoSub(broker.port) as late:
        time.sleep(1.0)
        assert not [heard.topic for heard in late.heard if heard.payload], "nothing of the node is retained"


def test_f46_forget_asks_first_and_says_what_how_much_and_of_when(product: Product) -> None:
    label = _state() / "wearers" / "home" / "labels.jsonl"
    label.parent.mkdir(parents=True)
    label.write_text("{}\n")
    os.utime(label, (1767261600, 1767261600))
    running = product.start("forget")
    assert running.wait() != 0
    assert running.says("labels.jsonl: 1 file, 3 bytes, 2026-01-01")
    assert label.exists()
    asked = product.start("forget", "--yes")
    assert asked.wait() == 0, asked.errors
    assert not label.parent.exists()
    nothing = product.start("forget")
    assert nothing.wait() == 0, nothing.errors
    assert nothing.says("nothing is known of home")


def test_all_is_forgotten_only_by_a_typed_word(product: Product) -> None:
    for name in ("anna", "bob"):
        (_state() / "wearers" / name).mkdir(parents=True)
        (_state() / "wearers" / name / "labels.jsonl").write_text("{}\n")
    before = _digests(_state())
    refused = product.start("forget", "--all", "--yes")
    assert refused.wait() != 0
    assert _digests(_state()) == before
    typed = subprocess.run(
        [sys.executable, "-m", "daemon.cli", "forget", "--all"],
        input="everybody\n",
        text=True,
        timeout=60,
        capture_output=True,
        check=False,
    )
    assert typed.returncode == 0, typed.stderr
    assert _digests(_state()) == {}


def _recorded(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.part"))


def _sounding(ear: MosquittoSub, node: str) -> str:
    """The track of the newest state of a node's player; empty before there is one."""
    heard = (h.payload for h in ear.on("player/state") if f"/{node}/" in h.topic)
    said = [json.loads(payload) for payload in heard if payload.startswith("{")]
    return str(said[-1]["track"]["id"]) if said and said[-1]["track"] else ""


def test_one_of_three_is_forgotten_while_all_play(
    product: Product, broker: RealBroker, ear: MosquittoSub
) -> None:
    """Clara was here once; anna and bob play now, at once. Anna is forgotten."""
    state, url = _state(), _url(broker)
    wearers = state / "wearers"
    clara = product.start(
        "engine", *SOURCE, "--node", "room", "--wearer", "clara", "--broker", url, "--record"
    )
    wait_until((wearers / "clara" / "baselines").is_dir, "clara's rest")
    clara.interrupt()
    assert clara.wait() == 0, clara.errors
    running: dict[str, list[Running]] = {}
    for node, name in (("one", "anna"), ("two", "bob")):
        common = ("--node", node, "--wearer", name, "--broker", url)
        running[name] = [
            product.start("engine", *SOURCE, *common, "--record"),
            product.start("player", "--output", "null", *common),
        ]
    wait_until(lambda: all((wearers / n / "baselines").is_dir() for n in ("anna", "bob")), "two rests")
    banned = {}
    for node, name in (("one", "anna"), ("two", "bob")):
        wait_until(lambda node=node: bool(_sounding(ear, node)), "music")
        banned[name] = _sounding(ear, node)
        _send(broker, node, "ban", {"id": banned[name]})
        _send(broker, node, "label", {"valence": 0.123, "text": f"word of {name}"})
        wait_until((wearers / name / "taste.json").is_file, "a ban is kept")
        wait_until((wearers / name / "player-place.json").is_file, "a place is kept")
        wait_until((wearers / name / "labels.jsonl").is_file, "a label is kept")
    others = {name: _digests(wearers / name) for name in ("bob", "clara")}
    others["bob"].pop("player-place.json")  # he plays on
    grown = _recorded(wearers / "bob")
    assert grown

    forget = product.start("forget", "--wearer", "anna", "--yes", "--broker", url)
    assert forget.wait() == 0, forget.errors
    for role in ("engine", "player"):
        assert forget.says(f"confirmed by the {role} of node one"), forget.lines
    sent_s = time.monotonic()
    _send(broker, "one", "like", {"liked": True})
    assert {document["role"] for document in ear.documents("forgotten")} == {"engine", "player"}
    wait_until(
        lambda: any("/one/" in h.topic and h.at_s > sent_s + 3 for h in ear.on("player/state")), "she plays"
    )
    assert not (wearers / "anna").exists(), "nothing comes back with the next like, nor by itself"
    wait_until(
        lambda: sum(p.stat().st_size for p in (wearers / "bob").rglob("*.part")) > grown, "bob records on"
    )
    now = {name: _digests(wearers / name) for name in ("bob", "clara")}
    now["bob"].pop("player-place.json")
    assert now == others

    for role in running["anna"]:
        role.interrupt()
        assert role.wait() == 0, role.errors
    with MosquittoSub(broker.port) as late:
        time.sleep(1.0)
        wire = "\n".join(f"{h.topic} {h.payload}" for h in late.heard)
    disk = b"".join(str(p).encode() + p.read_bytes() for p in state.rglob("*") if p.is_file())
    assert "/two/" in wire, "what is kept of bob's node is still there"
    for trace in ("anna", "word of anna", "neuroplayer/one/", "neuroplayer_one"):
        assert trace not in wire, trace
    assert b"anna" not in disk
    not_bobs = [p for p in state.rglob("*") if p.is_file() and not p.is_relative_to(wearers / "bob")]
    assert not [p for p in not_bobs if banned["anna"].encode() in p.read_bytes()], "no ban of hers"
    for role in running["bob"]:
        role.interrupt()
        assert role.wait() == 0, role.errors


def test_what_is_killed_after_its_wearer_was_forgotten_keeps_nothing_either(product: Product) -> None:
    theirs = _state() / "wearers" / "anna"
    run = product.start(
        "run", "--plain", "--output", "null", "--no-web", *SOURCE, "--wearer", "anna", "--record"
    )
    wait_until(
        lambda: (theirs / "baselines").is_dir() and (theirs / "player-place.json").is_file(),
        "a rest, a place",
    )
    forget = product.start("forget", "--wearer", "anna", "--yes")
    assert forget.wait() == 0, forget.errors
    children = psutil.Process(run.process.pid).children(recursive=True)
    roles = [child for child in children if "daemon.child" in " ".join(child.cmdline())]
    assert roles
    for role in roles:
        with contextlib.suppress(psutil.NoSuchProcess):
            role.kill()
    heard = len(run.lines)
    wait_until(lambda: any("(ok)" in line for line in run.lines[heard + 1 :]), "it reads and plays again")
    time.sleep(4.0)
    assert not theirs.exists()
    run.interrupt()
    assert run.wait() == 0, run.errors
    assert not theirs.exists()
