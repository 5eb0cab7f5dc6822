"""What the engine role says for what the feed gives, without a broker."""

from __future__ import annotations

import asyncio
import contextlib
import json
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from acquisition.signal import HeadsetStatus, StreamInfo
from daemon.engine.prepared import PreparedPipeline
from daemon.engine.role import EngineRole
from daemon.mqtt.outlet import Outlet
from daemon.mqtt.topics import Topics
from inference.emotion import (
    Affect,
    BaselineProgress,
    Estimate,
    LeftOut,
    Reading,
    SignalQuality,
)
from support.engine_parts import CHUNK, INFO, MODEL, PLAYER_STATE, Feed, Link, Pipeline, state
from support.waiting import until


class Bench:
    """A role with a clock that a test moves."""

    def __init__(self, tmp_path: Path, answers: list[tuple[Reading, ...]], extra: list[Any]) -> None:
        self.now_s = 0.0
        self.link = Link()
        self.pipeline = Pipeline(answers)
        self.saved = 0
        self.feed = Feed([HeadsetStatus("streaming", INFO), *extra])
        self.labels = tmp_path / "labels.jsonl"
        self.role = EngineRole(
            Outlet(Topics("t"), self.link),
            self.feed,
            self._prepare,
            simulated=False,
            labels_file=self.labels,
            clock=lambda: self.now_s,
        )

    def _prepare(self, info: StreamInfo) -> PreparedPipeline:
        def on_baseline() -> None:
            self.saved += 1

        return PreparedPipeline(pipeline=self.pipeline, model=MODEL, baseline_s=10.0, on_baseline=on_baseline)

    async def run(self) -> None:
        async with self.running():
            pass

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.role.run())
        try:
            await until(lambda: task.done() or self.feed.taken.is_set())
            if task.done():
                task.result()
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def command(self, name: str, document: object, *, retained: bool = False) -> None:
        self.role.on_message(f"neuroplayer/t/cmd/{name}", json.dumps(document).encode(), retained)


async def test_a_new_mood_is_said_at_once_and_the_same_one_is_not_repeated(tmp_path: Path) -> None:
    answers: list[tuple[Reading, ...]] = [
        (state(2.0, "relaxed", -0.5),),
        (state(2.5, "relaxed", -0.5),),
        (state(3.0, "focused", 0.5),),
    ]
    bench = Bench(tmp_path, answers, [CHUNK] * 3)
    await bench.run()
    assert [d["emotion"] for d in bench.link.on("emotion")] == ["unknown", "relaxed", "focused"]
    assert bench.link.on("emotion")[-1]["model"] == {"name": "tiny", "sha256": "ab" * 32}
    assert "compute" in bench.link.on("emotion")[-1]["latency_ms"]


async def test_the_rest_counts_up_and_is_stored_when_done(tmp_path: Path) -> None:
    answers: list[tuple[Reading, ...]] = [
        (BaselineProgress(10.0, 5.0, done=False),),
        (BaselineProgress(10.0, 10.0, done=True),),
    ]
    bench = Bench(tmp_path, answers, [CHUNK] * 2)
    await bench.run()
    phases = [(d["phase"], d["baseline_trusted_s"]) for d in bench.link.on("session")]
    assert phases == [("waiting", 0.0), ("calibrating", 0.0), ("calibrating", 5.0), ("running", 10.0)]
    assert bench.saved == 1


async def test_silence_claims_nothing(tmp_path: Path) -> None:
    stale = HeadsetStatus("stale", INFO, "no new sample for 2 s")
    bench = Bench(tmp_path, [(state(2.0, "focused", 0.5),)], [CHUNK, stale])
    await bench.run()
    last = bench.link.on("emotion")[-1]
    assert (last["emotion"], last["status"], last["arousal"]) == ("unknown", "stale", None)
    assert bench.link.on("headset")[-1]["reason"] == "no new sample for 2 s"


async def test_trouble_with_the_network_is_said_in_the_session(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [], [CHUNK])
    bench.pipeline.trouble = "the network's answer is not finite"
    await bench.run()
    assert bench.link.on("session")[-1]["notes"] == ["the network's answer is not finite"]


async def test_commands(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [], [])
    async with bench.running():
        bench.command("recalibrate", {})
        assert bench.pipeline.recalibrated == 1
        bench.command("label", {"arousal": 0.5, "text": "awake"})
        assert json.loads(bench.labels.read_text())["text"] == "awake"
        assert stat.S_IMODE(bench.labels.stat().st_mode) == 0o600
        bench.command("session", {"action": "stop"})
        assert bench.link.on("session")[-1]["phase"] == "stopped"
        bench.command("session", {"action": "start"})
        assert bench.link.on("session")[-1]["phase"] == "calibrating"


