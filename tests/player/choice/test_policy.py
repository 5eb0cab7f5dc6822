from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player.choice.chooser import Chooser, NoPlayableTrackError, PolicySettings
from player.choice.policies import LEAD_LEASH, LEAD_STEP
from player.choice.targets import POLICIES, UnknownPolicyError, UnknownTargetError, parse_target
from player.music import Mood, Track
from support.sounds.small_library import LIBRARY, settled
from support.sounds.track_making import feeling, make_track


def play(chooser: Chooser, arousal: float, now_s: float = 120) -> Track:
    """A track of that mood sounds, chosen when the wearer felt the same."""
    track = chooser.choose(now_s, LIBRARY, "first").chosen
    chooser.mark_played(track, now_s)
    assert abs(track.mood.arousal - arousal) < 0.4
    return track


@pytest.mark.parametrize("arousal", [-0.8, 0.0, 0.8])
def test_match_chooses_music_near_the_wearer(arousal: float) -> None:
    decision = settled(arousal).choose(120, LIBRARY, "next")
    assert abs(decision.chosen.mood.arousal - arousal) < 0.25
    assert decision.aim.arousal == pytest.approx(arousal, abs=0.02)


def test_a_decision_explains_itself() -> None:
    decision = settled(-0.5).choose(120, LIBRARY, "next")
    assert decision.chosen in [candidate.track for candidate in decision.candidates]
    for candidate in decision.candidates:
        assert candidate.score == pytest.approx(sum(candidate.parts.values()), abs=1e-3)
        assert "mood" in candidate.parts
    scores = [candidate.score for candidate in decision.candidates]
    assert scores == sorted(scores, reverse=True)
    assert decision.why.startswith("You seem calm; ")
    assert decision.chosen.title in decision.why
    assert decision.seed == 1


def test_the_same_seed_and_inputs_give_the_same_choices() -> None:
    def session(seed: int) -> list[str]:
        chooser = settled(0.1, seed=seed)
        names = []
        for now_s in range(120, 620, 25):
            track = chooser.choose(now_s, LIBRARY, "next").chosen
            chooser.mark_played(track, now_s)
            names.append(track.id)
        return names

    assert session(3) == session(3)
    assert session(3) != session(4)


def test_no_repeat_in_the_last_twenty() -> None:
    chooser = settled(0.0)
    heard: list[str] = []
    current = None
    for now_s in range(120, 2000, 10):
        current = chooser.choose(now_s, LIBRARY, "next", current).chosen
        chooser.mark_played(current, now_s)
        heard.append(current.id)
    assert all(heard[i] not in heard[max(0, i - 20) : i] for i in range(len(heard)))


def test_a_library_of_two_alternates_and_of_one_repeats() -> None:
    chooser = settled(0.0)
    current = None
    heard = []
    for now_s in range(120, 180, 10):
        current = chooser.choose(now_s, LIBRARY[:2], "next", current).chosen
        chooser.mark_played(current, now_s)
        heard.append(current.id)
    assert all(a != b for a, b in pairwise(heard))
    assert chooser.choose(200, LIBRARY[:1], "next", LIBRARY[0]).chosen == LIBRARY[0]


def test_artists_are_spaced() -> None:
    tracks = tuple(make_track(f"{artist}{i}", 0.0, artist=artist) for artist in "abc" for i in range(8))
    chooser = settled(0.0)
    artists = []
    current = None
    for now_s in range(120, 320, 10):
        current = chooser.choose(now_s, tracks, "next", current).chosen
        chooser.mark_played(current, now_s)
        artists.append(current.artist)
    repeats = sum(a == b for a, b in pairwise(artists))
    assert repeats <= 2


def test_an_empty_or_quarantined_library_is_an_error() -> None:
    chooser = settled(0.0)
    with pytest.raises(NoPlayableTrackError, match="0 known"):
        chooser.choose(120, (), "next")
    for track in LIBRARY[:3]:
        chooser.quarantine(track.id)
    with pytest.raises(NoPlayableTrackError, match="3 quarantined"):
        chooser.choose(120, LIBRARY[:3], "next")
    chooser.forgive()
    assert chooser.choose(120, LIBRARY[:3], "next").chosen in LIBRARY[:3]


def test_a_quarantined_track_is_never_chosen() -> None:
    chooser = settled(0.0)
    best = min(LIBRARY, key=lambda track: abs(track.mood.arousal))
    chooser.quarantine(best.id)
    for now_s in range(120, 320, 10):
        assert chooser.choose(now_s, LIBRARY, "next").chosen != best


def wait_for_change(chooser: Chooser, current: Track, arousal: float, from_s: int, to_s: int) -> float | None:
    """Seconds after ``from_s`` at which the chooser wants to leave ``current``."""
    for now_s in range(from_s, to_s):
        if now_s % 5 == 0:
            chooser.on_mood(feeling(now_s, arousal))
        if chooser.wants_change(now_s, current, played_s=now_s - 120):
            return now_s - from_s
    return None


