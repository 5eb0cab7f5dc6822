"""Three wearers whose recordings are encrypted, two of them at once: one is forgotten while all play."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from acquisition.recording.encryption import MAGIC
from acquisition.recording.recording_key import KEY_FILE
from acquisition.recording.session_file import read_session
from acquisition.signal import EegChunk
from support.peers.real_broker import RealBroker
from support.running_product import MosquittoSub, Product
from support.waiting import PATIENCE_S, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.slow]
NODES = {"anna": "one", "bob": "two"}
SOURCE = ("--source", "simulated", "--speed", "8", "--baseline", "10", "--record")


def _state() -> Path:
    return Path(os.environ["NEUROPLAYER_STATE_DIR"])


def _digests(folder: Path) -> dict[str, str]:
    """Of every file that does not grow; the place in the music moves on while it plays."""
    files = (p for p in folder.rglob("*") if p.is_file() and p.suffix != ".part")
    files = (p for p in files if p.name not in ("player-place.json",) and ".decisions." not in p.name)
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def _send(broker: RealBroker, node: str, command: str, words: dict[str, object]) -> None:
    topic = f"neuroplayer/{node}/cmd/{command}"
    told = ["mosquitto_pub", "-p", str(broker.port), "-q", "1", "-t", topic, "-m", json.dumps(words)]
    subprocess.run(told, check=True, timeout=PATIENCE_S)


def _known(ear: MosquittoSub, node: str) -> list[str]:
    told = [h for h in ear.heard if h.topic == f"neuroplayer/{node}/wearer" and h.payload.startswith("{")]
    return list(told[-1].document["known"]) if told else []


def _samples(name: str, aside: Path) -> list[bytes]:
    """What was recorded so far of a wearer, as it would lie in a file in clear."""
    shutil.copy(_state() / "wearers" / name / KEY_FILE, aside)
    [part] = (_state() / "wearers" / name / "recordings").glob("*.part")
    copy = Path(shutil.copy(part, aside / "copy.xdf"))
    found = [i.samples_uv.T.tobytes() for i in read_session(copy) if isinstance(i, EegChunk)]
    shutil.rmtree(aside)
    return found


def test_the_other_two_are_byte_for_byte_what_they_were(
    product: Product,
    broker: RealBroker,
    ear: MosquittoSub,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    monkeypatch.setenv("NEUROPLAYER_SESSION_ENCRYPT", "true")
    wearers, url = _state() / "wearers", f"mqtt://127.0.0.1:{broker.port}"
    clara = product.start("engine", *SOURCE, "--node", "room", "--wearer", "clara", "--broker", url)
    wait_until((wearers / "clara" / "baselines").is_dir, "Clara's rest")
    clara.interrupt()
    assert clara.wait() == 0, clara.errors
    runs = {}
    for seed, (name, node) in enumerate(NODES.items()):
        runs[name] = product.start(
            *("run", *SOURCE, "--seed", str(seed), "--plain", "--output", "null", "--no-web"),
            *("--node", node, "--wearer", name, "--broker", url),
        )
    for name, node in NODES.items():
        own = wearers / name
        wait_until((own / "baselines").is_dir, "a rest")
        wait_until(lambda own=own: any(own.glob("recordings/*.part")), "a recording")
        wait_until(
            lambda node=node: any(
                f"/{node}/" in h.topic and h.payload.startswith("{") and h.document["track"]
                for h in ear.on("player/state")
            ),
            "music",
        )
        _send(broker, node, "ban", {})
        _send(broker, node, "label", {"valence": 0.123, "text": f"word of {name}"})
        for kept in ("taste.json", "player-place.json", "labels.jsonl"):
            wait_until((own / kept).is_file, f"{kept} of {name}")
        wait_until(lambda node=node: _known(ear, node) == ["anna", "bob", "clara"], "all are known to all")
    samples = _samples("anna", tmp_path_factory.mktemp("aside"))
    assert samples, "they can be read with her key"
    key = (wearers / "anna" / KEY_FILE).read_bytes().strip()
    for path in wearers.rglob("*.xdf*"):
        assert path.read_bytes().startswith(MAGIC)
    before = {name: _digests(wearers / name) for name in ("bob", "clara")}
    assert KEY_FILE in before["bob"]

    forget = product.start("forget", "--wearer", "anna", "--yes", "--broker", url)
    assert forget.wait() == 0, forget.errors
    wait_until(lambda: _known(ear, "two") == ["bob", "clara"], "Bob's list names her no more")
    assert {name: _digests(wearers / name) for name in ("bob", "clara")} == before
    assert not (wearers / "anna").exists()
    runs["anna"].interrupt()
    assert runs["anna"].wait() == 0, runs["anna"].errors
    with MosquittoSub(broker.port) as late:
        time.sleep(1.0)
        wire = "\n".join(f"{h.topic} {h.payload}" for h in late.heard)
    disk = b"".join(str(p).encode() + p.read_bytes() for p in _state().rglob("*") if p.is_file())
    assert "neuroplayer/two/wearer" in wire
    for trace in ("anna", "neuroplayer/one/", "neuroplayer_one"):
        assert trace not in wire, trace
    for trace in (b"anna", key, *(chunk[:64] for chunk in samples)):
        assert trace not in disk
