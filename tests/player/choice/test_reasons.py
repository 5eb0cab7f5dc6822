"""Every sentence is true of the decision it explains: derived from its numbers once more, by other code."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player.choice import targets
from player.choice.chooser import Chooser, PolicySettings
from player.choice.reason_words import ENGLISH
from player.choice.reasons import figures
from player.choice.scoring import distance_to
from player.choice.taste import Taste
from player.music import Decision, Mood, Track
from player.playback.lineup import noted
from support.sounds.track_making import feeling, ladder, make_track

NAMES = {"very calm": (-9, -0.6), "calm": (-0.6, -0.2), "balanced": (-0.2, 0.2), "engaged": (0.2, 0.6)}
NAMES["very engaged"] = (0.6, 9)
POLICIES = st.sampled_from(targets.POLICIES)
TARGETS = st.sampled_from([None, "relax", "sleep", "energise", "0.56,0.56", "0.00001,-0.3"])
STATES = st.tuples(
    st.sampled_from(["ok", "unreliable", "stale", "calibrating", "warming_up"]),
    st.one_of(st.none(), st.floats(-1, 1)),
    st.floats(0, 1),
    st.floats(0.5, 60),
)


def _mood_is(words: str, arousal: float) -> bool:
    low, high = NAMES[words.split(" and ")[0]]
    return low <= arousal < high


def check(
    decision: Decision, chooser: Chooser, now_s: float, last_status: str, tracks: tuple[Track, ...]
) -> None:
    """What a listener can check with the decision and the last state in hand."""
    why, reason, wearer = decision.why, decision.reason, chooser.wearer
    assert why.isprintable()
    assert why.endswith(".")
    assert not re.search(r"[+-]\d|%", why), "figures stand behind the sentence"
    numbers = " | ".join(figures(reason, decision.chosen.mood, ENGLISH.__getitem__))
    if (told := re.search(r"You seem ([a-z ]+);", why)) is not None:
        assert last_status == "ok"
        assert reason.mood is not None
        assert _mood_is(told[1], reason.mood.arousal)
        felt = re.search(r"You then: arousal ([+-]\d\.\d\d), (\d+) % sure", numbers)
        assert felt is not None
        assert float(felt[1]) == pytest.approx(reason.mood.arousal, abs=0.0051)
        assert wearer.situation(now_s) == "steering"
    if "The signal is not to be trusted" in why:
        assert last_status == "unreliable"
    if "undecided" in why:
        assert last_status == "ok"
        assert wearer.last is not None
        assert wearer.last.emotion == "unknown" or wearer.last.confidence == 0
    if "Nothing new is heard" in why:
        assert wearer.situation(now_s) == "frozen"
    if "Your mood is unknown" in why:
        assert wearer.mood(now_s) is None or decision.kind == "neutral"
    if (wanted := re.search(r"([a-z ]*(?:calm|balanced|engaging)) (?:and [a-z]+ )?music", why)) is not None:
        told_level = wanted[1].replace("engaging", "engaged")
        assert any(_mood_is(name, decision.aim.arousal) and told_level.endswith(name) for name in NAMES)
    if (aim := re.search(r"Music wanted: arousal ([+-]\d\.\d\d)", numbers)) is not None:
        assert float(aim[1]) == pytest.approx(decision.aim.arousal, abs=0.0051)
    assert "0.56" not in why
    scores = [candidate.score for candidate in decision.candidates]
    place = [candidate.track.id for candidate in decision.candidates].index(decision.chosen.id)
    if (fit := re.search(r"the best fit of (\d+)", why)) is not None:
        assert scores[place] == max(scores)
        assert int(fit[1]) == reason.weighed <= len(tracks)
    elif (rank := re.search(r"fit number (\d+), for variety, of (\d+)", why)) is not None:
        assert int(rank[1]) == place + 1 > 1
    else:
        assert len(decision.candidates) == 1


@settings(max_examples=60, deadline=None)
@given(
    policy=POLICIES,
    target=TARGETS,
    n_tracks=st.integers(2, 30),
    states=st.lists(STATES, min_size=1, max_size=6),
    seed=st.integers(0, 99),
    banned=st.sampled_from(["none", "some", "all"]),
)
def test_every_sentence_is_true_of_its_decision(
    policy: str, target: str | None, n_tracks: int, states: list[tuple[str, float | None, float, float]],
    seed: int, banned: str,
) -> None:  # fmt: skip
    tracks = ladder(n_tracks)
    chooser = Chooser(PolicySettings(policy=policy, target=target), seed)  # type: ignore[arg-type]
    out = {"none": 0, "some": n_tracks // 2, "all": n_tracks}[banned]
    chooser.set_taste(Taste(banned=frozenset(track.id for track in tracks[:out])))
    now_s, current = 0.0, tracks[seed % n_tracks]
    chooser.mark_played(current, now_s)
    for status, arousal, confidence, wait_s in states:
        chooser.on_mood(feeling(now_s, arousal, confidence=confidence, status=status))
        now_s += wait_s
        change = chooser.wants_change(now_s, current, 100.0)
        kind = "mood_change" if change else "next"
        decision = chooser.choose(now_s, tracks, kind, current)  # type: ignore[arg-type]
        check(decision, chooser, now_s, status, tracks)
        assert ("banned" in decision.why) == (banned == "all")
        if change:
            assert decision.why.startswith("Changed early")
            gained = distance_to(current, decision.aim) - distance_to(decision.chosen, decision.aim)
            assert gained >= chooser.settings.useful_gain - 1e-9
        chooser.mark_played(decision.chosen, now_s)
        current = decision.chosen


def test_the_draw_for_variety_never_leaves_a_track_early_for_one_that_fits_no_better() -> None:
    """A small library: among the best eight are tracks as far away as the one that sounds."""
    tracks = (*ladder(6), make_track("only", 0.75))
    for seed in range(40):
        chooser = Chooser(PolicySettings(temperature=5.0), seed)
        current = tracks[0]
        chooser.on_mood(feeling(0.0, 0.8))
        decision = chooser.choose(1.0, tracks, "mood_change", current)
        gain = distance_to(current, decision.aim) - distance_to(decision.chosen, decision.aim)
        assert gain >= chooser.settings.useful_gain


def test_an_undecided_reading_is_not_blamed_on_a_good_signal() -> None:
    chooser = Chooser()
    chooser.on_mood(feeling(0.0, -0.5))
    chooser.on_mood(feeling(1.0, None))
    why = chooser.choose(2.0, ladder(3), "next").why
    assert why.startswith("The reading is undecided just now; you last seemed calm; ")


@pytest.mark.parametrize("status", ["ok", "warming_up"])
def test_only_a_poor_signal_is_called_one(status: str) -> None:
    chooser = Chooser()
    chooser.on_mood(feeling(0.0, -0.5))
    chooser.on_mood(feeling(1.0, None, status=status))
    assert "signal" not in chooser.choose(2.0, ladder(3), "next").why
    chooser.on_mood(feeling(3.0, None, status="unreliable"))
    assert chooser.choose(4.0, ladder(3), "next").why.startswith("The signal is not to be trusted")


def test_a_point_is_not_read_out_as_a_name() -> None:
    chooser = Chooser(PolicySettings(policy="lead", target="0.56,0.56"))
    chooser.on_mood(feeling(0.0, -0.5))
    assert "the way to the point you chose asks for" in chooser.choose(1.0, ladder(3), "next").why


def test_a_note_leads_the_sentence_and_a_wish_keeps_its_own() -> None:
    chooser = Chooser()
    chooser.on_mood(feeling(0.0, -0.5))
    decision = chooser.choose(1.0, ladder(3), "next")
    assert noted(decision, "skipped").why == f"Skipped. {decision.why}"
    failed = chooser.choose(1.0, ladder(3), "recovery")
    assert failed.why.startswith("The track meant to be next could not be played. You seem calm")
    wish = replace(decision, reason=replace(decision.reason, note="wished"), why="You asked for it.")
    assert noted(wish, "skipped") == wish
    assert chooser.set_target(Mood(None, 0.2)) is None
