"""Cues over the music, measured in what was rendered: how far the music goes down, how smoothly, and back."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from player.deck import MIX_RATE_HZ
from player.mixing import announcements
from player.mixing.announcements import (
    ANNOUNCEMENTS,
    CHIME_DUCK_DB,
    VOICE_DUCK_DB,
    AnnouncementError,
    AnnouncementName,
    announcement_sound,
    chime,
)
from player.music import AnnouncementKind
from player.outputs.wav_sink import WavSink
from support.sounds.playback_rig import Sound, level_db, make_session, play, tone, write_track
from support.waiting import PATIENCE_S

PILOT_HZ = 15_000.0
"""The music of these tests: a tone above all that bells and voices hold."""
STEP = MIX_RATE_HZ // 100


def envelope_db(sound: Sound) -> np.ndarray:
    """Level of the pilot tone each 10 ms, everything else filtered away."""
    at = np.arange(len(sound))
    shifted = sound[:, 0].astype(np.float64) * np.exp(-2j * np.pi * PILOT_HZ / MIX_RATE_HZ * at)
    means = shifted[: len(shifted) // STEP * STEP].reshape(-1, STEP).mean(axis=1)
    return 20 * np.log10(2 * np.abs(means) + 1e-9)


def above_db(sound: Sound, hertz: float) -> float:
    """The loudest 20 ms of what lies above a frequency: where a click would show."""
    spectrum = np.fft.rfft(sound[:, 0].astype(np.float64))
    spectrum[np.fft.rfftfreq(len(sound), 1 / MIX_RATE_HZ) < hertz] = 0
    high = np.fft.irfft(spectrum, len(sound))
    return max(level_db(high[at : at + 2 * STEP]) for at in range(STEP, len(high) - 3 * STEP, 2 * STEP))


def rendered(tmp_path: Path, cue: AnnouncementName, kind: AnnouncementKind, volume: float = 1.0) -> Sound:
    """Seven seconds of the pilot tone with a cue from the second one on, by way of a WAV file."""
    track = write_track(tmp_path, "pilot", tone(30, PILOT_HZ, 0.1))
    session = make_session([track])
    session.engine.set_volume(volume)
    path = tmp_path / "out.wav"
    sink = WavSink(path)
    sink.open()
    sink.write(play(session, 1.0))
    assert session.engine.speak(announcement_sound(cue, kind))
    assert not session.engine.speak(announcement_sound(cue, kind))
    sink.write(play(session, 6.0))
    sink.close()
    session.close()
    sound, _rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    return np.asarray(sound)


def check_ducking(sound: Sound, duck_db: float) -> None:
    level = envelope_db(sound)
    before = float(np.median(level[60:95]))
    lowest = float(np.median(np.sort(level[100:500])[:100]))
    assert lowest - before == pytest.approx(-duck_db, abs=0.3)
    assert float(np.median(level[-60:-10])) == pytest.approx(before, abs=0.1)
    steps = np.diff(level[50:-10])
    assert np.abs(steps).max() < 1.3, "smooth: no step that is heard by itself"
    going_down = level[102:128]
    assert (np.diff(going_down) < 0.2).all()


@pytest.mark.parametrize("cue", ANNOUNCEMENTS)
def test_a_chime_lowers_the_music_by_three_decibels(tmp_path: Path, cue: AnnouncementName) -> None:
    sound = rendered(tmp_path, cue, "chime")
    check_ducking(sound, CHIME_DUCK_DB)
    assert above_db(sound[MIX_RATE_HZ // 2 :], 18_000) < -85
    bells = sound[MIX_RATE_HZ:, 0] - sound[MIX_RATE_HZ:, 0].mean()
    spectrum = np.abs(np.fft.rfft(bells))
    low = spectrum[: int(2000 * len(bells) / MIX_RATE_HZ)]
    assert 20 * np.log10(low.max() / spectrum.max()) > -30, "the bells are heard"


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_a_voice_lowers_the_music_by_fourteen_decibels_and_gives_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcements, "ESPEAK_TIMEOUT_S", PATIENCE_S)
    sound = rendered(tmp_path, "rest_end", "voice")
    check_ducking(sound, VOICE_DUCK_DB)
    assert above_db(sound[MIX_RATE_HZ // 2 :], 18_000) < -85
    spoken = announcement_sound("rest_end", "voice").pcm
    assert 1.0 < len(spoken) / MIX_RATE_HZ < 6.0
    assert not np.array_equal(spoken, chime("rest_end"))


def test_the_music_never_moves_more_than_three_decibels_under_a_chime(tmp_path: Path) -> None:
    sound = rendered(tmp_path, "headset_lost", "chime")
    levels = [level_db(sound[at : at + 19_200]) for at in range(24_000, len(sound) - 19_200, 4800)]
    assert np.abs(np.array(levels) - levels[0]).max() <= 3.1


def test_cues_follow_the_volume(tmp_path: Path) -> None:
    loud = rendered(tmp_path, "rest_begin", "chime")
    soft = rendered(tmp_path, "rest_begin", "chime", volume=0.1)
    assert level_db(soft[2 * MIX_RATE_HZ :]) - level_db(loud[2 * MIX_RATE_HZ :]) == pytest.approx(
        -20, abs=0.5
    )


def test_nothing_is_said_into_a_pause(tmp_path: Path) -> None:
    session = make_session([write_track(tmp_path, "pilot", tone(30, PILOT_HZ, 0.1))])
    play(session, 0.5)
    session.engine.pause(True)
    play(session, 0.5)
    assert not session.engine.speak(announcement_sound("rest_end", "chime"))
    assert np.abs(play(session, 0.5)).max() == 0
    session.close()


@pytest.mark.parametrize("program", [None, "/bin/false", "/bin/true", "/bin/cat"])
def test_where_nobody_speaks_chimes_are_heard(monkeypatch: pytest.MonkeyPatch, program: str | None) -> None:
    monkeypatch.setattr(announcements.shutil, "which", lambda _name: program)
    announcements._spoken.cache_clear()
    sound = announcement_sound("rest_begin", "voice")
    announcements._spoken.cache_clear()
    assert np.array_equal(sound.pcm, chime("rest_begin"))
    assert sound.duck_db == CHIME_DUCK_DB


def test_a_voice_that_failed_once_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(announcements.shutil, "which", lambda name: asked.append(name) or "/bin/false")
    announcements._spoken.cache_clear()
    for _ in range(2):
        assert np.array_equal(announcement_sound("rest_begin", "voice").pcm, chime("rest_begin"))
    assert asked == ["espeak-ng"] * 2


@pytest.mark.parametrize(("cue", "kind"), [("../etc/passwd", "chime"), ("", "voice"), ("rest_end", "off")])
def test_only_what_is_on_the_list_is_said(cue: str, kind: AnnouncementKind) -> None:
    with pytest.raises(AnnouncementError):
        announcement_sound(cue, kind)  # type: ignore[arg-type]
