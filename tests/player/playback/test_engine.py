"""Playback on a clock of frames: what sounds, when it changes, and that it never stops."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from player.analysis.loudness import LoudnessMeter
from player.choice.chooser import PolicySettings
from player.choice.targets import UnknownTargetError, parse_target
from player.deck import MIX_RATE_HZ, Deck
from player.decks.av_deck import PullDeck
from player.music import Track
from player.playback.auto_dj import EngineSettings
from support.sounds.playback_rig import (
    above_4k_db,
    high_noise,
    level_db,
    longest_gap_s,
    make_session,
    open_plain,
    play,
    tone,
    windows_db,
    write_track,
)
from support.sounds.track_making import feeling


@pytest.fixture
def noises(tmp_path: Path) -> list[Track]:
    """Three tracks of 20 s that are equally loud, calm, balanced and lively."""
    return [
        write_track(tmp_path, f"n{i}", high_noise(20, seed=i), arousal=arousal)
        for i, arousal in enumerate((-0.8, 0.0, 0.8))
    ]


def test_the_next_track_fades_in_on_the_frame_that_was_planned(tmp_path: Path) -> None:
    quiet = write_track(tmp_path, "silent", np.zeros((10 * MIX_RATE_HZ, 2), np.float32), arousal=-0.7)
    marker = write_track(tmp_path, "marker", np.full((40 * MIX_RATE_HZ, 2), 0.25, np.float32), arousal=0.9)
    session = make_session([quiet, marker], crossfade_s=2.0)
    sound = play(session, 12)
    first = int(np.flatnonzero(np.abs(sound[:, 0]) > 0)[0])
    # the fade of 2 s begins at 8 s of the 10; its gain there is sin(0) = 0, so it is heard one frame later
    assert first == 8 * MIX_RATE_HZ + 1


def test_it_plays_on_and_on_without_a_gap_or_a_jump(noises: list[Track]) -> None:
    session = make_session(noises, crossfade_s=3.0)
    sound = play(session, 150)
    assert len(session.decisions) >= 8
    assert longest_gap_s(sound) == 0
    levels = windows_db(sound[MIX_RATE_HZ:])
    assert max(levels) - min(levels) < 1.0
    titles = [decision.chosen.title for decision in session.decisions]
    assert all(a != b for a, b in itertools.pairwise(titles))


def test_neighbours_are_equally_loud(tmp_path: Path) -> None:
    tracks = []
    for i, level in enumerate((-35.0, -12.0, -22.0)):
        sound = high_noise(20, seed=i, level_dbfs=level)
        meter = LoudnessMeter()
        meter.push(sound.T)
        tracks.append(
            write_track(
                tmp_path,
                f"l{i}",
                sound,
                arousal=0.1 * i,
                lufs=meter.integrated_lufs(),
                peak=meter.true_peak_dbtp(),
            )
        )
    # +9 dB is the most that a quiet track is raised: the quietest stays below
    loud = [track for track in tracks if track.loudness_lufs is not None and track.loudness_lufs > -27]
    session = make_session(loud, crossfade_s=2.0)
    sound = play(session, 75)
    measured = []
    for decision in session.decisions[1:4]:
        at = int((decision.at_s + 3) * MIX_RATE_HZ)
        meter = LoudnessMeter()
        meter.push(np.ascontiguousarray(sound[at : at + 12 * MIX_RATE_HZ].T))
        measured.append(meter.integrated_lufs())
    assert len(measured) == 3
    assert max(measured) - min(measured) < 1.0
    assert measured[0] == pytest.approx(-18, abs=1.0)


def test_same_seed_same_samples_and_another_seed_another_order(noises: list[Track]) -> None:
    settings = PolicySettings(temperature=0.5)
    first = play(make_session(noises, policy=settings, seed=1), 60)
    again = play(make_session(noises, policy=settings, seed=1), 60)
    other = [play(make_session(noises, policy=settings, seed=seed), 60) for seed in (2, 3, 4)]
    assert np.array_equal(first, again)
    assert any(not np.array_equal(first, one) for one in other)


def test_a_skip_is_heard_within_a_third_of_a_second(tmp_path: Path) -> None:
    low = write_track(tmp_path, "low", tone(60, 300), arousal=-0.7)
    high = write_track(tmp_path, "high", tone(60, 2500), arousal=0.9)
    session = make_session([low, high])
    play(session, 5)
    session.engine.skip()
    sound = play(session, 3)
    spectrum = [np.abs(np.fft.rfft(sound[at : at + 4800, 0])) for at in range(0, 48_000, 4800)]
    share = [float(one[250] / one[30]) for one in spectrum]
    audible = next(i for i, value in enumerate(share) if value > 0.1)
    assert audible * 0.1 <= 0.3
    assert session.decisions[-1].kind == "skip"
    assert session.decisions[-1].why.startswith("Skipped")
    assert session.engine.state().track == high
    assert above_4k_db(sound) < -80


def test_skipping_again_and_again_never_clicks_or_falls_silent(noises: list[Track]) -> None:
    session = make_session(noises)
    play(session, 3)
    sounds = []
    for _ in range(12):
        session.engine.skip()
        sounds.append(play(session, 0.2))
    sounds.append(play(session, 10))
    sound = np.concatenate(sounds)
    assert longest_gap_s(sound) == 0
    assert max(abs(level + 20) for level in windows_db(sound, 0.25)) < 1.5
    assert sum(decision.kind == "skip" for decision in session.decisions) >= 4


def test_a_skip_takes_back_a_change_that_is_only_planned(noises: list[Track]) -> None:
    session = make_session(noises, crossfade_s=4.0)
    play(session, 15.5)
    assert session.mixer.armed
    assert session.mixer.fading is None
    session.engine.skip()
    sound = play(session, 3)
    assert session.decisions[-1].kind == "skip"
    assert longest_gap_s(sound) == 0


def test_seeking_goes_there_without_a_click(tmp_path: Path) -> None:
    track = write_track(tmp_path, "long", tone(120, 440), arousal=0.0)
    other = write_track(tmp_path, "other", tone(120, 440), arousal=0.9)
    session = make_session([track, other])
    play(session, 5)
    playing = session.engine.state().track
    session.engine.seek(80.0)
    sound = play(session, 2)
    assert session.engine.state().track == playing
    assert 81 < session.engine.state().position_s < 83
    assert above_4k_db(sound) < -75
    session.engine.seek(1e9)
    play(session, 3)
    assert len(session.decisions) == 2


def test_pausing_keeps_the_place_and_the_plan(noises: list[Track]) -> None:
    session = make_session(noises)
    play(session, 5)
    session.engine.pause(None)
    play(session, 0.2)
    place = session.engine.state().position_s
    assert not play(session, 60)[-1000:].any()
    assert session.engine.state().paused
    assert session.engine.state().position_s == place
    session.engine.pause(False)
    sound = play(session, 15)
    assert level_db(sound[4800:9600]) == pytest.approx(-20, abs=1)
    assert longest_gap_s(sound) == 0
    assert len(session.decisions) == 2


def test_a_steady_change_of_mood_changes_the_music_after_the_dwell(tmp_path: Path) -> None:
    tracks = [
        write_track(tmp_path, f"m{i}", tone(150, 200 + 100 * i), arousal=arousal)
        for i, arousal in enumerate((-0.8, -0.7, 0.7, 0.8))
    ]
    session = make_session(tracks)
    changed_at = 62.0
    while session.rendered_s < 145:
        session.chooser.on_mood(feeling(session.rendered_s, -0.8 if session.rendered_s < changed_at else 0.8))
        play(session, 1.0)
    first, second = session.decisions[:2]
    assert first.chosen.mood.arousal < 0
    assert second.chosen.mood.arousal > 0
    assert second.kind == "mood_change"
    assert changed_at + 20 < second.at_s < changed_at + 75


def test_twenty_moods_a_second_change_nothing_and_never_move_the_level(tmp_path: Path) -> None:
    tracks = [
        write_track(tmp_path, f"f{i}", high_noise(70, seed=i), arousal=arousal)
        for i, arousal in enumerate((-0.8, -0.7, 0.7, 0.8))
    ]
    session = make_session(tracks)
    sounds = []
    for i in range(20 * 60):
        session.chooser.on_mood(feeling(session.rendered_s, 0.9 if i % 2 else -0.9))
        sounds.append(play(session, 0.05))
    assert [decision.kind for decision in session.decisions] == ["first"]
    levels = windows_db(np.concatenate(sounds)[MIX_RATE_HZ:])
    assert max(levels) - min(levels) < 1.0


def test_a_target_asked_for_changes_the_music_within_the_dwell(tmp_path: Path) -> None:
    tracks = [
        write_track(tmp_path, f"g{i}", tone(60, 200 + 100 * i), arousal=arousal)
        for i, arousal in enumerate((-0.8, 0.8))
    ]
    session = make_session(tracks, policy=PolicySettings(policy="manual"))
    play(session, 3)
    playing = session.engine.state().track
    assert playing is not None
    asked = "sleep" if playing.mood.arousal > 0 else "energise"
    session.chooser.set_target(asked)
    session.engine.choose_anew()
    sound = play(session, 20)
    assert session.engine.state().track != playing
    assert session.engine.state().target == parse_target(asked)
    assert session.decisions[-1].kind == "mood_change"
    assert longest_gap_s(sound) == 0
    with pytest.raises(UnknownTargetError):
        session.chooser.set_target("nowhere")


def test_an_empty_library_plays_the_filler_and_music_when_it_comes(noises: list[Track]) -> None:
    session = make_session([])
    sound = play(session, 10)
    assert level_db(sound[MIX_RATE_HZ:]) > -40
    assert any("filler" in reason for reason in session.engine.state().degraded)
    session.source.tracks = tuple(noises)
    sound = play(session, 10)
    assert session.engine.state().track in noises
    assert longest_gap_s(sound) == 0


def test_the_library_taking_its_track_away_keeps_what_sounds(noises: list[Track]) -> None:
    session = make_session(noises)
    play(session, 2)
    coming = session.engine.state().next_track
    assert coming is not None
    session.source.tracks = tuple(track for track in noises if track != coming)
    play(session, 1)
    assert session.engine.state().next_track not in (None, coming)


def test_one_track_alone_is_played_again(noises: list[Track]) -> None:
    session = make_session(noises[:1], crossfade_s=2.0)
    sound = play(session, 60)
    assert len(session.decisions) >= 3
    assert longest_gap_s(sound) == 0


def test_a_neutral_choice_follows_a_signal_that_stays_away(tmp_path: Path) -> None:
    tracks = [
        write_track(tmp_path, f"s{i}", tone(60, 200 + 100 * i), arousal=arousal)
        for i, arousal in enumerate((-0.8, 0.05, 0.8, 0.85))
    ]
    session = make_session(tracks)
    for _ in range(20):
        session.chooser.on_mood(feeling(session.rendered_s, 0.85))
        play(session, 1.0)
    play(session, 95)
    assert session.decisions[-1].kind == "neutral"
    assert abs(session.decisions[-1].chosen.mood.arousal) < 0.2


def test_settings_refuse_what_cannot_be() -> None:
    for bad in ({"crossfade_s": -1}, {"crossfade_s": math.nan}, {"volume": 2}, {"curve": "wavy"}):
        with pytest.raises(ValueError, match="must be"):
            EngineSettings(**bad)  # type: ignore[arg-type]


def test_at_the_end_every_deck_is_let_go_in_the_middle_of_a_fade_too(noises: list[Track]) -> None:
    opened: list[Deck] = []
    closed: list[Deck] = []

    class Noted(PullDeck):
        def open(self, location: str, start_s: float = 0.0) -> None:
            opened.append(self)
            super().open(location, start_s)

        def close(self) -> None:
            closed.append(self)
            super().close()

    session = make_session(noises, crossfade_s=4.0, make_deck=lambda _location: Noted(open_plain))
    play(session, 18)
    assert session.mixer.fading is not None
    session.engine.seek(3.0)
    play(session, 0.02)
    session.close()
    session.close()
    assert len(opened) >= 3
    assert set(closed) == set(opened)