def test_a_held_change_of_mood_changes_the_music_after_its_time() -> None:
    chooser = settled(-0.6)
    current = play(chooser, -0.6)
    assert wait_for_change(chooser, current, -0.6, 120, 220) is None
    after_s = wait_for_change(chooser, current, 0.6, 220, 320)
    assert after_s is not None
    assert 20 <= after_s <= 45


def test_a_track_is_heard_for_a_minute_first() -> None:
    chooser = settled(-0.6)
    current = play(chooser, -0.6)
    after_s = wait_for_change(chooser, current, 0.6, 120, 320)
    assert after_s is not None
    assert 60 <= after_s < 62


def test_forced_changes_keep_their_distance() -> None:
    chooser = settled(-0.6)
    play(chooser, -0.6)
    first = chooser.choose(200, LIBRARY, "mood_change").chosen
    chooser.mark_played(first, 200)
    for now_s in range(200, 290):
        chooser.on_mood(feeling(now_s, 0.7))
        assert chooser.wants_change(now_s, first, played_s=500) is None
    assert chooser.wants_change(290, first, played_s=500)


def test_a_small_change_only_influences_the_next() -> None:
    chooser = settled(0.0)
    current = play(chooser, 0.0)
    assert wait_for_change(chooser, current, 0.3, 120, 600) is None
    assert chooser.choose(600, LIBRARY, "next", current).aim.arousal == pytest.approx(0.3, abs=0.01)


def test_a_track_that_fits_already_is_not_left() -> None:
    chooser = settled(-0.6)
    chooser.choose(120, LIBRARY, "first")
    lively = LIBRARY[-4]
    chooser.mark_played(lively, 120)
    assert wait_for_change(chooser, lively, lively.mood.arousal, 120, 400) is None


@pytest.mark.parametrize("status", ["unreliable", "stale", "calibrating", "warming_up"])
def test_untrusted_states_move_nothing(status: str) -> None:
    chooser = settled(-0.5)
    for at_s in range(120, 145, 5):
        chooser.on_mood(feeling(at_s, 0.9, status=status))
    mood = chooser.wearer.mood(145)
    assert mood is not None
    assert mood.arousal == pytest.approx(-0.5, abs=0.01)


def test_an_unknown_emotion_moves_nothing() -> None:
    chooser = settled(-0.5)
    chooser.on_mood(feeling(120, None))
    assert chooser.wearer.situation(120) == "frozen"
    mood = chooser.wearer.mood(130)
    assert mood is not None
    assert mood.arousal == pytest.approx(-0.5, abs=0.01)


def test_thirty_seconds_after_stale_the_music_is_neutral() -> None:
    chooser = settled(0.9)
    chooser.on_mood(feeling(120, None, status="stale"))
    before = chooser.choose(149, LIBRARY, "next")
    assert before.aim.arousal == pytest.approx(0.9, abs=0.05)
    after = chooser.choose(151, LIBRARY, "next")
    assert after.aim.arousal == 0
    assert "unknown" in after.why
    assert chooser.wants_change(200, before.chosen, 500) is None


def test_a_dead_sensor_is_stale_too() -> None:
    chooser = settled(0.9)
    assert chooser.wearer.situation(129) == "steering"
    assert chooser.wearer.situation(131) == "frozen"
    assert chooser.wearer.situation(161) == "neutral"


@pytest.mark.parametrize("status", ["calibrating", "warming_up"])
def test_calm_music_while_the_baseline_is_taken(status: str) -> None:
    chooser = Chooser(seed=2)
    chooser.on_mood(feeling(0, None, status=status))
    decision = chooser.choose(1, LIBRARY, "first")
    assert decision.chosen.mood.arousal < -0.4
    assert "baseline" in decision.why


def test_confidence_weighs_how_fast_the_mood_moves() -> None:
    def after(confidence: float) -> float:
        chooser = settled(0.0)
        for at_s in range(120, 150, 5):
            chooser.on_mood(feeling(at_s, 1.0, confidence=confidence))
        mood = chooser.wearer.mood(150)
        assert mood is not None
        return mood.arousal

    assert after(1.0) == pytest.approx(1 - math.exp(-30 / 20), abs=0.01)
    assert after(0.5) == pytest.approx(1 - math.exp(-15 / 20), abs=0.01)


def test_lead_meets_the_wearer_and_moves_by_small_steps() -> None:
    chooser = settled(0.8, "lead", target="relax")
    now_s, aims, wearer = 120.0, [], 0.8
    current = None
    for _ in range(12):
        decision = chooser.choose(now_s, LIBRARY, "next", current)
        current = decision.chosen
        chooser.mark_played(current, now_s)
        aims.append(decision.aim.arousal)
        for _ in range(30):
            now_s += 5
            wearer += 0.04 * (current.mood.arousal - wearer)
            chooser.on_mood(feeling(now_s, wearer))
    assert aims[0] == pytest.approx(0.8, abs=0.01)
    assert all(abs(b - a) <= LEAD_STEP + 1e-4 for a, b in pairwise(aims))
    assert aims[-1] == pytest.approx(-0.6, abs=0.05)


