"""Parts of one album join at the sample, in every format that says where its sound ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from player.choice.chooser import PolicySettings
from player.deck import MIX_RATE_HZ
from player.decks.av_deck import decoded
from player.music import Track
from player.playback.transition import album_gain_db, gain_db
from player.render import OfflineSession
from support.sounds.playback_rig import Sound, high_noise, make_session, open_plain, play, write_track
from support.sounds.track_making import feeling, make_track

PARTS_S = (14.0, 13.37, 15.01)
FRAMES = [round(seconds * MIX_RATE_HZ) for seconds in PARTS_S]
SETTLED = MIX_RATE_HZ
"""The very first second fades in."""
ALBUM = PolicySettings(policy="album")


def encoded(path: Path, sound: Sound, codec: str) -> Path:
    """One part, as encoders write it; MP4 with its edit list."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=MIX_RATE_HZ)
        stream.layout = "stereo"
        stream.bit_rate = 256_000
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.T), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = MIX_RATE_HZ, 0
        size = stream.codec_context.frame_size or 1024
        resampler = av.AudioResampler(stream.format, stream.layout, MIX_RATE_HZ, frame_size=size)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return path


def write_part(folder: Path, number: int, sound: Sound, kind: str) -> Path:
    path = folder / f"{number:02d}.{kind.removeprefix('float ')}"
    if kind == "float wav":
        soundfile.write(path, sound, MIX_RATE_HZ, subtype="FLOAT")
    elif kind in ("wav", "flac"):
        soundfile.write(path, sound, MIX_RATE_HZ, subtype="PCM_24")
    elif kind == "ogg":
        soundfile.write(path, sound, MIX_RATE_HZ, format="OGG", subtype="VORBIS")
    else:
        codecs = {"mp3": "libmp3lame", "opus": "libopus", "m4a": "aac"}
        encoded(path, sound, codecs[kind])
    return path


def cut(whole: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return np.split(whole, np.cumsum(FRAMES)[:-1])


def album(folder: Path, whole: Sound, kind: str) -> list[Track]:
    """The parts of one signal; what is measured of them makes their gain 0 dB."""
    tracks = []
    for number, part in enumerate(cut(whole), 1):
        path = write_part(folder, number, part, kind)
        track = make_track(f"part{number}", duration_s=len(part) / MIX_RATE_HZ, lufs=-18.0)
        # cue points of each part leave its edges out; they are of no album that is played as one
        track = replace(track, location=str(path), cue_in_s=0.05 * number, cue_out_s=track.duration_s - 0.4)
        tracks.append(replace(track, album="a", part=1000 + number))
    return tracks


def playing_from_the_first(tracks: list[Track], policy: PolicySettings = ALBUM) -> OfflineSession:
    session = make_session(tracks, crossfade_s=6.0, policy=policy)
    session.engine.resume_at(tracks[0], 0.0, 0.0)
    return session


@pytest.fixture(scope="module")
def whole() -> Sound:
    return np.round(high_noise(sum(PARTS_S) + 1, seed=3)[: sum(FRAMES)] * 2**23) / np.float32(2**23)


@pytest.mark.parametrize("kind", ["float wav", "wav", "flac"])
def test_lossless_parts_come_out_as_the_signal_they_were_cut_from(
    tmp_path: Path, whole: Sound, kind: str
) -> None:
    session = playing_from_the_first(album(tmp_path, whole, kind))
    sound = play(session, sum(PARTS_S) - 8)
    session.close()
    assert len(sound) > sum(FRAMES[:2]) + 5 * MIX_RATE_HZ
    assert np.abs(sound[SETTLED:] - whole[SETTLED : len(sound)]).max() == 0.0


@pytest.mark.parametrize("kind", ["mp3", "opus", "ogg", "m4a"])
def test_lossy_parts_are_as_long_as_what_went_in_and_join_at_the_frame(
    tmp_path: Path, whole: Sound, kind: str
) -> None:
    tracks = album(tmp_path, whole, kind)
    parts = [np.concatenate(list(decoded(track.location, 0.0, open_plain))) for track in tracks]
    assert [len(part) for part in parts] == FRAMES, "delay and padding of the encoder are left out"
    session = playing_from_the_first(tracks)
    sound = play(session, sum(PARTS_S) - 8)
    session.close()
    assert np.array_equal(sound[SETTLED:], np.concatenate(parts)[SETTLED : len(sound)])
    for end in np.cumsum(FRAMES[:-1]):
        near = slice(int(end) - 4000, int(end) + 4000)
        lags = [int(np.dot(whole[near, 0], np.roll(sound[:, 0], -lag)[near]) * 1e6) for lag in range(-50, 51)]
        assert int(np.argmax(lags)) - 50 == 0, "nothing is shifted"


def test_an_album_keeps_one_gain_and_its_own_dynamics(tmp_path: Path) -> None:
    loud, soft = make_track("loud", lufs=-10.0), make_track("soft", lufs=-24.0)
    together = album_gain_db([loud, soft])
    assert gain_db(loud) < together < gain_db(soft)
    parts = [
        replace(write_track(tmp_path, f"p{n}", high_noise(12, seed=n, level_dbfs=level), lufs=level + 2),
                album="a", part=1000 + n)
        for n, level in ((1, -30.0), (2, -20.0))
    ]  # fmt: skip
    session = playing_from_the_first(parts)
    sound = play(session, 22)
    session.close()
    step_db = 20 * np.log10(sound[15 * 48_000 : 20 * 48_000].std() / sound[5 * 48_000 : 10 * 48_000].std())
    assert step_db == pytest.approx(10.0, abs=0.3)


def play_for(session: OfflineSession, seconds: int) -> None:
    """With a wearer who is very lively all the time."""
    for _ in range(seconds // 5):
        session.chooser.on_mood(feeling(session.rendered_s, 0.9))
        play(session, 5, 4096)


def test_no_mood_cuts_an_album_or_a_mix(tmp_path: Path) -> None:
    calm = [
        replace(
            write_track(tmp_path, f"calm{n}", high_noise(100, seed=n), arousal=-0.9), album="a", part=1000 + n
        )
        for n in (1, 2)
    ]
    lively = write_track(tmp_path, "lively", high_noise(100, seed=9), arousal=0.9)
    mix = replace(calm[0], id="mix", title="Evening (Continuous DJ Mix)", album="", part=0)
    for tracks, policy, stays in (
        ([*calm, lively], PolicySettings(policy="album"), [calm[0], calm[1]]),
        ([mix, lively], PolicySettings(), [mix]),
        ([calm[0], lively], PolicySettings(), []),
    ):
        session = playing_from_the_first(list(tracks), policy)
        play_for(session, 90)
        sounding = session.engine.state().track
        assert (sounding == (stays[0] if stays else lively)) is True
        play_for(session, 20)
        if len(stays) > 1:
            assert session.engine.state().track == stays[1]
        session.close()
