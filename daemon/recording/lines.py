"""What is written down of a session as plain, repeatable lines: what a replay is held against."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np

from acquisition.recording.session_recorder import SessionRecorder
from daemon.engine.events import CommandGiven
from daemon.engine.prepared import PreparedPipeline
from daemon.mqtt.documents import PlayerState
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


def write_reading(recorder: SessionRecorder, reading: Reading) -> None:
    """Write down a state, a window's quality, or that a window was left out; nothing of the others."""
    if isinstance(reading, EmotionState):
        recorder.text("EmotionState", state_line(reading), reading.at_s)
    elif isinstance(reading, SignalQuality):
        scores = {channel.channel: channel.score for channel in reading.channels}
        recorder.quality(reading.at_s, reading.overall, reading.worn, scores)
    elif isinstance(reading, LeftOut):
        recorder.event(LEFT_OUT, {"at_s": reading.at_s})


def command_words(given: CommandGiven) -> dict[str, Any]:
    """A command as it was given."""
    return {"command": given.name, "words": msgspec.to_builtins(given.command)}


def prepared_words(prepared: PreparedPipeline, *, first: bool) -> dict[str, Any]:
    """What reads the wearer from here on; a stored rest, and what reads valence, are written down with it."""
    rest = getattr(prepared.pipeline, "baseline", None) if first else None
    stored = None
    if rest is not None:
        centre = [float(value) if np.isfinite(value) else None for value in rest.centre]
        stored = {
            "schema": rest.schema,
            "channels": list(rest.channels),
            "centre": centre,
            "scale": [float(value) for value in rest.scale],
            "seconds": float(rest.seconds),
        }
    valence = getattr(prepared.pipeline, "valence", None)
    return {
        "first": first,
        "model": prepared.model.name,
        "sha256": prepared.model.sha256,
        "notes": list(prepared.notes),
        "baseline": stored,
        "valence": None if valence is None else msgspec.to_builtins(valence.network),
    }


def sounding_words(state: PlayerState) -> dict[str, Any]:
    """What sounds now, for a marker."""
    track = state.track
    return {
        "track": track.id if track else None,
        "title": track.title if track else None,
        "position_s": state.position_s,
        "paused": state.paused,
        "fading": state.fading is not None,
        "volume": state.volume,
    }
