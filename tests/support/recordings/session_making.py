"""Sessions to record: a wave that says which sample it is, with gaps, states and music in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from acquisition.recording.recording_file import RecordingNews
from acquisition.recording.session_file import Line, SessionItem
from acquisition.recording.session_recorder import SessionRecorder
from acquisition.signal import EegChunk, Gap, HeadsetStatus, StreamInfo

RATE_HZ = 256.0
CHANNELS = ("TP9", "AF7", "AF8", "TP10")
INFO = StreamInfo(
    "simulated",
    "a <wearer> & friends",
    CHANNELS,
    RATE_HZ,
    simulated=True,
    identity="seed 1",
    extras=("accel_x",),
)
SETTINGS = {"source": "simulated", "seed": 1}
BEGAN = "2026-01-02T03:04:05Z"


def chunk_at(number: int, size: int = 16) -> EegChunk:
    """Chunk ``number``: the first row counts samples, the others are made from it with all their digits."""
    index = np.arange(number * size, (number + 1) * size, dtype=np.float64)
    rows = np.stack([index, np.sin(index), 1e-9 * index, -index / 3])
    return EegChunk(rows, 100 + index / RATE_HZ, extras=np.cos(index)[np.newaxis])


def session_items(chunks: int) -> Iterator[SessionItem]:
    """What a feed gives and what else happens, in order."""
    yield HeadsetStatus("connecting")
    yield HeadsetStatus("streaming", INFO)
    for number in range(chunks):
        chunk = chunk_at(number)
        if number % 16 == 5:
            lost = np.zeros(16, dtype=np.bool_)
            lost[[3, 4]] = True
            yield Gap(float(chunk.times_s[2]), float(chunk.times_s[4]), 2, "lost", bridged=True)
            chunk = EegChunk(chunk.samples_uv, chunk.times_s, extras=chunk.extras, interpolated=lost)
        yield chunk
        if number % 8 == 7:
            yield Line("EmotionState", float(chunk.times_s[-1]), f'{{"seq": {number}}}')
        if number % 32 == 31:
            yield Line("PlayerDecision", float(chunk.times_s[-1]), '{"chosen": "Ärger & <Liebe>"}')
            yield Line("AudioMarkers", float(chunk.times_s[-1]), "track begins")


def record(recorder: SessionRecorder, items: Iterator[SessionItem]) -> None:
    """Hand everything to the recorder as a live session would."""
    for item in items:
        if isinstance(item, Line):
            recorder.text(item.stream, item.text, item.at_s)  # type: ignore[arg-type]
        else:
            recorder.on_item(item)


def make_session(path: Path, chunks: int = 64) -> Path:
    """A finished recording."""
    said: list[RecordingNews] = []
    recorder = SessionRecorder(path, BEGAN, SETTINGS, on_news=said.append)
    record(recorder, session_items(chunks))
    assert recorder.close() == path
    assert not said
    return path
