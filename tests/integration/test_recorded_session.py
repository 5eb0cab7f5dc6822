"""A session that is recorded while it runs, as its own process with a real broker beside it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from real_broker import RealBroker
from running_product import MosquittoSub, Product, wait_until

from acquisition.consent import read_consent
from acquisition.lsl_source import LslSource
from acquisition.session_file import Line, read_session
from acquisition.signal import EegChunk

pytestmark = pytest.mark.broker


def _folder() -> Path:
    return Path(os.environ["NEUROPLAYER_STATE_DIR"]) / "recordings"


def _start(product: Product, broker: RealBroker, *more: str) -> None:
    product.start(
        *("engine", "--source", "simulated", "--speed", "8", "--baseline", "10", "--node", "t"),
        *("--broker", f"mqtt://127.0.0.1:{broker.port}", *more),
    )


def test_a_recorded_session_says_rec_carries_consent_and_holds_every_state(
    product: Product, broker: RealBroker, ear: MosquittoSub
) -> None:
    _start(product, broker, "--record", "--duration", "6s")
    wait_until(lambda: any(d["recording"] for d in ear.documents("session")), 20, "REC in the session topic")
    assert product._running[0].wait(30) == 0
    (path,) = _folder().glob("*.xdf")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    consent = read_consent(path)
    assert consent is not None
    assert consent.given_at.startswith("20")
    assert "eeg" in consent.scope
    assert consent.simulated is True
    items = list(read_session(path))
    assert sum(i.samples_uv.shape[1] for i in items if isinstance(i, EegChunk)) > 5 * 256
    states = [json.loads(i.text) for i in items if isinstance(i, Line) and i.stream == "EmotionState"]
    said = [d for d in ear.documents("emotion") if d["status"] == "ok"]
    recorded = {(s["emotion"], s["arousal"], s["confidence"], s["seq"]) for s in states}
    assert said
    assert all((d["emotion"], d["arousal"], d["confidence"], d["seq"]) in recorded for d in said)


def test_nothing_is_recorded_unasked(product: Product, broker: RealBroker, ear: MosquittoSub) -> None:
    _start(product, broker, "--duration", "2s")
    assert product._running[0].wait(30) == 0
    assert ear.documents("session")
    assert not any(d["recording"] for d in ear.documents("session"))
    assert not _folder().exists()


def _send(broker: RealBroker, document: object, *options: str) -> None:
    words = ["-t", "neuroplayer/t/cmd/record", "-m", json.dumps(document)]
    command = ["mosquitto_pub", "-p", str(broker.port), "-q", "1", *options, *words]
    subprocess.run(command, check=True, timeout=20)


def _records(ear: MosquittoSub) -> bool:
    documents = ear.documents("session")
    return bool(documents) and documents[-1]["recording"]


def test_a_recording_begins_and_ends_while_the_session_runs(
    product: Product, broker: RealBroker, ear: MosquittoSub
) -> None:
    _start(product, broker)
    wait_until(lambda: any(d["phase"] == "running" for d in ear.documents("session")), 60, "the rest is done")
    yes = {"action": "start", "who": "Ada <b>", "consent": "EEG and what is\nread from it"}
    for wrong in (
        {"action": "start"},
        {"action": "start", "who": "Ada", "consent": " \n "},
        {"action": "start", "who": "", "consent": "yes"},
        {"action": "stop"},
        {**yes, "who": "A" * 101},
    ):
        _send(broker, wrong)
    wait_until(lambda: len(ear.documents("cmd/error")) == 5, 20, "every wrong command is answered")
    assert not _folder().exists()
    _send(broker, yes)
    wait_until(lambda: _records(ear), 20, "REC in the session topic")
    _send(broker, yes)
    wait_until(lambda: len(ear.documents("cmd/error")) == 6, 20, "it is recorded already")
    before = len(ear.documents("estimate"))
    wait_until(lambda: len(ear.documents("estimate")) > before + 24, 60, "12 s of EEG")
    _send(broker, {"action": "stop"})
    wait_until(lambda: not _records(ear), 20, "no REC")
    wait_until(lambda: bool(list(_folder().glob("*.xdf"))), 20, "a finished file")
    (path,) = _folder().glob("*.xdf")
    consent = read_consent(path)
    assert consent is not None
    assert (consent.who, consent.how) == ("Ada <b>", "EEG and what is read from it")
    assert stat.S_IMODE(path.with_name(f"{path.stem}.consent.json").stat().st_mode) == 0o600
    items = list(read_session(path))
    assert sum(i.samples_uv.shape[1] for i in items if isinstance(i, EegChunk)) > 8 * 256
    assert any(isinstance(i, Line) and i.stream == "EmotionState" for i in items)
    again = subprocess.run(
        [sys.executable, "-m", "daemon.cli", "replay", str(path), "--json"],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "in the middle of a session" in again.stdout + again.stderr
    _send(broker, yes)
    wait_until(lambda: _records(ear), 20, "a second recording in a file of its own")
    product._running[0].interrupt()
    assert product._running[0].wait(30) == 0
    assert len(list(_folder().glob("*.xdf"))) == 2
    assert not list(_folder().glob("*.part"))
    assert not any("samples" in heard.payload for heard in ear.heard), "no EEG on MQTT"


def test_an_engine_that_is_killed_has_its_recording_closed_at_the_next_start(
    product: Product, broker: RealBroker, ear: MosquittoSub
) -> None:
    _start(product, broker, "--record")
    wait_until(lambda: len(ear.documents("estimate")) > 3, 30, "estimates")
    product._running[0].process.kill()
    product._running[0].process.wait()
    assert [path.suffix for path in _folder().glob("*.xdf*")] == [".part"]
    _start(product, broker, "--duration", "1s")
    assert product._running[1].wait(30) == 0
    (path,) = _folder().glob("*.xdf*")
    assert path.suffix == ".xdf"
    assert product._running[1].says("recovered")
    assert sum(isinstance(item, EegChunk) for item in read_session(path)) > 100


def test_the_eeg_is_offered_to_other_programs_when_asked(
    product: Product, broker: RealBroker, ear: MosquittoSub
) -> None:
    name = f"out-{uuid.uuid4().hex[:8]}"
    _start(product, broker, "--lsl-out", name)
    wait_until(lambda: len(ear.documents("estimate")) > 1, 30, "estimates")
    source = LslSource(name)
    try:
        assert source.open().channels == ("TP9", "AF7", "AF8", "TP10")
        until = time.monotonic() + 10
        while (chunk := source.poll(0.05)) is None and time.monotonic() < until:
            continue
        assert chunk is not None
    finally:
        source.close()
