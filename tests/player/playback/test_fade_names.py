"""While a fade runs, the state says which track goes and which comes, and why this one was chosen."""

from __future__ import annotations

from pathlib import Path

from support.sounds.playback_rig import make_session, tone, write_track


def test_the_track_that_goes_is_named_for_as_long_as_it_is_heard(tmp_path: Path) -> None:
    tracks = [write_track(tmp_path, name, tone(20, 300)) for name in ("one", "two")]
    session = make_session(tracks, crossfade_s=4.0)
    states = [session.engine.state() for _ in session.blocks(30.0, 4800)]
    fading = [state for state in states if state.fading is not None]
    assert fading
    first = states[len(states) // 4].track
    assert first is not None
    # one look may fall between the first sample of the fade and the tick that notices it
    told = [state for state in fading if state.track != first]
    assert len(told) >= len(fading) - 1
    for state in told:
        assert state.leaving == first
    assert all(state.leaving is None for state in states if state.fading is None)
    for state in states:
        if state.track is not None:
            assert state.decision is not None
            assert state.decision.chosen.id == state.track.id
