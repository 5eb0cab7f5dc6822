"""Recordings replayed through the engine's own process, heard by an independent ``mosquitto_sub``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from statistics import median
from typing import Any

import jsonschema
import pytest

from acquisition.recording.session_file import Line, read_session
from acquisition.signal import EegChunk
from support.peers.real_broker import RealBroker
from support.running_product import SCHEMAS, MosquittoSub, Product, Running
from support.waiting import wait_until

pytestmark = pytest.mark.broker

SPEED = 25


def replay(
    product: Product, broker: RealBroker, ear: MosquittoSub, recording: Path, baseline: str, *more: str
) -> Running:
    """Replay to the end."""
    running = product.start(
        *("engine", "--source", f"replay:{recording}", "--speed", str(SPEED), "--baseline", baseline),
        *("--broker", f"mqtt://127.0.0.1:{broker.port}", "--node", "t", *more),
    )
    wait_until(
        lambda: any(document["state"] == "ended" for document in ear.documents("headset")),
        "the recording has ended",
    )
    return running


def schema_of(name: str) -> dict[str, Any]:
    found = json.loads((SCHEMAS / f"{name.replace('/', '-')}.schema.json").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


@pytest.mark.eeg
def test_every_document_of_a_good_recording_obeys_its_schema(
    product: Product, broker: RealBroker, ear: MosquittoSub, eeg_dir: Path
) -> None:
    replay(product, broker, ear, eeg_dir / "muse" / "clean.csv", "10")
    for name in ("headset", "signal", "estimate", "emotion", "session"):
        documents = ear.documents(name)
        assert documents, name
        check = jsonschema.Draft202012Validator(schema_of(name), format_checker=jsonschema.FormatChecker())
        for document in documents:
            check.validate(document)
            assert document["simulated"] is False
    statuses = [document["status"] for document in ear.documents("emotion")]
    assert {"calibrating", "warming_up", "ok", "stale"} <= set(statuses)
    assert ear.on("engine/availability")[0].payload == "online"


@pytest.mark.eeg
def test_an_electrode_off_never_yields_a_mood(
    product: Product, broker: RealBroker, ear: MosquittoSub, eeg_dir: Path
) -> None:
    replay(product, broker, ear, eeg_dir / "muse" / "saturated.csv", "10")
    emotions = ear.documents("emotion")
    assert any(document["status"] == "unreliable" for document in emotions)
    assert {document["emotion"] for document in emotions} == {"unknown"}
    assert any(
        "railed" in electrode["reasons"]
        for document in ear.documents("signal")
        for electrode in document["electrodes"]
    )


@pytest.mark.eeg
def test_closed_eyes_read_calmer_than_blinks(
    product: Product, broker: RealBroker, ear: MosquittoSub, eeg_dir: Path
) -> None:
    recording = eeg_dir / "openbci" / "OpenBCI_GUI-v6-blinks-jawClench-alpha.txt"
    running = replay(product, broker, ear, recording, "8", "--record")
    running.interrupt()
    assert running.wait() == 0
    (session,) = (Path(os.environ["NEUROPLAYER_STATE_DIR"]) / "wearers" / "t" / "recordings").glob("*.xdf")
    items = list(read_session(session))
    began_s = next(item.times_s[0] for item in items if isinstance(item, EegChunk))
    states = [item for item in items if isinstance(item, Line) and item.stream == "EmotionState"]
    read = [(state.at_s - began_s, json.loads(state.text)["arousal"]) for state in states]
    # a settled state rests on the last ten seconds and more
    closed = [arousal for at_s, arousal in read if 40 < at_s < 66]
    blinks = [arousal for at_s, arousal in read if arousal is not None and (at_s < 22 or at_s > 84)]
    assert len(closed) > 40
    assert len(blinks) > 10
    assert median(closed) < median(blinks) - 0.1


def test_brainflows_synthetic_board_streams_and_is_called_simulated(
    product: Product, broker: RealBroker, ear: MosquittoSub
) -> None:
    product.start(
        *("engine", "--source", "brainflow:SYNTHETIC_BOARD", "--baseline", "5", "--node", "t"),
        *("--broker", f"mqtt://127.0.0.1:{broker.port}"),
    )
    wait_until(lambda: bool(ear.documents("signal")), "its signal is judged")
    streaming = [document for document in ear.documents("headset") if document["state"] == "streaming"]
    assert streaming[0]["rate_hz"] == 250
    assert len(streaming[0]["channels"]) == 16
    assert all(document["simulated"] for document in [*streaming, *ear.documents("signal")])
