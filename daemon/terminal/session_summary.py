"""What happened in a session, told at its end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from daemon.mqtt import topics


class SessionSummary:
    """Hears every document and counts."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._moods: Counter[str] = Counter()
        self._mood: tuple[str, float] | None = None
        self._tracks: list[str] = []
        self._changes = 0
        self._simulated = self._replayed = False
        self._lost = 0
        self._restarts: Counter[str] = Counter()

    def on_document(self, topic: str, document: Mapping[str, Any]) -> None:
        """Take note of a document of a short topic."""
        if topic == topics.EMOTION:
            self._simulated = self._simulated or bool(document["simulated"])
            self._replayed = self._replayed or bool(document.get("replayed"))
            self._mood_is(str(document["emotion"]))
        elif topic == topics.PLAYER_STATE and document["track"]:
            title = str(document["track"]["title"])
            if not self._tracks or self._tracks[-1] != title:
                self._tracks.append(title)
        elif topic == topics.PLAYER_DECISION:
            self._changes += document["kind"] == "mood_change"
        elif topic == topics.HEADSET:
            self._lost += document["state"] == "lost"

    def on_availability(self, role: str, online: bool) -> None:
        """A role came or went."""
        if not online:
            self._restarts[role] += 1

    def _mood_is(self, mood: str | None) -> None:
        now = self._clock()
        if self._mood is not None:
            self._moods[self._mood[0]] += round((now - self._mood[1]) * 1000)
        self._mood = (mood, now) if mood is not None else None

    def facts(self) -> dict[str, Any]:
        """The summary as plain values."""
        self._mood_is(None)
        return {
            "seconds": round(self._clock() - self._began, 1),
            "simulated": self._simulated,
            "replayed": self._replayed,
            "moods_s": {name: ms / 1000 for name, ms in self._moods.most_common()},
            "tracks": list(self._tracks),
            "changed_for_mood": self._changes,
            "headset_lost": self._lost,
        }

    def lines(self) -> list[str]:
        """The summary, one sentence a line."""
        self._mood_is(None)
        total_ms = sum(self._moods.values())
        minutes, seconds = divmod(round(self._clock() - self._began), 60)
        wearer = " with a simulated wearer" if self._simulated else ""
        wearer += " from a recording" if self._replayed else ""
        lines = [f"Session of {minutes} min {seconds} s{wearer}."]
        if total_ms:
            parts = [f"{name} {100 * ms / total_ms:.0f} %" for name, ms in self._moods.most_common() if ms]
            lines.append(f"Mood: {', '.join(parts)}.")
        if self._tracks:
            changed = f"{self._changes} changed for the mood"
            tracks = f"{len(self._tracks)} track{'s' * (len(self._tracks) > 1)}"
            lines.append(f"Music: {tracks}, {changed}; last {self._tracks[-1]}.")
        if self._lost:
            lines.append(f"The headset was lost {self._lost} time{'s' * (self._lost > 1)}.")
        return lines
