"""Faults F28, F29 and F31 to F33: broken tracks, hanging decoders, lost devices, killed players."""

from __future__ import annotations

import contextlib
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from player.deck import MIX_RATE_HZ, Deck, PcmBlock, silence
from player.decks.av_deck import AvDeck, PullDeck
from player.decks.filler_deck import LOCATION, FillerDeck
from player.library.library import Library
from player.music import Track
from player.opening import open_playback
from player.playback.resume_point import ResumeFile
from support.sounds.playback_rig import (
    high_noise,
    level_db,
    longest_gap_s,
    make_session,
    open_plain,
    play,
    small_wav,
    tone,
    windows_db,
    write_track,
)
from support.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.usefixtures("nothing_left_behind")

# F28: broken tracks


def broken_files(folder: Path) -> dict[str, Path]:
    import soundfile

    good = folder / "whole.flac"
    soundfile.write(good, high_noise(30, seed=9), MIX_RATE_HZ)
    data = good.read_bytes()
    rng = np.random.default_rng(5)
    flipped = bytearray(data)
    for at in rng.integers(len(data) // 3, len(data), 400):
        flipped[at] ^= int(rng.integers(1, 256))
    contents = {
        "empty.flac": b"",
        "random.mp3": rng.bytes(200_000),
        "cut.flac": data[: len(data) // 2],
        "flipped.flac": bytes(flipped),
        "renamed.mp3": data,
        "headeronly.flac": data[:8192],
        "text.ogg": b"this is no music\n" * 1000,
    }
    paths = {}
    for name, content in contents.items():
        paths[name] = folder / name
        paths[name].write_bytes(content)
    good.unlink()
    return paths


def test_f28_broken_tracks_never_stop_the_music(tmp_path: Path) -> None:
    good = [write_track(tmp_path, f"good{i}", high_noise(35, seed=i), arousal=0.0) for i in range(2)]
    broken = [
        Track(
            **{
                **_fields(good[0]),
                "id": name,
                "title": name,
                "location": str(path),
                "duration_s": 30.0,
                "cue_out_s": 30.0,
            }
        )
        for name, path in broken_files(tmp_path).items()
    ]
    session = make_session([*broken, *good], crossfade_s=3.0)
    sound = play(session, 240)
    played = [decision.chosen.id for decision in session.decisions]
    assert longest_gap_s(sound[:-MIX_RATE_HZ]) <= 0.25
    assert "good0" in played or "good1" in played
    assert not {"empty.flac", "random.mp3", "text.ogg"} & set(played)
    assert "cut.flac" in played or "renamed.mp3" in played or "flipped.flac" in played


def _fields(track: Track) -> dict[str, object]:
    return {name: getattr(track, name) for name in Track.__slots__}


def test_f28_a_track_that_fails_twice_is_out(tmp_path: Path) -> None:
    good = write_track(tmp_path, "good", tone(10, 440), arousal=0.0)
    bad = write_track(tmp_path, "bad", tone(10, 440), arousal=0.0)
    Path(bad.location).write_bytes(b"RIFF nothing")
    opened: list[str] = []

    def make(location: str) -> Deck:
        opened.append(Path(location).stem)
        return FillerDeck() if location == LOCATION else PullDeck(open_plain)

    session = make_session([good, bad], crossfade_s=1.0, make_deck=make)
    play(session, 200)
    assert opened.count("bad") == 2


# F29: hanging and bombing decoders


class HangingDeck(PullDeck):
    """Gives nothing, and no error, for ever; or stops after ``after_s``."""

    def __init__(self, after_s: float) -> None:
        super().__init__(open_plain)
        self._left = int(after_s * MIX_RATE_HZ)
        self.closed = False

    def open(self, location: str, start_s: float = 0.0) -> None:
        return

    complete = False
    ended = False

    def buffered_frames(self) -> int:
        return self._left

    def read(self, n_frames: int) -> PcmBlock:
        count = min(n_frames, self._left)
        self._left -= count
        return silence(count) + np.float32(0.1)

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("after_s", [0.0, 30.0])
def test_f29_a_decoder_that_hangs_is_left_for_the_next_track(tmp_path: Path, after_s: float) -> None:
    good = write_track(tmp_path, "good", high_noise(70, seed=1), arousal=0.5)
    bad = write_track(tmp_path, "bad", tone(100, 440), arousal=0.0)
    hanging: list[HangingDeck] = []

    def make(location: str) -> Deck:
        if location == LOCATION:
            return FillerDeck()
        if location == bad.location:
            hanging.append(HangingDeck(after_s))
            return hanging[-1]
        return PullDeck(open_plain)

    session = make_session([good, bad], crossfade_s=4.0, make_deck=make)
    sound = play(session, 60)
    assert longest_gap_s(sound) <= 0.25
    assert session.engine.state().track == good
    assert all(deck.closed for deck in hanging)


@pytest.mark.parametrize("claimed_bytes", [0xFFFFFFFF, 0x7FFFFFF0, 0])
def test_f29_a_wav_header_that_lies_about_its_size_takes_no_memory(
    tmp_path: Path, claimed_bytes: int
) -> None:
    import resource

    path = tmp_path / "bomb.wav"
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, 48_000, 192_000, 4, 16)
    body = np.zeros(48_000 * 4, "<i2").tobytes()
    path.write_bytes(
        struct.pack("<4sI4s", b"RIFF", 0xFFFFFFFF, b"WAVE")
        + fmt
        + struct.pack("<4sI", b"data", claimed_bytes)
        + body
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    deck = AvDeck(open_plain)
    deck.open(str(path))
    wait_until(lambda: deck.complete)
    deck.close()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
    with Library.open([tmp_path], tmp_path / "cache", first_wait_s=PATIENCE_S) as library:
        assert all(track.duration_s < 10 for track in library.tracks)


# F31: the device (see also tests/player/outputs/test_sinks.py)


def test_f31_without_a_device_the_music_goes_on_and_says_so(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    small_wav(music / "t.wav", 30.0)
    playback = open_playback(
        music=[str(music)], outputs=["jack:nothing at all"], cache_dir=tmp_path / "cache", volume=0.0
    )
    playback.start()
    try:
        wait_until(lambda: playback.state().position_s > 0.5)
        wait_until(lambda: any(one.startswith("no_audio_device") for one in playback.state().degraded))
    finally:
        playback.close()


# F32: moods and commands in a storm (twenty moods a second: tests/player/playback/test_engine.py)


def test_f32_commands_in_a_storm_leave_one_fade_at_a_time_and_the_level_whole(tmp_path: Path) -> None:
    tracks = [write_track(tmp_path, f"s{i}", high_noise(20, seed=i), arousal=0.3 * i) for i in range(4)]
    session = make_session(tracks)
    rng = np.random.default_rng(1)
    sounds = [play(session, 2)]
    for _ in range(250):
        action = rng.integers(0, 6)
        if action == 0:
            session.engine.skip()
        elif action == 1:
            session.chooser.set_target(("relax", "energise", "sleep")[rng.integers(3)])
            session.engine.choose_anew()
        elif action == 2:
            session.engine.seek(float(rng.uniform(0, 30)))
        elif action == 3:
            session.engine.set_crossfade(float(rng.uniform(0, 12)))
        sounds.append(play(session, 0.05))
    sounds.append(play(session, 20))
    sound = np.concatenate(sounds)
    assert longest_gap_s(sound) <= 0.05
    levels = windows_db(sound[MIX_RATE_HZ:], 0.25)
    assert max(levels) < -20 + 3
    assert min(levels) > -20 - 3
    assert level_db(sound[-MIX_RATE_HZ:]) == pytest.approx(-20, abs=1)


# F33: the player killed


PLAYER = """
import sys, time
from pathlib import Path
from player.opening import open_playback
def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\\n")
    sys.stdout.flush()
p = open_playback(
    music=[sys.argv[1]], outputs=["null"], cache_dir=Path(sys.argv[2]), state_dir=Path(sys.argv[3]),
    seed=int(sys.argv[4]), on_decision=lambda decision: say("why", decision.why),
)
p.start()
while True:
    state = p.state()
    if state.track is not None:
        say("at", state.track.id, state.position_s)
    time.sleep(0.1)
"""


@contextlib.contextmanager
def killed_player(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A player of its own that prints what it plays, killed at the end."""
    command = [sys.executable, "-c", PLAYER, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.send_signal(signal.SIGKILL)


def lines_of(child: subprocess.Popen[str], word: str) -> Iterator[list[str]]:
    """What it prints of that kind, as it comes."""
    assert child.stdout is not None
    return (line.split() for line in child.stdout if line.startswith(word))


def test_f33_a_player_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    music, cache, state = (tmp_path / name for name in ("music", "cache", "state"))
    music.mkdir()
    state.mkdir()
    for i in range(3):
        small_wav(music / f"t{i}.wav", 60.0, 200 + 100 * i)
    with killed_player(music, cache, state, 1) as first:
        position_s = next(float(at) for _, _, at in lines_of(first, "at") if float(at) > 6.0)
    kept = ResumeFile(state, time.time).read()
    assert kept is not None
    assert kept.position_s > position_s - 3.5, "it is kept every two seconds"
    with killed_player(music, cache, state, 7) as second:
        why = next(lines_of(second, "why"))
        _, again, place_s = next(lines_of(second, "at"))
    assert again == kept.track_id
    assert f"{kept.position_s:.0f} s into" in " ".join(why)
    assert float(place_s) >= kept.position_s - 0.1


def test_f33_an_old_or_damaged_place_is_not_gone_back_to(tmp_path: Path) -> None:
    now = [1000.0]
    place = ResumeFile(tmp_path, lambda: now[0])
    assert place.read() is None
    place.save("abc", 12.0, 0.5, paused=False, now_s=0.0)
    kept = place.read()
    assert kept is not None
    assert (kept.track_id, kept.position_s) == ("abc", 12.0)
    now[0] += 601
    assert place.read() is None
    for damage in (
        b"",
        b"{",
        b"\xff" * 9000,
        b'{"at_s": 1601, "track_id": "x", "position_s": -1, "volume": 1, "paused": false}',
    ):
        (tmp_path / "player-place.json").write_bytes(damage)
        assert place.read() is None


def test_f33_a_state_folder_that_is_full_stops_nothing(tmp_path: Path) -> None:
    place = ResumeFile(tmp_path / "not there", lambda: 0.0)
    place.save("abc", 1.0, 1.0, paused=False, now_s=0.0)
    assert place.read() is None


def test_threads_end_with_their_decks(tmp_path: Path) -> None:
    path = small_wav(tmp_path / "t.wav", 60.0)
    before = threading.active_count()
    decks = [AvDeck(open_plain) for _ in range(5)]
    for deck in decks:
        deck.open(str(path))
    for deck in decks:
        deck.close()
    wait_until(lambda: threading.active_count() <= before)
