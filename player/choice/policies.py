"""From the wearer's mood to the mood the music should have: one rule a policy, and a small memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from player.choice.scoring import mood_distance
from player.choice.targets import NAMED_TARGETS
from player.music import Mood, PolicyName, Target

NEUTRAL = Mood(valence=None, arousal=0.0)
CALM = Mood(valence=None, arousal=-0.7)
"""What plays while the baseline is taken: the wearer is asked to rest."""
LEAD_STEP = 0.5
LEAD_LEASH = 1.0
"""How far the led music may run ahead of the wearer: meeting them comes before the target (iso principle)."""
MAINTAIN_GAIN = 0.5


def towards(start: Mood, goal: Mood, step: float) -> Mood:
    """The point at most ``step`` from ``start`` on the straight way to ``goal``."""
    distance = mood_distance(start, goal)
    if distance <= step:
        return goal
    share = step / distance
    valence = goal.valence
    if start.valence is not None and goal.valence is not None:
        valence = start.valence + share * (goal.valence - start.valence)
    elif start.valence is not None:
        valence = start.valence
    return Mood(valence, start.arousal + share * (goal.arousal - start.arousal))


def mirrored(mood: Mood) -> Mood:
    """The opposite point of the plane."""
    return Mood(None if mood.valence is None else -mood.valence, -mood.arousal)


class Policy:
    """One way in which music is chosen. A new one is a class here, a line in ``RULES`` and its name in
    ``player.music``.
    """

    words: ClassVar[str]
    """What it makes of the mood, for a reason's sentence: of ``{wanted}``, ``{goal}`` and ``{kept}``."""
    words_without_aim: ClassVar[str] = ""
    follows_wearer: ClassVar[bool] = True
    """False: only the listener's hand moves it, whatever the wearer feels."""
    keeps_albums: ClassVar[bool] = False
    """True: an album is played from its first part to its last, and nothing is left early."""
    goes_by_target: ClassVar[bool] = False
    """True: a target is where it is going, so that setting one need not change the policy."""

    def __init__(self, target: Target | None) -> None:
        self.target = target

    def set_target(self, target: Target | None) -> None:
        """Aim for another place from here on."""
        self.target = target

    def aim(self, mood: Mood | None, *, advance: bool) -> Mood | None:
        """Where the music should be for this mood (None: unknown); None when nothing in particular is wanted.

        ``advance`` asks for the aim of the track to come, otherwise for the aim the running one is judged by.
        """
        raise NotImplementedError

    def has_met(self, mood: Mood, within: float) -> bool:
        """True when the wearer has come to where the music is and the music should go on."""
        return False

    def begin_track(self, aim: Mood) -> None:
        """A track with this aim has begun."""


class Match(Policy):
    """Music like the mood."""

    words = "matching it asks for {wanted}"

    def aim(self, mood: Mood | None, *, advance: bool) -> Mood:
        return mood or NEUTRAL


class Album(Match):
    """Whole albums, each chosen for its beginning."""

    words = "an album that begins with {wanted} fits"
    keeps_albums = True


class Contrast(Policy):
    """Music unlike the mood."""

    words = "its opposite is {wanted}"

    def aim(self, mood: Mood | None, *, advance: bool) -> Mood:
        return NEUTRAL if mood is None else mirrored(mood)


class Manual(Policy):
    """Music the listener asks for."""

    words = "You asked for {goal}, which is {wanted}"
    words_without_aim = "You choose by hand, so any track may come"
    follows_wearer = False
    goes_by_target = True

    def aim(self, mood: Mood | None, *, advance: bool) -> Mood | None:
        return None if self.target is None else self.target.mood


class Lead(Policy):
    """From the wearer's mood to the target by small steps (iso principle)."""

    words = "the way to {goal} asks for {wanted}"
    goes_by_target = True

    def __init__(self, target: Target | None) -> None:
        super().__init__(target)
        self._led: Mood | None = None

    def aim(self, mood: Mood | None, *, advance: bool) -> Mood:
        goal = self._goal
        if mood is None:
            return self._led or NEUTRAL
        if self._led is None:
            return mood
        ahead = towards(self._led, goal, LEAD_STEP) if advance else self._led
        if _is_beyond(ahead, mood, goal):
            return ahead
        return towards(mood, ahead, LEAD_LEASH)

    def has_met(self, mood: Mood, within: float) -> bool:
        if self._led is None or self._led == self._goal:
            return False
        return mood_distance(mood, self._led) <= within or _is_beyond(self._led, mood, self._goal)

    def begin_track(self, aim: Mood) -> None:
        self._led = aim

    @property
    def _goal(self) -> Mood:
        return self.target.mood if self.target is not None else NAMED_TARGETS["relax"]


class Maintain(Policy):
    """Against any drift from the target, or from the mood there was at first."""

    words = "to keep {kept} {wanted} fits"

    def __init__(self, target: Target | None) -> None:
        super().__init__(target)
        self._kept: Mood | None = None

    def set_target(self, target: Target | None) -> None:
        super().set_target(target)
        self._kept = None

    def aim(self, mood: Mood | None, *, advance: bool) -> Mood:
        if mood is None:
            return NEUTRAL
        if self._kept is None:
            self._kept = self.target.mood if self.target is not None else mood
        kept = self._kept
        valence = kept.valence
        if kept.valence is not None and mood.valence is not None:
            valence = _clip(kept.valence + MAINTAIN_GAIN * (kept.valence - mood.valence))
        return Mood(valence, _clip(kept.arousal + MAINTAIN_GAIN * (kept.arousal - mood.arousal)))


RULES: Mapping[PolicyName, type[Policy]] = {
    "match": Match,
    "lead": Lead,
    "contrast": Contrast,
    "maintain": Maintain,
    "manual": Manual,
    "album": Album,
}


def _is_beyond(ahead: Mood, mood: Mood, goal: Mood) -> bool:
    """True when the wearer is already nearer to the goal than the music: nothing to hold back for."""
    return mood_distance(mood, goal) <= mood_distance(ahead, goal)


def _clip(value: float) -> float:
    return math.copysign(min(1.0, abs(value)), value)
