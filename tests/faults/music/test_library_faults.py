"""Faults F27 and F30: hostile files in the music folder, and a folder that vanishes."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest
import soundfile

from player.deck import MIX_RATE_HZ
from player.decks.av_deck import AvDeck
from player.library.library import Library
from player.opening import open_playback
from support.sounds.playback_rig import longest_gap_s, open_plain, small_wav
from support.waiting import SCAN_PATIENCE_S, wait_until

pytestmark = [pytest.mark.usefixtures("nothing_left_behind"), pytest.mark.timeout(300)]

# F27: hostile names and kinds


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    music = tmp_path / "music"
    music.mkdir()
    outside = small_wav(tmp_path / "outside.wav")
    small_wav(music / "good.wav")
    small_wav(music / "-rf --option.wav")
    small_wav(music / "evil\u202egnp.wav")
    small_wav(music / "$(touch pwned); `id`.wav")
    (music / "link-out.wav").symlink_to(outside)
    (music / "link-up.wav").symlink_to("../outside.wav")
    (music / "zero.wav").symlink_to("/dev/zero")
    (music / "dangling.wav").symlink_to("/nowhere.wav")
    os.mkfifo(music / "pipe.wav")
    (music / "empty.wav").touch()
    (music / "folder.wav").mkdir()
    with (music / "huge.wav").open("wb") as file:
        file.truncate(4 << 30)
    Path(os.fsdecode(os.fsencode(str(music)) + b"/bad\xff\xfe.wav")).write_bytes(b"x")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(music / "sock.wav"))
    (music / "list.m3u").write_text(
        "http://127.0.0.1:9/radio\nfile:///etc/passwd\n../outside.wav\nrtsp://x/y\n"
    )
    return music


def test_f27_only_regular_files_under_the_root_are_played(hostile: Path, tmp_path: Path) -> None:
    with Library.open([hostile], tmp_path / "cache") as library:
        assert library.wait_idle(SCAN_PATIENCE_S)
        files = {Path(track.location).name for track in library.tracks if "://" not in track.location}
        streams = {track.location for track in library.tracks if "://" in track.location}
        refused = {os.path.basename(one.path) for one in library.refused}  # noqa: PTH119 - no path to open
        titles = [track.title for track in library.tracks]
    assert files == {"good.wav", "-rf --option.wav", "evil\u202egnp.wav", "$(touch pwned); `id`.wav"}
    assert streams == {"http://127.0.0.1:9/radio"}
    assert {
        "link-out.wav",
        "link-up.wav",
        "zero.wav",
        "dangling.wav",
        "pipe.wav",
        "empty.wav",
        "huge.wav",
    } <= refused
    assert "sock.wav" in refused
    assert all(title.isprintable() for title in titles)


def test_f27_a_link_swapped_in_after_the_scan_is_not_followed(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    track = small_wav(music / "a.wav")
    secret = small_wav(tmp_path / "secret.wav")
    with Library.open([music], tmp_path / "cache") as library:
        assert library.wait_idle(SCAN_PATIENCE_S)
        track.unlink()
        track.symlink_to(secret)
        deck = AvDeck(library.open_file)
        deck.open(str(track))
        wait_until(lambda: deck.complete)
        assert deck.buffered_frames() == 0
        assert deck.error
        deck.close()
        with pytest.raises(OSError, match="not in the library"):
            library.open_file("/etc/passwd")


# F30: the library vanishes


def test_f30_a_folder_renamed_while_playing_never_means_silence(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    for i in range(3):
        small_wav(music / f"t{i}.wav", 45.0, 200 + 100 * i)
    out = tmp_path / "out.wav"
    playback = open_playback(
        music=[str(music)], outputs=[f"wav:{out}"], cache_dir=tmp_path / "cache", crossfade_s=1.0
    )
    playback.start()
    try:
        wait_until(lambda: playback.state().position_s > 1)
        first = playback.state().track
        music.rename(tmp_path / "gone")
        wait_until(lambda: "music_folder_missing" in playback.state().degraded, seconds=SCAN_PATIENCE_S)
        for _ in range(2):
            playback.skip()
            time.sleep(1.5)
        wait_until(lambda: any("filler" in one for one in playback.state().degraded))
        (tmp_path / "gone").rename(music)
        wait_until(lambda: not playback.state().degraded, seconds=SCAN_PATIENCE_S)
        assert playback.state().track is not None
        assert first is not None
        time.sleep(1.0)
    finally:
        playback.close()
    sound = soundfile.read(out, dtype="float32")[0]
    assert longest_gap_s(sound[:-MIX_RATE_HZ]) <= 0.25


def test_f30_half_a_minute_is_decoded_ahead(tmp_path: Path) -> None:
    path = small_wav(tmp_path / "long.wav", 90.0)
    deck = AvDeck(open_plain)
    deck.open(str(path))
    wait_until(lambda: deck.buffered_frames() >= 30 * MIX_RATE_HZ)
    deck.close()
