"""A session that is recorded while it runs, as its own process with a real broker beside it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from acquisition.lsl.inlet_source import LslSource
from acquisition.port import AbsentError
from acquisition.recording.consent import read_consent
from acquisition.recording.session_file import Line, read_session
from acquisition.signal import EegChunk
from daemon.engine.documents import two_digits
from support.peers.real_broker import RealBroker
from support.running_product import MosquittoSub, Product, Running
from support.waiting import wait_until

pytestmark = pytest.mark.broker


def _folder() -> Path:
    return Path(os.environ["NEUROPLAYER_STATE_DIR"]) / "wearers" / "t" / "recordings"


def _start(product: Product, broker: RealBroker, *more: str) -> Running:
    return product.start(
        *("engine", "--source", "simulated", "--speed", "8", "--baseline", "10", "--node", "t"),
        *("--broker", f"mqtt://127.0.0.1:{broker.port}", *more),
    )


def test_a_recorded_session_says_rec_carries_consent_and_holds_every_state(
    product: Product, broker: RealBroker, ear: MosquittoSub
) -> None:
    running = _start(product, broker, "--record")
    wait_until(lambda: any(d["recording"] for d in ear.documents("session")), "REC in the session topic")
    wait_until(lambda: len(ear.on("estimate")) > 20, "ten seconds of the wearer's were read")
    running.interrupt()
    assert running.wait() == 0
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
    recorded = {
        (s["emotion"], two_digits(s["arousal"]), two_digits(s["confidence"]), s["seq"]) for s in states
    }
    assert said
    assert all((d["emotion"], d["arousal"], d["confidence"], d["seq"]) in recorded for d in said)


def test_nothing_is_recorded_unasked(product: Product, broker: RealBroker, ear: MosquittoSub) -> None:
    running = _start(product, broker)
    wait_until(lambda: bool(ear.on("estimate")), "estimates")
    running.interrupt()
    assert running.wait() == 0
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
    running = _start(product, broker)
    wait_until(lambda: any(d["phase"] == "running" for d in ear.documents("session")), "the rest is done")
    yes = {"action": "start", "who": "Ada <b>", "consent": "EEG and what is\nread from it"}
    for wrong in (
        {"action": "start"},
        {"action": "start", "who": "Ada", "consent": " \n "},
        {"action": "start", "who": "", "consent": "yes"},
        {"action": "stop"},
        {**yes, "who": "A" * 101},
    ):
        _send(broker, wrong)
    wait_until(lambda: len(ear.documents("cmd/error")) == 5, "every wrong command is answered")
    assert not _folder().exists()
    _send(broker, yes)
    wait_until(lambda: _records(ear), "REC in the session topic")
    _send(broker, yes)
    wait_until(lambda: len(ear.documents("cmd/error")) == 6, "it is recorded already")
    before = len(ear.documents("estimate"))
    wait_until(lambda: len(ear.documents("estimate")) > before + 24, "12 s of EEG")
    _send(broker, {"action": "stop"})
    wait_until(lambda: not _records(ear), "no REC")
    wait_until(lambda: bool(list(_folder().glob("*.xdf"))), "a finished file")
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
    wait_until(lambda: _records(ear), "a second recording in a file of its own")
    running.interrupt()
    assert running.wait() == 0
    assert len(list(_folder().glob("*.xdf"))) == 2
    assert not list(_folder().glob("*.part"))
    assert not any("samples" in heard.payload for heard in ear.heard), "no EEG on MQTT"


def test_an_engine_that_is_killed_has_its_recording_closed_at_the_next_start(
    product: Product, broker: RealBroker, ear: MosquittoSub
) -> None:
    first = _start(product, broker, "--record")
    # at eight times the speed the second that may be lost holds eight
    wait_until(lambda: len(ear.on("estimate")) > 40, "twenty seconds of the wearer's were read")
    first.process.kill()
    first.wait()
    assert [path.suffix for path in _folder().glob("*.xdf*")] == [".part"]
    second = _start(product, broker)
    wait_until(lambda: second.says("recovered"), "the recording is closed")
    second.interrupt()
    assert second.wait() == 0
    (path,) = _folder().glob("*.xdf*")
    assert path.suffix == ".xdf"
    assert sum(i.samples_uv.shape[1] for i in read_session(path) if isinstance(i, EegChunk)) > 10 * 256


def test_the_eeg_is_offered_to_other_programs_when_asked(
    product: Product, broker: RealBroker, ear: MosquittoSub
) -> None:
    name = f"out-{uuid.uuid4().hex[:8]}"
    _start(product, broker, "--lsl-out", name)
    wait_until(lambda: len(ear.documents("estimate")) > 1, "estimates")
    source = LslSource(name)
    try:
        wait_until(lambda: _channels(source) == ("TP9", "AF7", "AF8", "TP10"), "the stream is seen")
        wait_until(lambda: source.poll(0.05) is not None, "its samples come")
    finally:
        source.close()


def _channels(source: LslSource) -> tuple[str, ...]:
    try:
        return source.open().channels
    except AbsentError:
        return ()