def led_until(seconds: int) -> tuple[float, str] | None:
    """A long first track under a lead; when it is left early, and why."""
    chooser = settled(0.8, "lead", target="relax")
    current = chooser.choose(120.0, LIBRARY, "first").chosen
    chooser.mark_played(current, 120.0)
    for at_s in range(120, 120 + seconds, 5):
        chooser.on_mood(feeling(at_s, 0.8))
        reason = chooser.wants_change(at_s, current, at_s - 120.0)
        if reason is not None:
            decision = chooser.choose(at_s, LIBRARY, "mood_change", current)
            assert decision.aim.arousal == pytest.approx(0.8 - LEAD_STEP, abs=0.02)
            return at_s - 120.0, reason
    return None


def test_a_led_wearer_who_has_come_along_need_not_wait_for_the_end_of_the_track() -> None:
    left = led_until(seconds=300)
    assert left is not None
    assert left[0] == pytest.approx(60, abs=5)
    assert left[1] == "came_along"


def test_lead_does_not_run_away_from_a_wearer_who_stays() -> None:
    chooser = settled(0.8, "lead", target="sleep")
    now_s = 120.0
    for _ in range(10):
        decision = chooser.choose(now_s, LIBRARY, "next")
        chooser.mark_played(decision.chosen, now_s)
        for _ in range(12):
            now_s += 10
            chooser.on_mood(feeling(now_s, 0.8))
    assert decision.aim.arousal == pytest.approx(0.8 - LEAD_LEASH, abs=0.05)


def test_contrast_mirrors_and_maintain_holds_against_drift() -> None:
    assert settled(0.6, "contrast").choose(120, LIBRARY, "next").aim.arousal == pytest.approx(-0.6, abs=0.02)
    keeper = settled(0.0, "maintain")
    assert keeper.choose(120, LIBRARY, "next").aim.arousal == pytest.approx(0, abs=0.02)
    for at_s in range(120, 320, 5):
        keeper.on_mood(feeling(at_s, 0.4))
    assert keeper.choose(320, LIBRARY, "next").aim.arousal == pytest.approx(-0.2, abs=0.02)


def test_manual_is_never_moved_by_the_wearer() -> None:
    chooser = settled(-0.8, "manual")
    current = play_any(chooser)
    assert wait_for_change(chooser, current, 0.9, 120, 500) is None
    chooser.set_target("energise")
    assert chooser.wants_change(501, LIBRARY[0], 3) == "aim_changed"
    assert chooser.choose(502, LIBRARY, "mood_change").chosen.mood.arousal > 0.4


def play_any(chooser: Chooser) -> Track:
    track = chooser.choose(120, LIBRARY, "first").chosen
    chooser.mark_played(track, 120)
    return track


def test_the_next_already_chosen_is_kept_when_it_still_fits() -> None:
    chooser = settled(0.0)
    first = chooser.choose(120, LIBRARY, "next").chosen
    kept = sum(
        chooser.choose(121 + i, LIBRARY, "next", next_already=first).chosen == first for i in range(30)
    )
    assert kept >= 20


@pytest.mark.parametrize("text", ["", "happy", "2,0", "0.1,nan", "1e5,0", "0.1", "a,b", "0,0,0", "../x" * 50])
def test_bad_targets_are_named(text: str) -> None:
    with pytest.raises(UnknownTargetError, match="target"):
        parse_target(text)


def test_targets_are_names_or_points() -> None:
    assert parse_target(" Sleep ").mood.arousal < -0.5
    assert parse_target("-0.25, .5").mood == Mood(-0.25, 0.5)
    with pytest.raises(UnknownPolicyError, match="match, lead"):
        Chooser().set_policy("random")


def test_hostile_titles_cannot_garble_the_sentence() -> None:
    track = make_track("x\n\u202eevil\x1b[2J", artist="a\x00b")
    why = settled(0.0).choose(120, (track,), "next").why
    assert why.isprintable()


@settings(max_examples=40, deadline=None)
@given(
    words=st.lists(
        st.tuples(
            st.floats(allow_nan=True, allow_infinity=True),
            st.one_of(st.none(), st.floats(allow_nan=True)),
            st.floats(allow_nan=True),
            st.sampled_from(["ok", "stale", "unreliable", "calibrating", "warming_up", "nonsense"]),
        ),
        max_size=30,
    ),
    policy=st.sampled_from(POLICIES),
)
def test_no_word_of_the_sensor_breaks_the_choice(
    words: list[tuple[float, float | None, float, str]], policy: str
) -> None:
    chooser = Chooser(PolicySettings(policy=policy), 1)  # type: ignore[arg-type]
    for at_s, arousal, confidence, status in words:
        chooser.on_mood(feeling(at_s, arousal, confidence=confidence, status=status))
    decision = chooser.choose(1000, LIBRARY, "next")
    assert decision.chosen in LIBRARY
    assert -1 <= decision.aim.arousal <= 1
    chooser.mark_played(decision.chosen, 1000)
    chooser.wants_change(1100, decision.chosen, 100)
