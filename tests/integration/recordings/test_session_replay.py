"""A recorded session through the same pipeline and policy again: the same states, the same decisions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acquisition.recording.session_file import Line, read_head, read_session
from acquisition.recording.session_recorder import SessionRecorder
from acquisition.signal import EegChunk
from daemon.mqtt.commands import COMMANDS
from daemon.places import private_folder
from daemon.wearers.wearer import Wearer
from inference.classification.valence import ValenceNetwork
from inference.features.schemas import schema_named
from inference.networks.model_store import ModelStore
from support.peers.real_broker import RealBroker
from support.recordings.session_making import make_session
from support.running_product import ROOT, MosquittoSub, Product, Running
from support.waiting import PATIENCE_S, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.slow]


OPTIONS = ("--source", "simulated", "--speed", "8", "--baseline", "10", "--output", "null", "--no-web")


def _recorded(running: Running) -> Path:
    (path,) = (Path(os.environ["NEUROPLAYER_STATE_DIR"]) / "wearers" / "home" / "recordings").glob("*.xdf")
    wait_until(lambda: running.says(f"Recorded: {path}"), "where the recording lies")
    return path


@pytest.fixture
def session(product: Product, broker: RealBroker, ear: MosquittoSub) -> Path:
    """A minute and more of the simulated wearer at eight times the speed, with music, recorded."""
    running = product.start(
        *("run", *OPTIONS, "--record", "--plain", "--broker", f"mqtt://127.0.0.1:{broker.port}")
    )
    wait_until(lambda: len(ear.on("estimate")) > 120, "a minute of estimates")
    wait_until(lambda: bool(ear.on("player/decision")), "music was chosen")
    running.interrupt()
    assert running.wait() == 0, running.errors
    return _recorded(running)


def _altered(session: Path, folder: Path) -> Path:
    """The same session with a little more noise in one stretch of one channel."""
    path = folder / session.name
    recorder = SessionRecorder(
        path, "2026-01-01T00:00:00Z", read_head(session).settings, on_news=lambda _: None
    )
    items = list(read_session(session))
    for number, item in enumerate(items):
        if isinstance(item, Line):
            recorder.text(item.stream, item.text, item.at_s)  # type: ignore[arg-type]
        elif isinstance(item, EegChunk) and number > len(items) // 2:
            samples_uv = item.samples_uv.copy()
            samples_uv[1] *= 1.5
            recorder.on_item(replace(item, samples_uv=samples_uv))
        else:
            recorder.on_item(item)
    recorder.close()
    return path


def test_states_and_decisions_come_again_byte_for_byte(
    product: Product, session: Path, ear: MosquittoSub, tmp_path: Path
) -> None:
    running = product.start("replay", str(session), "--speed", "max", "--json")
    assert running.wait() == 0, running.errors
    recorded = [i.text for i in read_session(session) if isinstance(i, Line) and i.stream == "EmotionState"]
    assert len(recorded) > 50
    assert {json.loads(line)["status"] for line in recorded} >= {"calibrating", "ok"}
    states = [line for line in running.lines if line.startswith('{"emotion"')]
    assert states == [f'{{"emotion": {line}}}' for line in recorded]
    decided = [json.loads(line)["decision"]["chosen"] for line in running.lines if '{"decision"' in line]
    assert decided, "what the player chose is replayed as well"
    assert {d["chosen"]["id"] for d in ear.documents("player/decision")} <= set(decided)
    assert not ear.documents("cmd/error")

    altered = _altered(session, tmp_path)
    log = next(session.parent.glob("*.decisions.jsonl"))
    shutil.copy(log, tmp_path / log.name)
    other = product.start("replay", str(altered), "--speed", "max")
    assert other.wait() == 1
    assert other.says("differ from the recording")


class Wishing:
    """Sends commands by ``mosquitto_pub``, and lets the wearer be read a while after each."""

    def __init__(self, broker: RealBroker, ear: MosquittoSub) -> None:
        self._port, self._ear, self.sent = broker.port, ear, set[str]()

    def __call__(self, name: str, windows: int = 4, **words: Any) -> None:
        command = ["mosquitto_pub", "-p", str(self._port), "-q", "1", "-t", f"neuroplayer/home/cmd/{name}"]
        subprocess.run([*command, "-m", json.dumps(words)], check=True, timeout=PATIENCE_S)
        self.sent.add(name)
        if windows:
            self.wait(windows)

    def wait(self, windows: int) -> None:
        before = len(self._ear.on("estimate"))
        wait_until(lambda: len(self._ear.on("estimate")) >= before + windows, f"{windows} more estimates")

    def wait_session(self, **words: Any) -> None:
        def said() -> bool:
            known = self._ear.documents("session")
            return bool(known) and words.items() <= known[-1].items()

        wait_until(said, f"the session says {words}")


def _calibrate_valence() -> None:
    """A wearer's calibration for the shipped network's features: it leans to one side, and moves."""
    manifest = ModelStore((ROOT / "models" / "pretrained",)).choose_for(("TP9", "AF7", "AF8", "TP10"))
    assert manifest is not None
    n = schema_named(manifest.feature_schema).length(manifest.channels)
    network = ValenceNetwork(
        format=1,
        feature_schema=manifest.feature_schema,
        channels=manifest.channels,
        window_s=manifest.window_s,
        hop_s=manifest.hop_s,
        windows=4,
        mean=[0.0] * n,
        scale=[1.0] * n,
        hidden=[[0.1 * (-1) ** row] for row in range(n)],
        hidden_bias=[0.3],
        output=[1.0],
        output_bias=-0.2,
        balanced_accuracy=0.75,
        p_value=0.01,
        pieces=12,
    )
    path = Wearer("home", Path(os.environ["NEUROPLAYER_STATE_DIR"])).valence
    private_folder(path.parent)
    path.write_bytes(msgspec.json.encode(network))


def test_a_session_with_every_command_of_the_contract_comes_again_byte_for_byte(
    product: Product, broker: RealBroker, ear: MosquittoSub
) -> None:
    url = f"mqtt://127.0.0.1:{broker.port}"
    running = product.start("run", *OPTIONS, "--record", "--plain", "--broker", url)
    wish = Wishing(broker, ear)
    wish.wait(10)
    wait_until(lambda: bool(ear.on("player/decision")), "music was chosen")
    wish("dwell", seconds=120, windows=200)
    _calibrate_valence()
    wait_until(lambda: ear.documents("estimate")[-1]["valence"] is not None, "valence is read")
    wish("label", valence=0.5, arousal=-0.5, text="calm", windows=0)
    best = ear.documents("player/decision")[-1]["candidates"]
    wish("like", id=best[-1]["id"], windows=0)
    wish("ban", id=best[0]["id"], windows=0)
    wish("policy", policy="lead", windows=0)
    wish("target", valence=0.2, arousal=-0.4)
    wish("crossfade", seconds=1, windows=0)
    for _ in range(3):
        decided = len(ear.on("player/decision"))
        wish("skip")
        wait_until(lambda then=decided: len(ear.on("player/decision")) > then, "another track")  # type: ignore[misc]
    wish("play", id=best[-1]["id"])
    wait_until(
        lambda: ear.documents("player/decision")[-1]["reason"]["note"] == "wished", "the wish is granted"
    )
    for name, words in (("volume", {"volume": 0.4}), ("speak", {"cue": "rest_end"}), ("library_rescan", {})):
        wish(name, windows=0, **words)
    wish("seek", position_s=5)
    for paused in (True, False):
        wish("pause", paused=paused)
    wish("recalibrate", windows=20)
    wish("session", action="stop", windows=0)
    wish.wait_session(active=False)
    wish("session", action="start", windows=30)
    wish("dwell", seconds=0, windows=60)
    wish("record", action="stop", windows=0)
    wish.wait_session(recording=False)
    wish.wait(20)
    wish("dwell", seconds=1, windows=10)
    wish("forget", wearer="home", windows=10)  # the roles forget; files are for the command to delete
    # whose session it is changes by a session of its own
    assert wish.sent == set(COMMANDS) - {"wearer"}
    running.interrupt()
    assert running.wait() == 0, running.errors
    assert not ear.documents("cmd/error")
    path = _recorded(running)

    again = product.start("replay", str(path), "--speed", "max", "--json")
    assert again.wait() == 0, again.errors
    recorded = [i.text for i in read_session(path) if isinstance(i, Line) and i.stream == "EmotionState"]
    assert [x for x in again.lines if x.startswith('{"emotion"')] == [f'{{"emotion": {x}}}' for x in recorded]
    decided_now = [json.loads(line)["decision"] for line in again.lines if '{"decision"' in line]
    assert any(json.loads(line)["valence"] is not None for line in recorded)
    notes = {decision["reason"]["note"] for decision in decided_now}
    assert "wished" in notes


def test_a_recording_of_another_kind_is_refused_in_one_line(product: Product, tmp_path: Path) -> None:
    path = tmp_path / "muse.csv"
    path.write_text("timestamps,TP9,AF7,AF8,TP10\n")
    running = product.start("replay", str(path))
    assert running.wait() == 2
    assert len(running.errors) == 1
    assert "--source replay:" in running.errors[0]


@pytest.mark.parametrize(
    "event", ['{"kind": 5}', '{"kind": "prepared", "first": true, "baseline": {"scale": 3}}']
)
def test_a_session_that_makes_no_sense_is_refused_in_one_line(
    product: Product, event: str, tmp_path: Path
) -> None:
    path = make_session(tmp_path / "strange.xdf")
    recorder = SessionRecorder(tmp_path / "stranger.xdf", "2026-01-01T00:00:00Z", {}, on_news=lambda _: None)
    for item in read_session(path):
        if not isinstance(item, Line):
            recorder.on_item(item)
    recorder.text("SessionEvents", event, 1.0)
    recorder.close()
    running = product.start("replay", str(tmp_path / "stranger.xdf"), "--speed", "max")
    assert running.wait() == 2
    assert len(running.errors) == 1
    assert "damaged" in running.errors[0]
