"""What the player believes of the wearer's mood: a smoothed point and how far it may be trusted now."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from player.music import Mood, WearerCode, WearerMood

Situation = Literal["unheard", "calibrating", "steering", "frozen", "neutral"]
"""``frozen``: the last mood holds (unreliable, newly stale); ``neutral``: nothing trusted for too long."""

CALIBRATING = frozenset({"calibrating", "warming_up"})


@dataclass(frozen=True, slots=True)
class WearerSettings:
    """Time constants in seconds."""

    tau_s: float = 20.0
    silence_is_stale_s: float = 15.0
    stale_to_neutral_s: float = 30.0

    def __post_init__(self) -> None:
        for name in ("tau_s", "silence_is_stale_s", "stale_to_neutral_s"):
            value = getattr(self, name)
            if not math.isfinite(value) or value <= 0:
                raise ValueError(f"{name} must be a positive number of seconds, got {value!r}")


class WearerModel:
    """An exponential average in continuous time, weighted by confidence.

    States come on change and every ten seconds, so the last one heard is taken to hold until the next:
    between two words the mean glides towards the last value with time constant ``tau_s / confidence``. Only
    states with status ``ok`` and a known emotion move it. All times are of one clock, the player's.
    """

    def __init__(self, settings: WearerSettings | None = None) -> None:
        self._settings = settings or WearerSettings()
        self._mean: tuple[float | None, float] | None = None
        self._mean_at_s = 0.0
        self._held: WearerMood | None = None
        self._last: WearerMood | None = None
        self._first_asked_s: float | None = None
        self._stale_since_s: float | None = None

    @property
    def last(self) -> WearerMood | None:
        """The last state heard, trusted or not."""
        return self._last

    def on_mood(self, wearer: WearerMood) -> None:
        """Take in one state. Older than the last heard, or of non-finite time: ignored."""
        if not math.isfinite(wearer.at_s) or (self._last is not None and wearer.at_s < self._last.at_s):
            return
        if self.situation(wearer.at_s) == "neutral":
            self._mean = None
        self._mean = self._mean_to(wearer.at_s)
        self._mean_at_s = wearer.at_s
        self._last = wearer
        self._held = wearer if _may_steer(wearer) else None
        if wearer.status != "stale":
            self._stale_since_s = None
        elif self._stale_since_s is None:
            self._stale_since_s = wearer.at_s
        if self._held is not None and self._mean is None and wearer.arousal is not None:
            self._mean = (_clip_or_none(wearer.valence), _clip(wearer.arousal))

    def mood(self, now_s: float) -> Mood | None:
        """The smoothed mood, or None before the first trusted state and after a long stale signal."""
        if self.situation(now_s) == "neutral":
            return None
        mean = self._mean_to(now_s)
        return None if mean is None else Mood(mean[0], mean[1])

    def situation(self, now_s: float) -> Situation:
        """How the player should treat the wearer now."""
        if self._last is None:
            if self._first_asked_s is None:
                self._first_asked_s = now_s
            waited_s = now_s - self._first_asked_s
            return "neutral" if waited_s >= self._settings.stale_to_neutral_s else "unheard"
        stale_since_s = self._stale_from(now_s)
        if stale_since_s is not None:
            waited_s = now_s - stale_since_s
            return "neutral" if waited_s >= self._settings.stale_to_neutral_s else "frozen"
        if self._last.status in CALIBRATING:
            return "calibrating"
        return "steering" if self._held is not None else "frozen"

    def code(self, now_s: float) -> WearerCode:
        """The situation as a reason tells it, with what froze the last mood."""
        situation = self.situation(now_s)
        if situation in ("unheard", "calibrating"):
            return situation
        if situation == "neutral" or self._mean is None or self._last is None:
            return "unknown"
        if situation == "steering":
            return "known"
        if self._stale_from(now_s) is not None:
            return "stale"
        return "unreliable" if self._last.status == "unreliable" else "undecided"

    def _stale_from(self, now_s: float) -> float | None:
        if self._last is None:
            return None
        if self._stale_since_s is not None:
            return self._stale_since_s
        silent_from_s = self._last.at_s + self._settings.silence_is_stale_s
        return silent_from_s if now_s > silent_from_s else None

    def _mean_to(self, now_s: float) -> tuple[float | None, float] | None:
        """The mean glided up to ``now_s``, but never further than one silence beyond the last word."""
        held = self._held
        if held is None or self._mean is None or held.arousal is None:
            return self._mean
        elapsed_s = min(max(0.0, now_s - self._mean_at_s), self._settings.silence_is_stale_s)
        keep = math.exp(-elapsed_s * _clip01(held.confidence) / self._settings.tau_s)
        valence, arousal = self._mean
        if held.valence is not None:
            heard = _clip(held.valence)
            valence = heard if valence is None else heard + (valence - heard) * keep
        heard = _clip(held.arousal)
        return valence, heard + (arousal - heard) * keep


def _may_steer(wearer: WearerMood) -> bool:
    values = (wearer.arousal, wearer.confidence, 0.0 if wearer.valence is None else wearer.valence)
    finite = all(value is not None and math.isfinite(value) for value in values)
    return wearer.status == "ok" and wearer.emotion != "unknown" and finite and wearer.confidence > 0


def _clip(value: float) -> float:
    return min(1.0, max(-1.0, value))


def _clip01(value: float) -> float:
    return min(1.0, max(0.0, value))


def _clip_or_none(value: float | None) -> float | None:
    return None if value is None else _clip(value)