async def test_labels_never_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.engine.labels.MAX_BYTES", 300)
    bench = Bench(tmp_path, [], [])
    await bench.run()
    for _ in range(20):
        bench.command("label", {"arousal": 0.5, "text": "x" * 80})
    assert bench.labels.stat().st_size < 600
    assert "no more labels" in bench.link.on("cmd/error")[-1]["error"]


@pytest.mark.parametrize(
    ("name", "document", "retained", "says"),
    [
        ("session", {"action": "explode"}, False, "explode"),
        ("session", {"action": "start"}, True, "retained"),
        ("label", {"arousal": 7}, False, "arousal"),
        ("recalibrate", {"extra": 1}, False, "extra"),
    ],
)
async def test_bad_commands_are_answered_and_counted(
    tmp_path: Path, name: str, document: object, retained: bool, says: str
) -> None:
    bench = Bench(tmp_path, [], [])
    await bench.run()
    bench.command(name, document, retained=retained)
    (answer,) = bench.link.on("cmd/error")
    assert says in answer["error"]
    assert answer["refused"] == 1


async def test_a_state_that_nobody_asked_for_is_no_refused_command(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [], [])
    async with bench.running():
        bench.role.on_message("neuroplayer/t/web/availability", b"online", True)
        assert bench.link.on("cmd/error") == []


async def test_the_simulated_wearer_hears_the_music(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [], [])
    mood = {"valence": 0.1, "arousal": 0.7, "source": "tag", "confidence": 1.0}
    track = {"id": "1", "title": "t", "artist": "", "duration_s": 60.0, "mood": mood}
    document = PLAYER_STATE | {"track": track}
    bench.role.on_message("neuroplayer/t/player/state", json.dumps(document).encode(), True)
    bench.role.on_message(
        "neuroplayer/t/player/state", json.dumps(document | {"paused": True}).encode(), True
    )
    assert bench.feed.heard == [(0.1, 0.7), (None, None)]


async def test_an_unchanged_mood_is_said_again_after_ten_seconds(tmp_path: Path) -> None:
    answers: list[tuple[Reading, ...]] = [
        (
            Estimate(2.0, {"calm": 0.7, "engaged": 0.3}, Affect(None, -0.4), 0.7, "ok", MODEL),
            state(2.0, "relaxed", -0.5),
        )
    ]
    bench = Bench(tmp_path, answers, [CHUNK])
    async with bench.running():
        bench.now_s = 11.0
        await until(lambda: len(bench.link.on("emotion")) >= 3)
    assert [d["emotion"] for d in bench.link.on("emotion")] == ["unknown", "relaxed", "relaxed"]
    assert len(bench.link.on("estimate")) == 1


async def test_windows_that_were_left_out_are_counted_and_noted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    late: tuple[Reading, ...] = (LeftOut(2.0), LeftOut(2.5))
    good = SignalQuality(3.0, 1.0, True, ())
    bench = Bench(tmp_path, [late, late, (good,)], [CHUNK] * 3)
    async with bench.running():
        (signal,) = bench.link.on("signal")
        assert signal["late"] == 4
        assert bench.link.on("session")[-1]["late"]
        assert "too busy" in bench.link.on("session")[-1]["notes"][-1]
        assert caplog.text.count("too busy") == 1, "told once"
        bench.now_s += 60.0
        await until(lambda: not any("too busy" in note for note in bench.link.on("session")[-1]["notes"]))


async def test_since_when_is_one_moment_however_late_a_window_is_read(tmp_path: Path) -> None:
    answers: list[tuple[Reading, ...]] = [
        (state(2.0, "relaxed", -0.5),),
        (replace(state(2.5, "relaxed", -0.123456), since_s=2.0),),
        (replace(state(3.0, "relaxed", 0.3), since_s=2.0),),
        (replace(state(20.0, "happy", 0.3), since_s=20.0),),
    ]
    bench = Bench(tmp_path, answers, [])
    async with bench.running():
        for late_s in (0.0, 0.013, 0.4, 1.0):
            bench.now_s += 1.0
            await asyncio.sleep(late_s / 10)
            bench.role._on_item(CHUNK)
    said = [one for one in bench.link.on("emotion") if one["emotion"] != "unknown"]
    assert [one["emotion"] for one in said] == ["relaxed", "relaxed", "relaxed", "happy"]
    assert len({one["since"] for one in said}) == 2
    assert said[0]["since"] == said[2]["since"]
    assert said[1]["arousal"] == -0.12
