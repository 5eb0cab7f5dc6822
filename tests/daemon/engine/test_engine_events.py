"""What the engine tells of itself, in its order, to whoever listens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from acquisition.signal import FeedItem, HeadsetStatus, StreamInfo
from daemon.engine.events import CommandGiven, EngineEvents, PipelineChosen, PlayerSaid
from daemon.engine.prepared import PreparedPipeline
from daemon.engine.role import EngineRole
from daemon.mqtt.outlet import Outlet
from daemon.mqtt.topics import Topics
from inference.emotion import ModelId, Reading
from support.engine_parts import CHUNK, INFO, MODEL, PLAYER_STATE, Feed, Link, Pipeline, state

STREAMING = HeadsetStatus("streaming", INFO)


class Told(Link):
    """Writes down, in one line, what is published and what happens."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[str] = []
        self.chosen: list[tuple[str, bool]] = []
        self.commands: list[tuple[str, Any]] = []
        self.player: list[PlayerSaid] = []
        self.events = events = EngineEvents()
        events.item.listen(lambda item: self.order.append(f"came {_kind(item)}"))
        events.reading.listen(lambda reading: self.order.append(f"read {_kind(reading)}"))
        events.item_done.listen(lambda item: self.order.append(f"done {_kind(item)}"))
        events.pipeline.listen(self._on_pipeline)
        events.command.listen(self._on_command)
        events.player.listen(self.player.append)

    def retain(self, topic: str, payload: bytes, expiry_s: int | None = None) -> None:
        super().retain(topic, payload)
        self.order.append(f"said {self.said[-1][0]}")

    def _on_pipeline(self, chosen: PipelineChosen) -> None:
        self.order.append("pipeline")
        self.chosen.append((chosen.prepared.model.name, chosen.first))

    def _on_command(self, given: CommandGiven) -> None:
        self.order.append(f"command {given.name}")
        self.commands.append((given.name, given.command))


def _kind(item: FeedItem | Reading) -> str:
    return type(item).__name__


def _role(
    told: Told, feed: Any, prepare: Callable[[StreamInfo], PreparedPipeline], tmp_path: Path
) -> EngineRole:
    outlet = Outlet(Topics("t"), told)
    labels = tmp_path / "labels.jsonl"
    return EngineRole(outlet, feed, prepare, simulated=False, labels_file=labels, events=told.events)


def _prepared(pipeline: Pipeline, **more: Any) -> PreparedPipeline:
    return PreparedPipeline(**{"pipeline": pipeline, "model": MODEL, "baseline_s": 0.0, **more})


async def _run(role: EngineRole, taken: asyncio.Event) -> None:
    running = asyncio.create_task(role.run())
    waiting = asyncio.create_task(taken.wait())
    await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        running.result()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_recording_is_told_first_the_wearer_next_and_who_has_time_last(tmp_path: Path) -> None:
    told, feed = Told(), Feed([STREAMING, CHUNK, HeadsetStatus("stale", INFO)])
    pipeline = Pipeline([(state(1.0, "relaxed", -0.5), state(2.0, "focused", 0.5))])
    await _run(_role(told, feed, lambda _info: _prepared(pipeline), tmp_path), feed.taken)
    assert told.order == [
        *("said emotion", "said session", "said info"),
        *(
            "came HeadsetStatus",
            "pipeline",
            "said session",
            "said info",
            "said headset",
            "done HeadsetStatus",
        ),
        *("came EegChunk", "read EmotionState", "read EmotionState"),
        *("said emotion", "said emotion", "done EegChunk"),
        *("came HeadsetStatus", "read EmotionState", "said emotion", "said headset", "done HeadsetStatus"),
    ]


async def test_a_network_that_takes_over_is_not_the_first_and_another_pipeline_is(tmp_path: Path) -> None:
    told, taken = Told(), asyncio.Event()
    old, new = Pipeline([]), Pipeline([])
    network = PreparedPipeline(pipeline=old, model=ModelId("network", ""), baseline_s=0.0)
    rule = _prepared(old, load=lambda: lambda: network)

    class _Feed(Feed):
        async def __aiter__(self) -> AsyncIterator[FeedItem]:
            yield STREAMING
            yield CHUNK
            yield HeadsetStatus("streaming", StreamInfo("lsl:Other", "Other", ("TP9", "AF7"), 256.0))
            yield CHUNK
            taken.set()

    made = iter((rule, _prepared(new)))
    await _run(_role(told, _Feed([]), lambda _info: next(made), tmp_path), taken)
    assert told.chosen == [("tiny", True), ("network", False), ("tiny", True)]


@pytest.mark.parametrize(
    ("name", "payload", "retained", "is_told"),
    [
        ("dwell", {"seconds": 4}, False, True),
        ("recalibrate", {}, False, True),  # refused, for nothing streams; it was given all the same
        ("dwell", {"seconds": -4}, False, False),
        ("dwell", {"seconds": 4}, True, False),
        ("explode", {}, False, False),
    ],
)
def test_a_command_is_told_once_it_is_one_and_before_it_is_carried_out(
    tmp_path: Path, name: str, payload: object, retained: bool, is_told: bool
) -> None:
    told = Told()
    role = _role(told, Feed([]), lambda _info: _prepared(Pipeline([])), tmp_path)
    role.on_message(f"neuroplayer/t/cmd/{name}", json.dumps(payload).encode(), retained)
    assert [one for one, _ in told.commands] == [name] * is_told
    assert (told.order[0] == f"command {name}") is is_told


def test_of_the_player_only_what_is_new_and_of_the_contract_is_told(tmp_path: Path) -> None:
    told, feed = Told(), Feed([])
    role = _role(told, feed, lambda _info: _prepared(Pipeline([])), tmp_path)
    payload = json.dumps(PLAYER_STATE).encode()
    for given, retained in ((payload, True), (b"{broken", False), (payload, False)):
        role.on_message("neuroplayer/t/player/state", given, retained)
    assert [said.payload for said in told.player] == [payload]
    assert len(feed.heard) == 2, "a simulated wearer hears what sounds already"


def test_each_listener_is_told_in_the_order_in_which_it_came() -> None:
    events, told = EngineEvents(), list[tuple[int, FeedItem]]()
    for number in range(3):
        events.item.listen(lambda item, number=number: told.append((number, item)))  # type: ignore[misc]
    events.item(CHUNK)
    events.reading(state(1.0, "relaxed", 0.0))
    assert told == [(0, CHUNK), (1, CHUNK), (2, CHUNK)]
