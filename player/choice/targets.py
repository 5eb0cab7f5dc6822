"""Named places in the valence-arousal plane that a listener can ask for."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import get_args

from player.location import quoted
from player.music import Mood, PolicyName, Target

POLICIES: tuple[PolicyName, ...] = get_args(PolicyName)

NAMED_TARGETS: Mapping[str, Mood] = MappingProxyType(
    {
        "relax": Mood(valence=0.4, arousal=-0.6),
        "focus": Mood(valence=0.2, arousal=0.1),
        "energise": Mood(valence=0.6, arousal=0.7),
        "sleep": Mood(valence=0.2, arousal=-0.9),
    }
)
"""Own choice, on the circumplex of Russell (1980): pleasant half, ordered by arousal."""

_POINT = re.compile(r"\s*([+-]?\d{0,3}(?:\.\d{1,9})?)\s*,\s*([+-]?\d{0,3}(?:\.\d{1,9})?)\s*")


class UnknownTargetError(ValueError):
    """The target is neither a known name nor a point of the plane."""


class UnknownPolicyError(ValueError):
    """No policy of that name."""


def parse_target(text: str) -> Target:
    """Read ``relax``, ``focus``, ``energise``, ``sleep`` or a point ``valence,arousal`` within -1..1.

    Raises UnknownTargetError naming the value and the rule.
    """
    name = text.strip().lower()
    if name in NAMED_TARGETS:
        return Target(name, NAMED_TARGETS[name])
    match = _POINT.fullmatch(name)
    if match:
        try:
            return point_target(Mood(float(match[1]), float(match[2])))
        except ValueError:
            pass
    names = ", ".join(NAMED_TARGETS)
    raise UnknownTargetError(
        f"target must be one of {names}, or a point valence,arousal within -1..1; got {quoted(text, 60)}"
    )


def point_target(mood: Mood) -> Target:
    """A target at a point of the plane; raises UnknownTargetError outside -1..1."""
    for name, value in (("valence", mood.valence), ("arousal", mood.arousal)):
        if value is not None and not (math.isfinite(value) and -1 <= value <= 1):
            raise UnknownTargetError(f"target {name} must be within -1..1, got {value!r}")
    valence = "any" if mood.valence is None else f"{mood.valence:g}"
    return Target(f"{valence},{mood.arousal:g}", mood)


def parse_policy(name: str) -> PolicyName:
    """Raises UnknownPolicyError naming the policies there are."""
    for policy in POLICIES:
        if policy == name.strip().lower():
            return policy
    raise UnknownPolicyError(f"policy must be one of {', '.join(POLICIES)}; got {quoted(name, 60)}")
