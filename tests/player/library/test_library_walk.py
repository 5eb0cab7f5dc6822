"""Whatever lies under a music folder and may be music is found, or listed with a reason."""

from __future__ import annotations

import os
from pathlib import Path

import av
import pytest

from player.library.music_folder import MAX_DEPTH, FoundFile, RefusedFile, is_audio, walk
from player.library.scanner import Scanner
from player.library.store.track_cache import TrackCache
from support.sounds.sound_making import write_tone

ENDINGS = """3g2 3gp aac ac3 aif aifc aiff amr ape asf au avi caf dff dsf dts eac3 flac m4a m4b m4r mka mkv
mlp mov mp1 mp2 mp3 mp4 mpa mpc oga ogg oggflac oma opus qt shn snd spx tak thd tta voc w64 wav wave weba webm
wma wv"""
WRITABLE = {
    "3gp": ("3gp", "aac"),
    "aifc": ("aiff", "pcm_s16be"),
    "au": ("au", "pcm_s16be"),
    "mov": ("mov", "aac"),
    "mkv": ("matroska", "flac"),
    "oggflac": ("ogg", "flac"),
    "voc": ("voc", "pcm_s16le"),
    "w64": ("w64", "pcm_s16le"),
    "caf": ("caf", "pcm_s16le"),
    "wma": ("asf", "wmav2"),
    "dts": ("dts", "dca"),
    "thd": ("truehd", "truehd"),
    "tta": ("tta", "tta"),
    "webm": ("webm", "libopus"),
    "avi": ("avi", "mp3"),
    "eac3": ("eac3", "eac3"),
}
"""What can be made here to be read again: ending -> container and codec."""


def seen(root: Path) -> dict[str, str]:
    """Path below the root -> why it is refused, empty for what is played."""
    real = os.path.realpath(root)
    return {
        os.path.relpath(item.path, real): item.reason if isinstance(item, RefusedFile) else ""
        for item in walk(root)
    }


@pytest.mark.parametrize("ending", ENDINGS.split())
def test_music_is_known_by_its_ending(ending: str) -> None:
    assert is_audio(f"x.{ending}")
    assert is_audio(f"x.{ending.upper()}")


@pytest.mark.parametrize("ending", WRITABLE)
def test_a_file_of_that_ending_is_played(tmp_path: Path, ending: str) -> None:
    container, codec = WRITABLE[ending]
    music = tmp_path / "music"
    music.mkdir()
    wav = write_tone(tmp_path / "a.wav", seconds=2, hertz=220, level_dbfs=-20)
    try:
        with av.open(str(wav)) as given, av.open(str(music / f"a.{ending}"), "w", format=container) as out:
            stream = out.add_stream(codec, rate=48_000)
            if codec in ("dca", "truehd"):
                stream.codec_context.options = {"strict": "-2"}
            for frame in given.decode(audio=0):
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    except (av.FFmpegError, ValueError) as error:
        pytest.skip(f"this FFmpeg does not write {container}/{codec}: {error}")
    cache = TrackCache(tmp_path / "library.sqlite")
    scanner = Scanner(cache, [os.path.realpath(music)], lambda _path: None)
    scanner.sync()
    scanner.read_headers()
    while scanner.measure_next():
        pass
    row = next(cache.rows([os.path.realpath(music)]))
    cache.close()
    assert row.reason is None
    assert row.analysis is not None
    assert row.analysis.duration_s == pytest.approx(2, abs=0.2)


def test_what_nothing_can_play_is_listed(tmp_path: Path) -> None:
    for name in ("a.mid", "b.aax", "c.txt", "d.jpg"):
        (tmp_path / name).write_bytes(b"x")
    assert seen(tmp_path) == {
        "a.mid": ".mid files cannot be played here",
        "b.aax": ".aax files cannot be played here",
    }


def test_links_are_followed_nowhere_and_said_to_be_links(tmp_path: Path) -> None:
    music, outside = tmp_path / "music", tmp_path / "outside"
    for folder in (music / "album", outside):
        folder.mkdir(parents=True)
        (folder / "a.mp3").write_bytes(b"x")
    (music / "in").symlink_to(music / "album")
    (music / "out").symlink_to(outside)
    (music / "gone.mp3").symlink_to(music / "nothing.mp3")
    (music / "ring").symlink_to(music / "ring")
    (music / "ring.mp3").symlink_to(music / "ring.mp3")
    (music / "up").symlink_to(tmp_path)
    found = seen(music)
    assert found.pop(os.path.join("album", "a.mp3")) == ""  # noqa: PTH118
    assert found.pop("in") == "is a link to a folder that is read where it lies"
    for name in ("out", "up"):
        assert found.pop(name).startswith("is a link to a folder outside of the music folder")
    assert found.pop("gone.mp3") == "is a link to a file that is not there"
    assert found.pop("ring.mp3").startswith("cannot be read")
    assert not found


def test_deep_folders_are_read_and_too_deep_ones_listed(tmp_path: Path) -> None:
    deep = tmp_path
    for number in range(MAX_DEPTH + 2):
        deep = deep / "d"
        deep.mkdir()
        if number in (40, MAX_DEPTH - 1, MAX_DEPTH + 1):
            (deep / "a.mp3").write_bytes(b"x")
    played = [item for item in walk(tmp_path) if isinstance(item, FoundFile)]
    refused = [item.reason for item in walk(tmp_path) if isinstance(item, RefusedFile)]
    assert len(played) == 2
    assert refused == [f"the folder lies more than {MAX_DEPTH} folders deep"]
