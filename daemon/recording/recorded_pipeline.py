"""A pipeline whose every word is written down as plain, repeatable lines: what a replay is held against."""

from __future__ import annotations

import json
from collections.abc import Callable

from acquisition.recording.session_recorder import SessionRecorder
from acquisition.signal import EegChunk, Gap
from daemon.engine.prepared import EmotionPipeline
from inference.emotion import EmotionState, LeftOut, Reading, SignalQuality

LEFT_OUT = "window_left_out"
"""The event of a recording that names a window which was not read."""


def state_line(state: EmotionState) -> str:
    """A settled state as one line. How long computing took is left out: it is never the same twice."""
    return json.dumps(
        {
            "at_s": state.at_s,
            "emotion": state.emotion,
            "valence": state.affect.valence,
            "arousal": state.affect.arousal,
            "confidence": state.confidence,
            "status": state.status,
            "since_s": state.since_s,
            "seq": state.seq,
            "model": state.model.name,
            "sha256": state.model.sha256,
        },
        allow_nan=False,
    )


class RecordedPipeline:
    """Does what the pipeline inside does. ``recorder`` gives who writes now, None while nobody does."""

    def __init__(self, inner: EmotionPipeline, recorder: Callable[[], SessionRecorder | None]) -> None:
        self._inner, self._recorder = inner, recorder

    @property
    def trouble(self) -> str:
        return self._inner.trouble

    @property
    def dwell_s(self) -> float:
        """How long a settled emotion is held."""
        return self._inner.dwell_s

    @dwell_s.setter
    def dwell_s(self, seconds: float) -> None:
        self._inner.dwell_s = seconds

    def push(self, item: EegChunk | Gap) -> tuple[Reading, ...]:
        """Pass it on; write down the states and the quality that come of it."""
        readings = self._inner.push(item)
        recorder = self._recorder()
        if recorder is None:
            return readings
        for reading in readings:
            if isinstance(reading, EmotionState):
                recorder.text("EmotionState", state_line(reading), reading.at_s)
            elif isinstance(reading, SignalQuality):
                scores = {channel.channel: channel.score for channel in reading.channels}
                recorder.quality(reading.at_s, reading.overall, reading.worn, scores)
            elif isinstance(reading, LeftOut):
                recorder.event(LEFT_OUT, {"at_s": reading.at_s})
        return readings

    def recalibrate(self) -> None:
        """Pass it on."""
        self._inner.recalibrate()

    def mark_stale(self, at_s: float) -> EmotionState:
        """Pass it on; the claim of nothing is a state too."""
        state = self._inner.mark_stale(at_s)
        if (recorder := self._recorder()) is not None:
            recorder.text("EmotionState", state_line(state), state.at_s)
        return state
