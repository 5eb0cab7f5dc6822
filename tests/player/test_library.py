from __future__ import annotations

import os
from pathlib import Path

import pytest
from sound_making import silence, write_tone
from waiting import wait_until

from player.library import EmptyLibraryError, Library, LibraryError
from player.music import Mood


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    (folder / "Calm").mkdir(parents=True)
    write_tone(folder / "one.wav", seconds=2, hertz=220, level_dbfs=-20)
    write_tone(folder / "Calm" / "two.wav", seconds=3, hertz=330, level_dbfs=-14)
    (folder / "cover.jpg").write_bytes(b"not music")
    return folder


def titles(library: Library) -> list[str]:
    return [track.title for track in library.tracks]


def test_a_folder_becomes_tracks_with_measures(music: Path, tmp_path: Path) -> None:
    with Library.open([music], tmp_path / "cache") as library:
        assert library.wait_idle(30)
        one, two = sorted(library.tracks, key=lambda track: track.title)
        progress = library.progress
    assert (one.title, two.title) == ("one", "two")
    assert one.duration_s == pytest.approx(2, abs=0.01)
    assert one.loudness_lufs is not None
    assert one.loudness_lufs == pytest.approx(-17.9, abs=0.3)
    assert two.mood_source == "folder"
    assert two.mood.arousal < -0.5
    assert one.mood_source == "analysis"
    assert (progress.known, progress.playable, progress.measured, progress.refused) == (2, 2, 2, 0)


def test_the_second_start_knows_everything_before_any_scan(music: Path, tmp_path: Path) -> None:
    with Library.open([music], tmp_path / "cache") as library:
        assert library.wait_idle(30)
        first = library.tracks
    with Library.open([music], tmp_path / "cache", warm_delay_s=3600.0) as again:
        assert again.tracks == first


def test_changes_are_noticed_while_it_runs(music: Path, tmp_path: Path) -> None:
    with Library.open([music], tmp_path / "cache") as library:
        assert library.wait_idle(30)
        write_tone(music / "three.wav", seconds=2, hertz=440, level_dbfs=-10)
        wait_until(lambda: "three" in titles(library))
        (music / "one.wav").unlink()
        wait_until(lambda: "one" not in titles(library))


def test_a_sidecar_written_later_is_believed(music: Path, tmp_path: Path) -> None:
    with Library.open([music], tmp_path / "cache") as library:
        assert library.wait_idle(30)
        (music / "moods.csv").write_text("path,valence,arousal\none.wav,0.25,-0.5\n", encoding="utf-8")
        wait_until(lambda: any(track.mood_source == "sidecar" for track in library.tracks))
        one = next(track for track in library.tracks if track.title == "one")
    assert one.mood == Mood(0.25, -0.5)


def test_a_changed_file_is_measured_again(music: Path, tmp_path: Path) -> None:
    with Library.open([music], tmp_path / "cache") as library:
        assert library.wait_idle(30)
        write_tone(music / "one.wav", seconds=4, hertz=220, level_dbfs=-30)
        wait_until(lambda: any(track.duration_s > 3.5 and track.loudness_lufs for track in library.tracks))


def test_a_folder_that_vanishes_takes_its_tracks_along_and_brings_them_back(
    music: Path, tmp_path: Path
) -> None:
    with Library.open([music], tmp_path / "cache") as library:
        assert library.wait_idle(30)
        before = library.tracks
        away = music.rename(tmp_path / "unplugged")
        wait_until(lambda: library.tracks == ())
        assert library.progress.missing == (str(music),)
        away.rename(music)
        wait_until(lambda: library.tracks == before)


def test_a_damaged_cache_is_made_anew(music: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with Library.open([music], cache) as library:
        assert library.wait_idle(30)
    database = next(cache.glob("*.sqlite"))
    database.write_bytes(b"\0garbage" * 5000)
    with Library.open([music], cache) as library:
        assert library.wait_idle(30)
        assert len(library.tracks) == 2


def test_a_folder_with_nothing_playable_is_one_clear_error(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    with pytest.raises(EmptyLibraryError, match="no file there ends like music"):
        Library.open([folder], tmp_path / "cache")
    (folder / "broken.mp3").write_bytes(os.urandom(5000))
    with pytest.raises(EmptyLibraryError, match=r"1 refused, the first is 'broken.mp3': "):
        Library.open([folder], tmp_path / "cache")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"nowhere: there is no such music folder"):
        Library.open([tmp_path / "nowhere"], tmp_path / "cache")
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    with pytest.raises(LibraryError, match=r"notes.txt: is a file"):
        Library.open([text], tmp_path / "cache")


def test_unreadable_files_are_listed_with_a_reason(music: Path, tmp_path: Path) -> None:
    (music / "empty.flac").touch()
    (music / "noise.ogg").write_bytes(b"OggS" + bytes(3000))
    write_tone(music / "silent.wav", seconds=2, hertz=0, level_dbfs=-120, samples=silence(2))
    with Library.open([music], tmp_path / "cache") as library:
        assert library.wait_idle(30)
        reasons = {Path(refused.path).name: refused.reason for refused in library.refused}
        assert "silent" in titles(library)
    assert set(reasons) == {"empty.flac", "noise.ogg"}
    assert reasons["empty.flac"] == "is empty"
