"""The parts of an engine, in the hand: a feed, a link and a pipeline that do what the test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from acquisition.signal import EegChunk, Gap, HeadsetStatus, StreamInfo
from inference.emotion import (
    Affect,
    EmotionState,
    ModelId,
    Reading,
)

MODEL = ModelId("tiny", "ab" * 32)


INFO = StreamInfo("lsl:Muse", "Muse", ("TP9", "AF7"), 256.0)


PLAYER_STATE: dict[str, Any] = {
    "at": "2026-01-01T00:00:00Z",
    "simulated": True,
    "track": None,
    "position_s": 1.0,
    "next": None,
    "paused": False,
    "volume": 1.0,
    "crossfade_s": 8.0,
    "fading": None,
    "policy": "match",
    "target": None,
    "target_valence": None,
    "target_arousal": None,
    "output": "null",
    "library_tracks": 8,
    "degraded": [],
}


CHUNK = EegChunk(np.zeros((2, 4)), np.arange(4) / 256)


class Link:
    """Collects what would be published."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []

    def retain(self, topic: str, payload: bytes, expiry_s: int | None = None) -> None:
        self.said.append((topic.removeprefix("neuroplayer/t/"), json.loads(payload)))

    def send(self, topic: str, payload: bytes, *, qos: int = 0) -> None:
        self.retain(topic, payload)

    def on(self, name: str) -> list[dict[str, Any]]:
        return [document for topic, document in self.said if topic == name]


class Feed:
    """Gives what a test puts in."""

    def __init__(self, items: list[HeadsetStatus | EegChunk | Gap]) -> None:
        self._items = items
        self.taken = asyncio.Event()
        """Everything was taken, and what it led to was said."""
        self.heard: list[tuple[float | None, float | None]] = []

    async def __aiter__(self) -> AsyncIterator[HeadsetStatus | EegChunk | Gap]:
        for item in self._items:
            yield item
        self.taken.set()

    def on_music(self, valence: float | None, arousal: float | None) -> None:
        self.heard.append((valence, arousal))


class Pipeline:
    """Answers each chunk with the next prepared readings."""

    def __init__(self, answers: list[tuple[Reading, ...]]) -> None:
        self._answers = answers
        self.trouble = ""
        self.dwell_s = 10.0
        self.recalibrated = 0

    def push(self, item: EegChunk | Gap) -> tuple[Reading, ...]:
        return self._answers.pop(0) if self._answers else ()

    def recalibrate(self) -> None:
        self.recalibrated += 1

    def mark_stale(self, at_s: float) -> EmotionState:
        return state(at_s, "unknown", None, "stale")


def state(at_s: float, emotion: Any, arousal: float | None, status: Any = "ok") -> EmotionState:
    return EmotionState(at_s, emotion, Affect(None, arousal), 0.8, status, at_s, 1, MODEL)
