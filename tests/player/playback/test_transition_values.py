"""When one track gives way by value: usable lengths, gains and fades at their borders."""

from __future__ import annotations

import pytest

from player.playback.transition import gain_db, plan, usable_s
from support.sounds.track_making import make_track


def test_usable_is_what_lies_between_the_cues() -> None:
    assert usable_s(make_track("a", duration_s=180, cue_in_s=20, cue_out_s=100)) == 80
    assert usable_s(make_track("a", duration_s=180, cue_in_s=-5, cue_out_s=100)) == 100
    assert usable_s(make_track("a", duration_s=180, cue_in_s=20, cue_out_s=20)) == 160


@pytest.mark.parametrize(
    ("lufs", "peak", "gain"),
    [(-18.0, None, 0), (-26.0, None, 8), (-28.0, None, 9), (20.0, None, -30), (11.5, None, -29.5),
     (-24.0, -1.0, 3)],
)  # fmt: skip
def test_gains_end_at_plus_9_and_minus_30(lufs: float, peak: float | None, gain: float) -> None:
    assert gain_db(make_track("a", lufs=lufs, peak=peak)) == gain


@pytest.mark.parametrize(
    ("position_s", "forced", "curve"),
    [(0.0, False, "natural_out"), (169.9, True, "equal_power"), (170.0, True, "natural_out")],
)
def test_a_track_fades_by_itself_from_where_its_own_fade_begins(
    position_s: float, forced: bool, curve: str
) -> None:
    current = make_track("a", duration_s=180.0, fades_out_s=10.0)
    assert plan(current, make_track("b"), position_s, 8.0, forced).curve == curve
