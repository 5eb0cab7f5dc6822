"""How loud tracks are that nobody has measured yet: heard in the output, beside one that is measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from player.analysis.first_listen import first_loudness_lufs
from player.analysis.loudness import LoudnessMeter
from player.choice.chooser import PolicySettings
from player.deck import silence
from player.playback.transition import UNKNOWN_LOUDNESS_GAIN_DB, gain_db, unmeasured_gain_db
from support.sounds.playback_rig import Sound, high_noise, make_session, play, write_track
from support.sounds.track_making import make_track

MOST_JUMP_DB = 3.0


def lufs_of(sound: Sound) -> float:
    meter = LoudnessMeter()
    meter.push(np.ascontiguousarray(sound.T))
    found = meter.integrated_lufs()
    assert found is not None
    return found


def mastered(seconds: float, lufs: float, seed: int) -> Sound:
    """Noise of this loudness."""
    sound = high_noise(seconds, seed=seed)
    return (sound * 10 ** ((lufs - lufs_of(sound)) / 20)).astype(np.float32)


@pytest.mark.parametrize("lufs", [-9.0, -14.0, -20.0, -24.0])
@pytest.mark.parametrize("first", ["measured", "unmeasured"])
def test_no_fade_jumps_because_nobody_has_measured_one_side(tmp_path: Path, lufs: float, first: str) -> None:
    known = write_track(tmp_path, "known", mastered(40, -15.0, 1), lufs=-15.0, peak=-2.0)
    unknown = write_track(tmp_path, "unknown", mastered(40, lufs, 2), lufs=None, peak=None)
    order = [known, unknown] if first == "measured" else [unknown, known]
    session = make_session(order, crossfade_s=6.0, policy=PolicySettings(policy="manual"))
    session.engine.resume_at(order[0], 0.0, 0.0)
    sound = play(session, 60, 4096)
    session.close()
    before, after = sound[20 * 48_000 : 30 * 48_000], sound[45 * 48_000 : 58 * 48_000]
    assert abs(lufs_of(after) - lufs_of(before)) < MOST_JUMP_DB


def test_a_quiet_beginning_is_not_the_loudness_of_the_track() -> None:
    sound = np.concatenate([mastered(14, -36.0, 1), mastered(6, -12.0, 2)])
    found = first_loudness_lufs(sound)
    assert found is not None
    assert -18 < found < -12


@pytest.mark.parametrize("seconds", [0.0, 0.1, 5.0])
def test_nothing_to_hear_says_nothing(seconds: float) -> None:
    quiet = silence(round(seconds * 48_000))
    assert first_loudness_lufs(quiet) is None
    assert unmeasured_gain_db(make_track("t"), quiet, first_loudness_lufs) == UNKNOWN_LOUDNESS_GAIN_DB


def test_half_a_second_raises_nothing_but_may_lower() -> None:
    track = make_track("t", lufs=None, peak=None)
    soft, loud = mastered(0.6, -30.0, 1), mastered(0.6, -6.0, 2)
    assert unmeasured_gain_db(track, soft, first_loudness_lufs) == UNKNOWN_LOUDNESS_GAIN_DB
    assert unmeasured_gain_db(track, loud, first_loudness_lufs) == pytest.approx(-12, abs=1.0)
    assert gain_db(replace(track, loudness_lufs=-18.0, true_peak_dbtp=-6.0)) == 0.0
