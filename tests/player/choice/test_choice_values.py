"""The choice of music by value: distances, score parts, targets, the wearer's mean, every border in time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from player.choice.chooser import Chooser, PolicySettings
from player.choice.policies import RULES, towards
from player.choice.reason_words import ENGLISH, mood_words
from player.choice.reasons import figures, sentence, track_name
from player.choice.scoring import ScoreWeights, TrackTable, distance_to, mood_distance, softmax_pick
from player.choice.targets import NAMED_TARGETS, UnknownTargetError, parse_target, point_target
from player.choice.taste import MAX_TRACKS, Taste, TasteError
from player.choice.wearer import WearerModel, WearerSettings
from player.music import Mood, PolicyName, Reason, Target, Track
from support.sounds.track_making import feeling, make_track

AT_ONCE = WearerSettings(tau_s=1e-3)
"""The mood is what was heard last: aims are exact."""


def test_named_targets_are_where_they_are() -> None:
    assert dict(NAMED_TARGETS) == {
        "relax": Mood(0.4, -0.6),
        "focus": Mood(0.2, 0.1),
        "energise": Mood(0.6, 0.7),
        "sleep": Mood(0.2, -0.9),
    }


def test_a_point_is_named_by_its_numbers_and_ends_at_one() -> None:
    assert point_target(Mood(None, 0.5)).name == "any,0.5"
    assert point_target(Mood(0.25, -1.0)) == Target("0.25,-1", Mood(0.25, -1.0))
    assert parse_target("1,-1").mood == Mood(1.0, -1.0)
    for mood in (Mood(1.0001, 0.0), Mood(0.0, -1.0001), Mood(math.nan, 0.0), Mood(None, math.inf)):
        with pytest.raises(UnknownTargetError, match=r"within -1\.\.1"):
            point_target(mood)


def test_distances() -> None:
    assert mood_distance(Mood(0.5, 0.2), Mood(0.1, 0.5)) == pytest.approx(0.5)
    assert mood_distance(Mood(None, 0.25), Mood(0.1, -0.5)) == 0.75
    assert mood_distance(Mood(0.1, 0.25), Mood(None, 0.5)) == 0.25
    assert mood_distance(Mood(0.5, 0.0), Mood(-0.5, 0.0), 0.25) == 0.5
    for source, expected in (
        ("sidecar", 1.0),
        ("tag", 1.0),
        ("folder", 1.0),
        ("composed", 1.0),
        ("given", 1.0),
    ):
        assert distance_to(make_track("a", 0.0, -0.5, source=source), Mood(0.5, 0.0)) == expected  # type: ignore[arg-type]
    assert distance_to(make_track("a", 0.0, -0.5, source="analysis"), Mood(0.5, 0.0)) == math.sqrt(0.5)


def test_the_table_measures_as_one_track_does() -> None:
    tracks = [
        make_track("a", 0.5, 0.5),
        make_track("b", 0.25, None),
        make_track("c", -1.0, -0.5, source="analysis"),
    ]
    aim = Mood(-0.25, 0.125)
    table = TrackTable(tracks)
    assert table.distances(aim) == pytest.approx([distance_to(track, aim) for track in tracks])
    assert table.distances(Mood(None, 0.5)).tolist() == [0.0, 0.25, 1.5]


def _parts(tracks: Sequence[Track], **asked: object) -> dict[str, list[float]]:
    wanted = {"aim": None, "recent_artists": [], "chosen": None} | asked
    parts = TrackTable(tracks).parts(**wanted, weights=ScoreWeights())  # type: ignore[arg-type]
    return {name: values.tolist() for name, values in parts.items()}


def test_each_part_of_a_score() -> None:
    assert _parts([make_track("a", 0.5)], aim=Mood(None, -0.25))["mood"] == [-0.75]
    assert _parts([make_track("a", 0.5)])["mood"] == [0]
    sure = replace(make_track("a"), mood_confidence=0.25)
    assert _parts([sure])["confidence"] == pytest.approx([-0.075])
    tracks = [
        make_track("a", artist=" Björk"),
        make_track("b", artist="bjÖrk "),
        make_track("c"),
        make_track("d"),
    ]
    assert _parts(tracks, recent_artists=["BJÖRK", "", "nobody"])["artist"] == [-0.3, -0.3, 0, 0]
    assert _parts(tracks, chosen=tracks[2])["already_next"] == [0, 0, 0.12, 0]
    assert _parts(tracks, chosen=make_track("gone"))["already_next"] == [0, 0, 0, 0]
    short = [
        make_track("a", duration_s=29.9),
        make_track("b", duration_s=30.0),
        make_track("c", duration_s=90.0, cue_in_s=40.0, cue_out_s=69.0),
        make_track("d", duration_s=0.0),
    ]
    assert _parts(short)["short"] == [-1, 0, -1, 0]


def test_a_draw_is_by_the_exponential_of_score_over_temperature() -> None:
    rng = np.random.default_rng(1)
    scores = np.array([0.5, 0.5 - 0.06, 0.5 - 0.6])
    drawn = [softmax_pick(scores, 0.06, rng) for _ in range(4000)]
    assert drawn.count(0) / 4000 == pytest.approx(1 / (1 + math.exp(-1)), abs=0.02)
    assert drawn.count(2) < 5


def test_towards_goes_straight_and_stops_at_the_goal() -> None:
    assert towards(Mood(0.0, 0.0), Mood(0.6, 0.8), 0.5) == Mood(pytest.approx(0.3), pytest.approx(0.4))  # type: ignore[arg-type]
    assert towards(Mood(0.0, 0.0), Mood(0.3, 0.4), 0.5) == Mood(0.3, 0.4)
    assert towards(Mood(0.25, 0.0), Mood(None, 1.0), 0.25) == Mood(0.25, 0.25)
    assert towards(Mood(None, 0.0), Mood(0.5, -1.0), 0.25) == Mood(0.5, -0.25)


def test_aims_by_value() -> None:
    mood = Mood(0.5, -0.25)
    for name, aim in (("match", mood), ("contrast", Mood(-0.5, 0.25)), ("manual", None), ("maintain", mood)):
        assert RULES[name](None).aim(mood, advance=True) == aim  # type: ignore[index]
    assert RULES["contrast"](None).aim(Mood(None, 1.0), advance=True) == Mood(None, -1.0)
    for name in ("match", "lead", "contrast", "maintain"):
        assert RULES[name](None).aim(None, advance=True) == Mood(None, 0.0)  # type: ignore[index]
    keeper = RULES["maintain"](parse_target("0.5,-0.5"))
    assert keeper.aim(Mood(0.25, 0.0), advance=True) == Mood(0.625, -0.75)
    assert keeper.aim(Mood(-1.0, 1.0), advance=True) == Mood(1.0, -1.0)
    assert keeper.aim(Mood(None, 0.5), advance=True) == Mood(0.5, -1.0)
    keeper.set_target(parse_target("0,0"))
    assert keeper.aim(Mood(0.5, 0.5), advance=True) == Mood(-0.25, -0.25)
    first = RULES["maintain"](None)
    assert first.aim(Mood(None, 0.25), advance=True) == Mood(None, 0.25)
    assert first.aim(Mood(0.5, 0.75), advance=True) == Mood(None, 0.0)


def test_a_lead_goes_half_an_axis_a_track_and_a_whole_ahead_at_most() -> None:
    lead = RULES["lead"](parse_target("0,-1"))
    mood = Mood(0.0, 1.0)
    assert lead.aim(mood, advance=True) == mood, "it meets the wearer first"
    assert not lead.has_met(mood, 0.2)
    lead.begin_track(mood)
    assert lead.aim(mood, advance=True) == Mood(0.0, 0.5)
    assert lead.aim(mood, advance=False) == mood
    assert lead.aim(None, advance=True) == mood
    lead.begin_track(Mood(0.0, 0.0))
    assert lead.aim(mood, advance=True) == Mood(0.0, 0.0), "no more than one ahead of one who stays"
    assert not lead.has_met(Mood(0.0, 0.25), 0.2)
    assert lead.has_met(Mood(0.0, 0.25), 0.25)
    assert lead.has_met(Mood(0.0, -0.5), 0.2), "further than the music"
    assert lead.aim(Mood(0.0, -0.25), advance=True) == Mood(0.0, -0.5)
    lead.begin_track(Mood(0.0, -1.0))
    assert not lead.has_met(Mood(0.0, -1.0), 0.2), "there is nothing further"
    assert RULES["lead"](None).aim(None, advance=True) == Mood(None, 0.0)
    unaimed = RULES["lead"](None)
    unaimed.begin_track(Mood(0.4, -0.4))
    assert unaimed.aim(Mood(0.4, -0.4), advance=True) == NAMED_TARGETS["relax"]


def test_the_mean_glides_with_confidence_over_twenty_seconds() -> None:
    model = WearerModel()
    model.on_mood(feeling(0, 0.0, 0.5))
    model.on_mood(feeling(0, 1.0, -0.5))
    kept = math.exp(-10 / 20)
    assert model.mood(10) == Mood(pytest.approx(-0.5 + kept), pytest.approx(1 - kept))  # type: ignore[arg-type]
    kept = math.exp(-15 / 20)  # no further than one silence
    assert model.mood(40) == Mood(pytest.approx(-0.5 + kept), pytest.approx(1 - kept))  # type: ignore[arg-type]
    half = WearerModel()
    half.on_mood(feeling(0, 0.0))
    half.on_mood(feeling(0, 1.0, 0.25, confidence=0.5))
    assert half.mood(10) == Mood(0.25, pytest.approx(1 - math.exp(-5 / 20)))  # type: ignore[arg-type]
    loud = WearerModel()
    loud.on_mood(feeling(0, 5.0, -5.0))
    assert loud.mood(0) == Mood(-1.0, 1.0)


def test_when_a_wearer_is_stale_and_when_unknown() -> None:
    model = WearerModel()
    assert [model.situation(at_s) for at_s in (5, 34.9, 35)] == ["unheard", "unheard", "neutral"]
    model.on_mood(feeling(100, 0.5))
    assert [model.situation(at_s) for at_s in (115, 115.1, 144.9, 145)] == [
        "steering", "frozen", "frozen", "neutral",
    ]  # fmt: skip
    assert [model.code(at_s) for at_s in (115, 116, 145)] == ["known", "stale", "unknown"]
    model.on_mood(feeling(99, -0.5))
    assert model.last == feeling(100, 0.5), "what is older is not heard"
    model.on_mood(feeling(math.nan, -0.5))
    assert model.last == feeling(100, 0.5)
    model.on_mood(feeling(110, 0.5, status="stale"))
    model.on_mood(feeling(120, 0.5, status="stale"))
    assert [model.situation(at_s) for at_s in (139.9, 140)] == ["frozen", "neutral"]
    model.on_mood(feeling(150, -1.0))
    assert model.mood(150) == Mood(None, -1.0), "after so long it is taken anew"
    for status, code in (("unreliable", "unreliable"), ("calibrating", "calibrating"), ("ok", "undecided")):
        model.on_mood(feeling(151, None, status=status))
        assert model.code(151) == code


@pytest.mark.parametrize("field", ["tau_s", "silence_is_stale_s", "stale_to_neutral_s"])
def test_times_are_above_zero(field: str) -> None:
    assert WearerSettings(**{field: 1e-9})
    for value in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match=field):
            WearerSettings(**{field: value})


def test_the_settings_of_a_policy_have_borders() -> None:
    assert PolicySettings(settle_distance=0.0, temperature=10.0)
    assert PolicySettings(settle_distance=0.35, change_distance=0.35)
    for wrong in (
        {"settle_distance": -0.01},
        {"settle_distance": 0.36},
        {"temperature": 0.0},
        {"temperature": 10.1},
    ):
        with pytest.raises(ValueError, match="must be"):
            PolicySettings(**wrong)  # type: ignore[arg-type]


def _chooser(policy: PolicyName = "match", target: str | None = None, **changes: float) -> Chooser:
    settings = PolicySettings(policy=policy, target=target, wearer=AT_ONCE, **changes)  # type: ignore[arg-type]
    return Chooser(settings, 1)


def _feel(chooser: Chooser, arousal: float, at_s: float) -> None:
    chooser.on_mood(feeling(at_s - 1, arousal))
    chooser.on_mood(feeling(at_s, arousal))


NOW, NEAR, FAR = make_track("now", 0.0), make_track("near", 0.5), make_track("far", -1.0)


def _playing(chooser: Chooser, *others: Track) -> None:
    """``NOW`` sounds since 100 s, in a library of it and others, for a wearer who felt 0 then."""
    _feel(chooser, 0.0, 98)
    chooser.choose(99, (NOW, *others), "next")
    chooser.mark_played(NOW, 100)


@pytest.mark.parametrize(
    ("other", "change"), [(0.375, "aim_changed"), (0.359375, None), (0.625, "aim_changed"), (0.640625, None)]
)
def test_a_wish_leaves_the_track_for_one_nearer_by_an_eighth(other: float, change: str | None) -> None:
    """The target is 0.5, the track at 0.25: another must lie within 0.125 of the target."""
    chooser = _chooser("manual", useful_gain=0.125)
    now = make_track("now", 0.25)
    chooser.choose(99, (now, make_track("other", other)), "next")
    chooser.mark_played(now, 100)
    chooser.set_target(Mood(None, 0.5))
    assert chooser.wants_change(101, now, 1.0) == change
    assert chooser.wants_change(102, now, 2.0) is None, "a wish is weighed once"


def test_with_no_other_track_there_is_nothing_to_change_to() -> None:
    chooser = _chooser("manual")
    _playing(chooser)
    chooser.set_target("energise")
    assert chooser.wants_change(101, NOW, 1.0) is None


def _moved(
    chooser: Chooser, arousal: float, from_s: float, to_s: float, played_s: float = 500.0
) -> list[str | None]:
    """What is wanted at the first and the last moment of a mood that holds."""
    wanted = []
    for at_s in (from_s, to_s):
        _feel(chooser, arousal, at_s)
        wanted.append(chooser.wants_change(at_s, NOW, played_s))
    return wanted


@pytest.mark.parametrize(("held_s", "change"), [(19.9, None), (20.0, "mood_moved")])
def test_a_mood_must_hold_for_twenty_seconds(held_s: float, change: str | None) -> None:
    chooser = _chooser()
    _playing(chooser, NEAR)
    assert _moved(chooser, 0.5, 200, 200 + held_s) == [None, change]


@pytest.mark.parametrize(("arousal", "change"), [(0.35, None), (0.36, "mood_moved"), (-0.36, None)])
def test_a_mood_must_be_further_than_0_35(arousal: float, change: str | None) -> None:
    chooser = _chooser()
    _playing(chooser, NEAR)
    assert _moved(chooser, arousal, 200, 230) == [None, change]


@pytest.mark.parametrize(("back", "change"), [(0.2, "mood_moved"), (0.19, None)])
def test_a_mood_that_comes_back_within_0_2_begins_anew(back: float, change: str | None) -> None:
    chooser = _chooser()
    _playing(chooser, NEAR)
    assert _moved(chooser, 0.5, 200, 210) == [None, None]
    assert _moved(chooser, back, 212, 214) == [None, None]
    assert _moved(chooser, 0.5, 216, 222) == [None, change]


@pytest.mark.parametrize(("played_s", "change"), [(59.9, None), (60.0, "mood_moved")])
def test_a_track_must_have_played_for_a_minute(played_s: float, change: str | None) -> None:
    chooser = _chooser()
    _playing(chooser, NEAR)
    assert _moved(chooser, 0.5, 200, 230, played_s) == [None, change]


@pytest.mark.parametrize(("since_s", "change"), [(89.9, None), (90.0, "mood_moved")])
def test_ninety_seconds_lie_between_two_changes(since_s: float, change: str | None) -> None:
    chooser = _chooser()
    chooser.choose(1000, (NOW, NEAR), "mood_change")
    chooser.mark_played(NOW, 1000)
    assert _moved(chooser, 0.5, 1010, 1000 + since_s)[-1] == change


def test_an_untrusted_moment_begins_the_wait_anew() -> None:
    chooser = _chooser()
    _playing(chooser, NEAR)
    _moved(chooser, 0.5, 200, 210)
    chooser.on_mood(feeling(212, 0.5, status="unreliable"))
    assert chooser.wants_change(213, NOW, 500) is None
    assert _moved(chooser, 0.5, 214, 233) == [None, None]
    assert _moved(chooser, 0.5, 233.5, 234) == [None, "mood_moved"]


def test_a_led_wearer_is_only_led_where_a_track_is_nearer() -> None:
    for other, change in ((0.5, "came_along"), (0.95, None)):
        now = make_track("now", 0.75)
        chooser = _chooser("lead", "0,-1")
        library = (now, make_track("other", other))
        _feel(chooser, 0.75, 99)
        chooser.choose(99, (now,), "first")
        chooser.mark_played(now, 100)
        wanted = []
        for at_s in (200.0, 219.9, 220.0):
            _feel(chooser, 0.75, at_s)
            chooser.choose(at_s, library, "next", now)
            wanted.append(chooser.wants_change(at_s, now, 500))
        assert wanted == [None, None, change]


def test_a_forced_change_takes_only_what_is_worth_it() -> None:
    chooser = _chooser(useful_gain=0.25, temperature=10.0)
    library = (NOW, make_track("a", 0.25), make_track("b", 0.24), make_track("c", 0.5))
    _feel(chooser, 0.5, 100)
    assert {one.track.id for one in chooser.choose(100, library, "mood_change", NOW).candidates} == {"a", "c"}
    poor = (NOW, make_track("b", 0.24), make_track("d", 0.1))
    assert {one.track.id for one in chooser.choose(100, poor, "mood_change", NOW).candidates} == {"b", "d"}


def test_of_n_tracks_half_are_spared_and_twenty_at_most() -> None:
    tracks = tuple(make_track(f"t{i}") for i in range(7))
    chooser = _chooser()
    for at_s, track in enumerate(tracks[:4]):
        chooser.choose(at_s, tracks, "next")
        chooser.mark_played(track, at_s)
    weighed = chooser.choose(9, tracks, "next").reason.weighed
    assert weighed == 4, "three of seven are spared"
    chooser.set_taste(Taste(liked=frozenset({"t6"})))
    liked = {one.track.id: one.parts["liked"] for one in chooser.choose(9, tracks, "next").candidates}
    assert liked == {"t0": 0.0, "t4": 0.0, "t5": 0.0, "t6": 0.1}


def test_what_a_decision_says_of_itself() -> None:
    chooser = _chooser()
    _feel(chooser, 0.5, 100)
    decision = chooser.choose(101, (NOW, NEAR, FAR), "next", NOW)
    assert decision.reason.weighed == 2
    assert (decision.reason.note, decision.reason.wearer, decision.reason.all_banned) == (
        "none",
        "known",
        False,
    )
    assert decision.reason.confidence == 1.0
    assert chooser.choose(101, (NOW, NEAR), "recovery").reason.note == "next_failed"
    assert chooser.choose(101, (NOW, NEAR), "neutral").reason.mood is None
    chooser.set_taste(Taste(banned=frozenset({"now"})))
    assert chooser.choose(102, (NOW,), "next").reason.all_banned


@pytest.mark.parametrize(
    ("arousal", "valence", "words"),
    [
        (-0.61, None, "very calm"), (-0.6, None, "calm"), (-0.21, None, "calm"), (-0.2, None, "balanced"),
        (0.19, None, "balanced"), (0.2, None, "engaged"), (0.59, None, "engaged"),
        (0.6, None, "very engaged"),
        (0.0, 0.29, "balanced"), (0.0, 0.3, "balanced and pleasant"), (0.0, -0.3, "balanced and unpleasant"),
        (0.0, -0.29, "balanced"),
    ],
)  # fmt: skip
def test_words_of_a_mood(arousal: float, valence: float | None, words: str) -> None:
    assert mood_words(Mood(valence, arousal)) == words


def test_sentences_by_value() -> None:
    reason = Reason(
        note="none", wearer="known", mood=Mood(None, 0.5), confidence=0.75, policy="match", target=None,
        aim=Mood(None, 0.5), weighed=3, rank=0, all_banned=False,
    )  # fmt: skip
    assert sentence(NEAR, reason) == (
        "You seem engaged; matching it asks for engaging music. “near” is the best fit of 3."
    )
    second = sentence(NEAR, replace(reason, note="mood_moved", rank=1, weighed=2, all_banned=True))
    assert second.startswith("Changed early, for your mood has moved. You seem engaged")
    assert second.endswith(
        "“near” is fit number 2, for variety, of 2. All tracks are banned, but nothing else can be played."
    )
    assert sentence(NEAR, replace(reason, weighed=1)).endswith("is the only track free to play.")
    by_hand = replace(reason, policy="manual", target=parse_target("relax"), aim=Mood(0.4, -0.6))
    assert sentence(NEAR, by_hand).startswith("You asked for relax, which is calm and pleasant music.")
    assert sentence(NEAR, replace(by_hand, aim=None)).startswith("You choose by hand, so any track may come.")
    point = replace(reason, policy="maintain", target=point_target(Mood(0.0, 0.0)), aim=Mood(0.0, 0.0))
    assert "to keep you at the point you chose balanced music" in sentence(NEAR, point)
    assert "to keep you there balanced music" in sentence(NEAR, replace(point, target=None))
    assert sentence(NEAR, replace(reason, confidence=None)).startswith("You seem engaged; matching")
    for wearer, begin in (
        ("calibrating", "Your baseline is being taken, so engaging music plays meanwhile."),
        ("unheard", "Nothing has been heard of you yet, so it begins with engaging music."),
        ("stale", "Nothing new is heard of you just now; you last seemed engaged; matching"),
    ):
        assert sentence(NEAR, replace(reason, wearer=wearer)).startswith(begin)  # type: ignore[arg-type]
    assert sentence(NEAR, replace(reason, mood=None)).startswith(
        "Your mood is unknown, so engaging music plays."
    )


def test_the_figures_behind_a_sentence() -> None:
    reason = Reason(
        note="none", wearer="known", mood=Mood(None, 0.5), confidence=0.754, policy="match", target=None,
        aim=Mood(0.25, 0.5), weighed=3, rank=0, all_banned=False,
    )  # fmt: skip
    words = ENGLISH.__getitem__
    assert figures(reason, Mood(-0.125, -1), words) == (
        "You then: arousal +0.50, 75 % sure",
        "Music wanted: arousal +0.50, valence +0.25",
        "This track: arousal -1.00, valence -0.12",
    )
    unsure = replace(reason, wearer="undecided", aim=Mood(None, 0.5))
    assert figures(unsure, None, words) == ("You then: arousal +0.50", "Music wanted: arousal +0.50")
    assert figures(replace(reason, policy="manual", aim=None), None, words) == ()
    assert figures(replace(reason, note="wished"), Mood(None, 0.0), words) == ()


def test_the_name_of_a_track() -> None:
    assert track_name(make_track("x" * 200)) == f"“{'x' * 120}”"
    assert track_name(make_track("a", artist="b")) == "“a” by b"
    assert track_name(make_track("\n")) == "“untitled”"


def test_a_taste_ends_at_five_thousand() -> None:
    full = Taste(liked=frozenset(f"t{i}" for i in range(MAX_TRACKS - 1)))
    whole = full.like("last", liked=True)
    assert len(whole.liked) == MAX_TRACKS == 5000
    with pytest.raises(TasteError, match="at most 5000"):
        whole.like("one more", liked=True)
    assert whole.ban("last", banned=True) == Taste(full.liked, frozenset({"last"}))
    assert whole.like("last", liked=False) == full
    assert Taste(banned=frozenset({"a"})).like("a", liked=True) == Taste(frozenset({"a"}))
    assert Taste(banned=frozenset({"a"})).ban("a", banned=False) == Taste()
