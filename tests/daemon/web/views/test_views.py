"""Documents in, state of the page out: no browser, no broker, a clock in the hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.mqtt import codec, documents, topics
from daemon.safe_text import clock_time, shown
from daemon.web.charts.plane_chart import plane_series
from daemon.web.palette import LIGHT
from daemon.web.state.live_state import MAX_DECISIONS, TRAIL_POINTS, LiveState
from daemon.web.texts import Texts
from daemon.web.views.electrodes import place, places
from daemon.web.views.fit_view import fit_view, rest_view
from daemon.web.views.health_view import notices, simulated
from daemon.web.views.mood_view import mood_view
from daemon.web.views.music_view import music_view
from support.browser import talker as say
from support.browser.live_page import Hand


def hear(state: LiveState, *documents: documents.Document) -> None:
    for document in documents:
        state.on_message(say.NAMES[type(document)], codec.encode(document))


def test_nothing_heard_is_said_to_be_not_known(state: LiveState, words: Texts) -> None:
    mood = mood_view(state, words)
    assert (mood.known, mood.arousal, mood.valence) == (False, None, None)
    assert mood.headline == words("mood.unknown")


def test_a_settled_mood_without_valence_is_a_band(state: LiveState, words: Texts) -> None:
    hear(state, say.emotion(arousal=-0.4, confidence=0.8))
    mood = mood_view(state, words)
    assert mood.known
    assert mood.arousal == pytest.approx(-0.4)
    assert mood.valence is None
    assert mood.spread_valence == 1.0
    assert words("valence.unknown") in mood.detail
    assert mood.sureness == "80 % · sure"


@pytest.mark.parametrize("status", ["warming_up", "calibrating", "unreliable", "stale"])
def test_every_status_but_ok_claims_nothing(state: LiveState, words: Texts, status: str) -> None:
    hear(state, say.emotion(status="ok"), say.emotion(status=status, arousal=0.7, confidence=0.9))
    mood = mood_view(state, words)
    assert not mood.known
    assert mood.arousal is None
    assert mood.last is not None
    assert mood.last.arousal == pytest.approx(-0.4)


def test_a_silent_engine_is_not_believed_for_ever(state: LiveState, words: Texts, hand: Hand) -> None:
    hear(state, say.emotion())
    hand.at_s += 24
    assert mood_view(state, words).known
    hand.at_s += 2
    assert not mood_view(state, words).known
    assert any("26 s" in notice.text for notice in notices(state, words, 100)) is False
    state.online.update(engine=True, player=True)
    assert any(notice.level == "bad" for notice in notices(state, words, 100))


def test_an_engine_that_left_takes_its_claim_along(state: LiveState, words: Texts) -> None:
    hear(state, say.emotion())
    state.on_message(topics.ENGINE_AVAILABILITY, topics.OFFLINE)
    assert not mood_view(state, words).known


def test_the_area_follows_how_far_the_windows_scatter(state: LiveState, words: Texts) -> None:
    hear(state, say.emotion(arousal=0.0))
    for arousal in (0.02, -0.02) * 5:
        hear(state, say.estimate(arousal))
    narrow = mood_view(state, words).spread_arousal
    for arousal in (0.6, -0.6) * 20:
        hear(state, say.estimate(arousal))
    assert mood_view(state, words).spread_arousal > 5 * narrow


def test_the_rest_counts_down(state: LiveState, words: Texts) -> None:
    hear(state, say.session("calibrating", 15.0), say.emotion(status="calibrating", arousal=None))
    assert mood_view(state, words).rest_share == pytest.approx(1 / 3)
    rest = rest_view(state, words)
    assert (rest.phase, rest.left_s, rest.held) == ("resting", 30.0, False)
    assert "0:30" in rest.headline
    hear(state, say.emotion(status="unreliable", arousal=None))
    assert rest_view(state, words).held
    hear(state, say.session("running"))
    assert rest_view(state, words).phase == "done"


def test_what_the_broker_was_made_to_forget_is_forgotten_here_too(state: LiveState, words: Texts) -> None:
    hear(state, say.emotion(), say.player())
    state.on_message(topics.EMOTION, b"")
    state.on_message(topics.PLAYER_STATE, b"")
    assert not mood_view(state, words).known
    assert not music_view(state, words).present


def test_the_trail_is_bounded_and_thinned(state: LiveState, hand: Hand) -> None:
    for step in range(2000):
        hand.at_s += 0.5
        hear(state, say.emotion(arousal=(step % 100) / 100))
    assert len(state.trail) == TRAIL_POINTS
    gaps = [b.at_s - a.at_s for a, b in zip(state.trail, list(state.trail)[1:], strict=False)]
    assert min(gaps[:-1]) >= 1.5


def test_memories_are_bounded(state: LiveState) -> None:
    for number in range(500):
        hear(state, say.decision(number), say.estimate())
    assert len(state.decisions) == MAX_DECISIONS
    assert len(state.opinions) <= 200


@given(st.binary(max_size=400))
def test_malformed_messages_are_counted_and_change_nothing(payload: bytes) -> None:
    state = LiveState(lambda: 0.0)
    for name in (*documents.DOCUMENTS, topics.ENGINE_AVAILABILITY, "no/such/topic"):
        state.on_message(name, payload)
    assert all(state.newest(kind, name) is None for name, kind in documents.DOCUMENTS.items())


def test_the_position_runs_on_between_two_documents(state: LiveState, words: Texts, hand: Hand) -> None:
    hear(state, say.player(position_s=30.0))
    hand.at_s += 2
    assert music_view(state, words).position_s == pytest.approx(32.0)
    hear(state, say.player(position_s=30.0, paused=True))
    hand.at_s += 2
    assert music_view(state, words).position_s == pytest.approx(30.0)


def test_the_reason_is_that_of_the_track_that_sounds(state: LiveState, words: Texts) -> None:
    one, two = say.reason(rank=3), say.reason(rank=4)
    hear(state, say.decision(1, reason=one), say.decision(2, reason=two), say.player(chosen=None))
    assert "fit number 4" in music_view(state, words).more[0]
    # the player's own state says it to who came later, and knows better
    hear(state, say.player(chosen=say.chosen(reason=say.reason(rank=0))))
    music = music_view(state, words)
    assert music.why == "You seem calm; matching it asks for calm music."
    assert music.more[:2] == ("This track is the best fit of 8.", "You then: arousal -0.30, 80 % sure")
    # a reason of a newer player is told in its own words
    hear(state, say.player(chosen=say.chosen(reason=say.reason(note="by_the_moon"))))
    assert music_view(state, words).why == "You seem calm; this is the best fit of 8."


def test_one_scale_of_words_and_edges_for_people_music_and_reasons(state: LiveState, words: Texts) -> None:
    for arousal in (-0.61, -0.59, -0.21, -0.19, 0.0, 0.19, 0.21, 0.59, 0.61):
        reason = say.reason(arousal=arousal)
        hear(state, say.emotion(arousal=arousal), say.player(chosen=say.chosen(reason=reason)))
        said = mood_view(state, words).detail.split(" · ")[0]
        assert music_view(state, words).why.startswith(f"You seem {said}; ")


def test_during_a_fade_both_tracks_are_named(state: LiveState, words: Texts) -> None:
    hear(state, say.player(track=say.track(2), next=say.track(3), fading=0.4, leaving=say.track(1)))
    music = music_view(state, words)
    assert music.leaving is not None
    assert (music.leaving.title, music.track.title) == ("Piece number 1", "Piece number 2")  # type: ignore[union-attr]


def test_electrodes_are_graded_with_reason_and_advice(state: LiveState, words: Texts) -> None:
    hear(state, say.headset(), say.signal((1.0, 0.9, 0.6, 0.2)))
    fit = fit_view(state, words)
    assert [electrode.grade for electrode in fit.electrodes] == ["good", "good", "fair", "bad"]
    assert fit.electrodes[3].reason == words("reason.loose")
    assert fit.electrodes[3].advice == words("advice.loose")
    assert "TP10" in fit.headline


def test_an_old_signal_is_grey(state: LiveState, words: Texts, hand: Hand) -> None:
    hear(state, say.headset(), say.signal())
    hand.at_s += 6
    assert {electrode.grade for electrode in fit_view(state, words).electrodes} == {"unknown"}


def test_every_reason_of_the_engine_has_words_and_advice(words: Texts) -> None:
    from typing import get_args

    from inference.emotion import QualityReason

    for reason in get_args(QualityReason):
        assert words(f"reason.{reason}")
        assert words(f"advice.{reason}")


@pytest.mark.parametrize(
    ("left", "right"),
    [("AF7", "AF8"), ("TP9", "TP10"), ("C3", "C4"), ("T7", "T8"), ("O1", "O2"), ("Fp1", "Fp2"), ("P7", "P8")],
)
def test_left_and_right_mirror(left: str, right: str) -> None:
    one, other = place(left), place(right)
    assert one is not None
    assert other is not None
    assert one[0] < 0 < other[0]
    assert one == pytest.approx((-other[0], other[1]))


def test_places_keep_the_order_of_the_head() -> None:
    def at(name: str) -> tuple[float, float]:
        found = place(name)
        assert found is not None
        return found

    heights = [at(name)[1] for name in ("Fpz", "AFz", "Fz", "FCz", "Cz", "CPz", "Pz", "POz", "Oz")]
    assert heights == sorted(heights, reverse=True)
    assert at("T7")[0] < at("C5")[0] < at("C3")[0] < at("C1")[0] < at("Cz")[0]
    assert at("T3") == at("T7")
    assert all(x * x + y * y <= 1.01 for x, y in map(at, ("AF7", "TP9", "T7", "P7", "O1", "F7")))


def test_unknown_names_are_put_beneath() -> None:
    found = places(["AF7", "EXG1", "<b>"])
    assert [spot.placed for spot in found] == [True, False, False]
    assert all(spot.y < -1 for spot in found[1:])
    assert found[1].x != found[2].x


@given(st.text(max_size=300))
def test_shown_names_cannot_garble_a_line(text: str) -> None:
    import unicodedata

    found = shown(text)
    assert len(found) <= 160
    assert not any(unicodedata.category(letter) in ("Cc", "Cf", "Cs") for letter in found)
    assert "\n" not in found


def test_a_bidi_override_is_taken_out_and_markup_kept_as_text() -> None:
    assert shown("abc\u202egnp.exe") == "abcgnp.exe"
    assert shown("<script>alert(1)</script>") == "<script>alert(1)</script>"
    assert len(shown("x" * 10_000)) == 160


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (75.9, "1:15"), (3600, "1:00:00"), (-4, "0:00")])
def test_times(seconds: float, text: str) -> None:
    assert clock_time(seconds) == text


def test_what_is_wrong_is_told_the_worst_first(state: LiveState, words: Texts) -> None:
    state.online.update(engine=True, player=False)
    hear(state, say.headset("stale"), say.emotion())
    levels = [notice.level for notice in notices(state, words, 100)]
    assert levels == ["bad", "fair"]
    state.link_is(False)
    assert [notice.text for notice in notices(state, words, 100)] == [words("health.no_broker")]
    assert notices(state, words, 1.0) == ()


def test_simulated_is_known_from_any_document(state: LiveState) -> None:
    assert not simulated(state)
    hear(state, say.headset(simulated=False))
    assert not simulated(state)
    hear(state, say.emotion(simulated=True))
    assert simulated(state)


def test_the_plane_draws_what_is_known_and_nothing_else(state: LiveState, words: Texts) -> None:
    def series() -> dict[str, object]:
        mood, music = mood_view(state, words), music_view(state, words)
        return {one["id"]: one for one in plane_series(mood, music, state.clock(), {}, LIGHT, words)}

    unknown = series()
    assert unknown["you"]["data"] == []  # type: ignore[index]
    assert unknown["uncertainty"]["data"] == []  # type: ignore[index]
    assert unknown["veil"]["markArea"]["data"] != []  # type: ignore[index]
    hear(state, say.emotion(arousal=0.5), say.player(target_arousal=0.2, target_valence=0.1))
    band = series()
    assert band["you"]["data"] == [[0.0, 0.5]]  # type: ignore[index]
    assert band["you"]["markLine"]["data"] == [{"yAxis": 0.5}]  # type: ignore[index]
    assert band["uncertainty"]["data"][0][4] == 0  # type: ignore[index]
    assert band["target"]["data"] == [[0.1, 0.2]]  # type: ignore[index]
    hear(state, say.emotion(arousal=0.5, valence=-0.3))
    point = series()
    assert point["you"]["data"] == [[-0.3, 0.5]]  # type: ignore[index]
    assert point["you"]["markLine"]["data"] == []  # type: ignore[index]
    assert point["uncertainty"]["data"][0][4] == 1  # type: ignore[index]


def test_a_late_engine_is_told(state: LiveState, words: Texts) -> None:
    hear(state, say.headset(), say.session(notes=[documents.LATE_NOTE]))
    assert words("health.late") not in [notice.text for notice in notices(state, words, 100)]
    hear(state, say.session(late=True))
    assert words("health.late") in [notice.text for notice in notices(state, words, 100)]
