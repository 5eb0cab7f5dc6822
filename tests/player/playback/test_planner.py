from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.playback.transition import CEILING_DBTP, LIMITED_DB, gain_db, plan, usable_s
from support.sounds.track_making import make_track


def test_the_fade_ends_at_the_cue_out() -> None:
    current = make_track("a", duration_s=100, cue_out_s=95)
    following = make_track("b", cue_in_s=1.5)
    transition = plan(current, following, 10, 8)
    assert (transition.start_at_s, transition.fade_s) == (87, 8)
    assert transition.next_start_s == 1.5
    assert transition.curve == "equal_power"


def test_half_of_a_short_next_track_bounds_the_fade() -> None:
    short = make_track("b", duration_s=6)
    assert plan(make_track("a"), short, 0, 8).fade_s == 3


def test_what_remains_bounds_the_fade() -> None:
    transition = plan(make_track("a", duration_s=100), make_track("b"), 95, 8)
    assert (transition.start_at_s, transition.fade_s) == (95, 5)


@pytest.mark.parametrize(("position_s", "crossfade_s"), [(99.0, 8.0), (10.0, 1.4), (10.0, 0.0)])
def test_under_one_and_a_half_seconds_a_micro_fade(position_s: float, crossfade_s: float) -> None:
    transition = plan(make_track("a", duration_s=100), make_track("b"), position_s, crossfade_s)
    assert transition.fade_s == 0.25
    assert transition.start_at_s == 99.75


def test_a_natural_fade_out_is_not_faded_again() -> None:
    fading = make_track("a", duration_s=100, fades_out_s=5)
    transition = plan(fading, make_track("b"), 10, 8)
    assert transition.curve == "natural_out"
    assert (transition.start_at_s, transition.fade_s) == (95, 5)


def test_a_forced_change_starts_at_once_even_in_a_track_that_will_fade_by_itself() -> None:
    fading = make_track("a", duration_s=100, fades_out_s=5)
    early = plan(fading, make_track("b"), 40, 8, forced=True)
    assert (early.start_at_s, early.fade_s, early.curve) == (40, 8, "equal_power")
    late = plan(fading, make_track("b"), 97, 8, forced=True)
    assert (late.start_at_s, late.fade_s, late.curve) == (97, 3, "natural_out")


def test_radio_goes_on_until_someone_asks() -> None:
    radio = make_track("radio", duration_s=0, cue_out_s=0)
    assert math.isinf(plan(radio, make_track("b"), 500, 8).start_at_s)
    forced = plan(radio, make_track("b"), 500, 8, forced=True)
    assert (forced.start_at_s, forced.fade_s) == (500, 8)
    assert plan(make_track("b"), radio, 0, 8).fade_s == 8


@pytest.mark.parametrize(
    ("lufs", "peak", "expected"),
    [
        (-12.0, -0.5, -6.0),
        (-30.0, -20.0, 9.0),
        (-24.0, -4.0, 6.0),
        (None, None, -6.0),
        (-math.inf, None, -6.0),
    ],
)
def test_gain_reaches_the_target_under_both_caps(
    lufs: float | None, peak: float | None, expected: float
) -> None:
    assert gain_db(make_track("a", lufs=lufs, peak=peak)) == pytest.approx(expected)


@pytest.mark.parametrize("position_s", [-1.0, math.nan, math.inf])
def test_a_position_that_is_none_is_refused(position_s: float) -> None:
    with pytest.raises(ValueError, match="position_s"):
        plan(make_track("a"), make_track("b"), position_s, 8)


@given(
    duration_s=st.floats(1, 7200),
    cue=st.floats(0, 0.4),
    next_s=st.floats(1, 7200),
    share=st.floats(0, 1.2),
    crossfade_s=st.floats(0, 60),
    fades_out_s=st.floats(0, 30),
    forced=st.booleans(),
    lufs=st.floats(-60, 0),
    peak=st.floats(-40, 6),
)
def test_a_plan_never_asks_for_more_than_there_is(
    duration_s: float,
    cue: float,
    next_s: float,
    share: float,
    crossfade_s: float,
    fades_out_s: float,
    forced: bool,
    lufs: float,
    peak: float,
) -> None:
    current = make_track(
        "a", duration_s=duration_s, cue_in_s=cue * duration_s, fades_out_s=fades_out_s, lufs=lufs, peak=peak
    )
    following = make_track("b", duration_s=next_s)
    position_s = share * duration_s
    transition = plan(current, following, position_s, crossfade_s, forced)
    assert transition.start_at_s >= position_s
    assert 0 <= transition.fade_s <= max(crossfade_s, 0.25)
    assert transition.start_at_s + transition.fade_s <= max(current.cue_out_s, position_s) + 1e-6
    assert transition.fade_s <= max(usable_s(following) / 2, 0.25)
    assert peak + transition.current_gain_db <= CEILING_DBTP + LIMITED_DB + 1e-9


@pytest.mark.parametrize(
    ("opening_lufs", "gain"), [(None, 0.0), (-18.0, 0.0), (-21.0, 1.5), (-17.0, -0.5), (-40.0, 2.0)]
)
def test_a_quiet_opening_shares_its_distance_with_the_whole(opening_lufs: float | None, gain: float) -> None:
    track = replace(make_track("a", lufs=-18.0, peak=-6.0), opening_lufs=opening_lufs)
    assert gain_db(track) == pytest.approx(gain)
