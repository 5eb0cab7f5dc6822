"""What every policy promises, held against each name there is: a new one is told here what it lacks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.mqtt.codec import decode_command
from daemon.mqtt.commands import PolicyCommand
from player.choice.chooser import Chooser, PolicySettings
from player.choice.policies import NEUTRAL, RULES
from player.choice.scoring import mood_distance
from player.choice.targets import parse_policy, parse_target
from player.music import Mood, PolicyName, Target
from support.sounds.track_making import feeling, ladder

ROOT = Path(__file__).resolve().parents[2]
NAMES: tuple[PolicyName, ...] = get_args(PolicyName)
LIBRARY = ladder(12)
PLACES = st.builds(Mood, st.none() | st.floats(-1, 1), st.floats(-1, 1))
TARGETS = st.none() | st.builds(Target, st.just("a point"), PLACES)
every_policy = pytest.mark.parametrize("name", NAMES)


def test_every_name_has_its_rule_and_every_rule_its_name() -> None:
    nameless, ruleless = set(RULES) - set(NAMES), set(NAMES) - set(RULES)
    assert not nameless, f"PolicyName in player/music.py does not name: {nameless}"
    assert not ruleless, f"RULES in player/choice/policies.py has no rule for: {ruleless}"


@every_policy
def test_each_is_taken_at_every_door(name: PolicyName) -> None:
    assert parse_policy(f" {name.upper()} ") == name
    assert decode_command("policy", f'{{"policy":"{name}"}}'.encode()) == PolicyCommand(policy=name)
    chooser = Chooser()
    chooser.set_policy(name)
    assert chooser.policy == name


@every_policy
@given(mood=st.none() | PLACES, target=TARGETS, advance=st.booleans(), within=st.floats(0, 1))
def test_each_aims_inside_the_plane(
    name: PolicyName, mood: Mood | None, target: Target | None, advance: bool, within: float
) -> None:
    rule = RULES[name](target)
    for _ in range(3):
        aim = rule.aim(mood, advance=advance)
        assert aim == rule.aim(mood, advance=advance), "asking changes nothing"
        if aim is None:
            assert not rule.follows_wearer
            assert target is None
            return
        assert -1 <= aim.arousal <= 1
        assert aim.valence is None or -1 <= aim.valence <= 1
        rule.begin_track(aim)
        if mood is not None:
            assert rule.has_met(mood, within) in (True, False)


@every_policy
@given(one=PLACES, other=PLACES, target=TARGETS)
def test_a_hands_policy_is_deaf_and_any_other_is_neutral_without_a_mood(
    name: PolicyName, one: Mood, other: Mood, target: Target | None
) -> None:
    rule = RULES[name](target)
    if rule.follows_wearer:
        assert rule.aim(None, advance=True) == NEUTRAL
    else:
        assert rule.aim(one, advance=True) == rule.aim(other, advance=True) == rule.aim(None, advance=True)


@every_policy
def test_one_that_goes_by_the_target_gets_there(name: PolicyName) -> None:
    target = parse_target("0.5,-0.75")
    rule = RULES[name](None)
    rule.set_target(target)
    mood = Mood(-0.5, 0.5)
    for _ in range(12):
        aim = rule.aim(mood, advance=True)
        assert aim is not None
        rule.begin_track(aim)
        mood = aim  # a wearer who goes along
    arrived = mood_distance(mood, target.mood) < 1e-9
    assert arrived or not rule.goes_by_target
    rule.set_target(None)
    rule.aim(mood, advance=True)


@every_policy
@pytest.mark.parametrize("target", [None, "relax", "0.25,0.25"])
@pytest.mark.parametrize("status", ["", "ok", "stale", "unreliable", "calibrating"])
def test_each_explains_itself_in_a_whole_sentence(name: PolicyName, target: str | None, status: str) -> None:
    chooser = Chooser(PolicySettings(policy=name, target=target), 1)
    if status:
        chooser.on_mood(feeling(0, -0.5, 0.2))
        chooser.on_mood(feeling(1, -0.5, 0.2, status=status))
    decision = chooser.choose(2, LIBRARY, "first")
    assert re.fullmatch(r"[A-Z][^{}]+\.", decision.why), decision.why
    assert decision.why.isprintable()
    assert decision.policy == name


@every_policy
def test_each_may_follow_each_other(name: PolicyName) -> None:
    for other in NAMES:
        chooser = Chooser(PolicySettings(policy=other, target="relax"), 1)
        for at_s in range(0, 60, 5):
            chooser.on_mood(feeling(at_s, 0.5))
        current = chooser.choose(60, LIBRARY, "first").chosen
        chooser.mark_played(current, 60)
        chooser.set_policy(name)
        fresh = RULES[name](parse_target("relax")).aim(chooser.wearer.mood(60), advance=True)
        assert chooser.choose(60, LIBRARY, "mood_change", current).aim == fresh


@every_policy
def test_a_user_can_read_of_each(name: PolicyName) -> None:
    told = (ROOT / "docs" / "music.md").read_text("utf-8")
    assert f"`{name}`" in told, f"docs/music.md does not say what the policy {name} does"
