"""From the wearer's mood to the mood the music should have: one rule a policy, and a small memory."""

from __future__ import annotations

import math

from player.choice.scoring import mood_distance
from player.choice.targets import NAMED_TARGETS
from player.music import Mood, PolicyName, Target

NEUTRAL = Mood(valence=None, arousal=0.0)
CALM = Mood(valence=None, arousal=-0.7)
"""What plays while the baseline is taken: the wearer is asked to rest."""
LEAD_STEP = 0.25
LEAD_LEASH = 0.5
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


class AimRule:
    """Turns the wearer's mood into an aim. ``begin_track`` tells it that a track with this aim has begun."""

    def __init__(self, policy: PolicyName, target: Target | None) -> None:
        self.policy: PolicyName = policy
        self.target = target
        self._led: Mood | None = None
        self._kept: Mood | None = None

    def set_policy(self, policy: PolicyName) -> None:
        """Start the policy afresh: a lead meets the wearer again, a maintained mood is taken anew."""
        self.policy = policy
        self._led = None
        self._kept = None

    def set_target(self, target: Target | None) -> None:
        """Aim for another place from here on; a lead goes on from where it is."""
        self.target = target
        self._kept = None

    def aim(self, mood: Mood | None, *, advance: bool) -> Mood | None:
        """Where the music should be for this mood; None when nothing is wanted in particular.

        ``advance`` asks for the aim of the track to come (a lead takes its next step); otherwise the aim the
        running track is judged by. Pure apart from the maintained point, which is taken at the first mood.
        """
        if self.policy == "manual":
            return None if self.target is None else self.target.mood
        if self.policy == "lead":
            return self._lead(mood, advance=advance)
        if mood is None:
            return NEUTRAL
        if self.policy == "contrast":
            return mirrored(mood)
        if self.policy == "maintain":
            return self._maintain(mood)
        return mood

    def has_met(self, mood: Mood, within: float) -> bool:
        """True when a led wearer has come to where the music is, or further, and the goal lies ahead."""
        if self.policy != "lead" or self._led is None or self._led == self._goal:
            return False
        return mood_distance(mood, self._led) <= within or _is_beyond(self._led, mood, self._goal)

    @property
    def _goal(self) -> Mood:
        return self.target.mood if self.target is not None else NAMED_TARGETS["relax"]

    def begin_track(self, aim: Mood) -> None:
        """Remember the step that a lead has now taken."""
        if self.policy == "lead":
            self._led = aim

    def _lead(self, mood: Mood | None, *, advance: bool) -> Mood:
        goal = self._goal
        if mood is None:
            return self._led or NEUTRAL
        if self._led is None:
            return mood
        ahead = towards(self._led, goal, LEAD_STEP) if advance else self._led
        if _is_beyond(ahead, mood, goal):
            return ahead
        return towards(mood, ahead, LEAD_LEASH)

    def _maintain(self, mood: Mood) -> Mood:
        if self._kept is None:
            self._kept = self.target.mood if self.target is not None else mood
        kept = self._kept
        valence = kept.valence
        if kept.valence is not None and mood.valence is not None:
            valence = _clip(kept.valence + MAINTAIN_GAIN * (kept.valence - mood.valence))
        return Mood(valence, _clip(kept.arousal + MAINTAIN_GAIN * (kept.arousal - mood.arousal)))


def _is_beyond(ahead: Mood, mood: Mood, goal: Mood) -> bool:
    """True when the wearer is already nearer to the goal than the music: nothing to hold back for."""
    return mood_distance(mood, goal) <= mood_distance(ahead, goal)


def _clip(value: float) -> float:
    return math.copysign(min(1.0, abs(value)), value)
