"""What ``--plain`` and ``--json`` print: one line for each thing that changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from daemon.mqtt import topics
from daemon.terminal.eyes_note import eyes_note

Document = Mapping[str, Any]


class JsonView:
    """Every document as ``{"topic": ..., "document": ...}``."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def show(self, topic: str, document: Document) -> None:
        """Print the document of a short topic."""
        self._write(json.dumps({"topic": topic, "document": document}, ensure_ascii=False, allow_nan=False))

    def show_availability(self, role: str, online: bool) -> None:
        """Print that a role came or went."""
        self.show(f"{role}/availability", {"online": online})


class PlainLines:
    """Sentences, each only when something changed that a person cares about."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._said: dict[str, str] = {}
        self._online: dict[str, bool] = {}
        self._words: dict[str, Callable[[Document], str | None]] = {
            topics.EMOTION: emotion_line,
            topics.HEADSET: headset_line,
            topics.SIGNAL: signal_line,
            topics.SESSION: session_line,
            topics.PLAYER_STATE: player_line,
            topics.PLAYER_DECISION: lambda document: f"why:      {document['why']}",
            topics.COMMAND_ERROR: lambda document: f"refused:  {document['command']}: {document['error']}",
        }

    def show(self, topic: str, document: Document) -> None:
        """Print the document of a short topic, if it says something new."""
        words = self._words.get(topic)
        line = words(document) if words else None
        if line is not None and self._said.get(topic) != line:
            self._said[topic] = line
            self._write(line)

    def show_availability(self, role: str, online: bool) -> None:
        """Say that a role went, and that it is back; its first coming is no news."""
        was, self._online[role] = self._online.get(role, online), online
        if was != online:
            self._write(f"{role + ':':9} {'is back' if online else 'is gone'}")


def _simulated(document: Document) -> str:
    return "".join(f" [{mark}]" for mark in ("simulated", "replayed") if document.get(mark))


def _signed(value: float | None) -> str:
    return "unknown" if value is None else f"{value:+.1f}"


def emotion_line(document: Document) -> str:
    """The settled mood, its point in the plane and how sure that is."""
    point = f"arousal {_signed(document['arousal'])}, valence {_signed(document['valence'])}"
    sure = f"confidence {document['confidence']:.1f}"
    status = document["status"].replace("_", " ")
    return f"mood:     {document['emotion']} ({status}), {point}, {sure}{_simulated(document)}"


def headset_line(document: Document) -> str:
    """How the headset is doing."""
    reason = f": {document['reason']}" if document["reason"] else ""
    device = document["device"] or document["source"] or "headset"
    return f"headset:  {device} is {document['state']}{reason}{_simulated(document)}"


def signal_line(document: Document) -> str:
    """Which electrodes are not good, or that all are."""
    bad = [
        f"{e['channel']} ({', '.join(e['reasons']) or 'poor'})"
        for e in document["electrodes"]
        if e["score"] < 0.5
    ]
    worn = "" if document["worn"] else ", the headset seems not to be worn"
    eyes = eyes_note(document)
    told = f"{worn}{f', {eyes}' if eyes else ''}{_simulated(document)}"
    return f"signal:   {'poor at ' + ', '.join(bad) if bad else 'good'}{told}"


def session_line(document: Document) -> str:
    """Where the guided rest stands, in steps of ten seconds."""
    if document["phase"] == "calibrating":
        wanted, trusted = document["baseline_wanted_s"], document["baseline_trusted_s"]
        steps = int(trusted // 10) * 10
        guide = "sit still, breathe calmly, eyes as you will listen"
        return f"rest:     calibrating, {steps} of {wanted:.0f} s so far: {guide}{_simulated(document)}"
    notes = "".join(f"; {note}" for note in document["notes"])
    notes += "; REC: this session is recorded" if document.get("recording") else ""
    model = f", model {document['model']['name']}" if document["model"] else ""
    return f"session:  {document['phase']}{model}{notes}{_simulated(document)}"


def player_line(document: Document) -> str:
    """What sounds, what follows and what is wrong."""
    track, next_ = document["track"], document["next"]
    now = (
        "nothing yet"
        if track is None
        else f"{track['title']} ({'paused' if document['paused'] else 'playing'})"
    )
    if document.get("stream_title"):
        now += f": {document['stream_title']}"
    then = f", then {next_['title']}" if next_ else ""
    degraded = f" [{'; '.join(document['degraded'])}]" if document["degraded"] else ""
    return f"music:    {now}{then}, to {document['output']}{degraded}"
