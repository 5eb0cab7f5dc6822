from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from player.library import scan_process
from player.library.commands import list_tracks
from player.library.library import CACHE_NAME, EmptyLibraryError, Library, LibraryError
from player.library.scan_process import ScanEvent, ScanProcess
from player.library.store import database as cache_database
from player.music import Mood
from support.sounds.sound_making import silence, write_tone
from support.waiting import SCAN_PATIENCE_S, wait_until

pytestmark = pytest.mark.timeout(300)


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
        assert library.wait_idle(SCAN_PATIENCE_S)
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
        assert library.wait_idle(SCAN_PATIENCE_S)
        first = library.tracks
    with Library.open([music], tmp_path / "cache", warm_delay_s=3600.0) as again:
        assert again.tracks == first


def test_changes_are_noticed_while_it_runs(music: Path, tmp_path: Path) -> None:
    with Library.open([music], tmp_path / "cache") as library:
        assert library.wait_idle(SCAN_PATIENCE_S)
        write_tone(music / "three.wav", seconds=2, hertz=440, level_dbfs=-10)
        wait_until(lambda: "three" in titles(library), seconds=SCAN_PATIENCE_S)
        (music / "one.wav").unlink()
        wait_until(lambda: "one" not in titles(library), seconds=SCAN_PATIENCE_S)


def test_a_sidecar_written_later_is_believed(music: Path, tmp_path: Path) -> None:
    with Library.open([music], tmp_path / "cache") as library:
        assert library.wait_idle(SCAN_PATIENCE_S)
        (music / "moods.csv").write_text("path,valence,arousal\none.wav,0.25,-0.5\n", encoding="utf-8")
        wait_until(
            lambda: any(track.mood_source == "sidecar" for track in library.tracks), seconds=SCAN_PATIENCE_S
        )
        one = next(track for track in library.tracks if track.title == "one")
    assert one.mood == Mood(0.25, -0.5)


def test_a_changed_file_is_measured_again(music: Path, tmp_path: Path) -> None:
    with Library.open([music], tmp_path / "cache") as library:
        assert library.wait_idle(SCAN_PATIENCE_S)
        write_tone(music / "one.wav", seconds=4, hertz=220, level_dbfs=-30)
        wait_until(
            lambda: any(track.duration_s > 3.5 and track.loudness_lufs for track in library.tracks),
            seconds=SCAN_PATIENCE_S,
        )


def test_a_folder_that_vanishes_takes_its_tracks_along_and_brings_them_back(
    music: Path, tmp_path: Path
) -> None:
    with Library.open([music], tmp_path / "cache") as library:
        assert library.wait_idle(SCAN_PATIENCE_S)
        before = library.tracks
        away = music.rename(tmp_path / "unplugged")
        wait_until(lambda: library.tracks == (), seconds=SCAN_PATIENCE_S)
        wait_until(lambda: library.progress.missing == (str(music),), seconds=SCAN_PATIENCE_S)
        away.rename(music)
        wait_until(lambda: library.tracks == before, seconds=SCAN_PATIENCE_S)


def test_a_damaged_cache_is_made_anew(music: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with Library.open([music], cache) as library:
        assert library.wait_idle(SCAN_PATIENCE_S)
    database = next(cache.glob("*.sqlite"))
    database.write_bytes(b"\0garbage" * 5000)
    with Library.open([music], cache) as library:
        assert library.wait_idle(SCAN_PATIENCE_S)
        assert len(library.tracks) == 2


def test_a_folder_with_nothing_playable_is_one_clear_error(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    with pytest.raises(EmptyLibraryError, match="nothing there is a stream or ends like music"):
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
        assert library.wait_idle(SCAN_PATIENCE_S)
        reasons = {Path(refused.path).name: refused.reason for refused in library.refused}
        assert "silent" in titles(library)
    assert set(reasons) == {"empty.flac", "noise.ogg"}
    assert reasons["empty.flac"] == "is empty"


def test_a_cache_that_is_damaged_deep_inside_is_made_anew(music: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for number in range(40):
        (music / f"{number} {'long name ' * 20}.mp3").write_bytes(b"not music")
    with Library.open([music], cache) as library:
        assert library.wait_idle(SCAN_PATIENCE_S)
    database = next(cache.glob("*.sqlite"))
    content = bytearray(database.read_bytes())
    content[8192:-4096] = os.urandom(len(content) - 12288)
    database.write_bytes(content)
    assert list_tracks([music], cache) == []
    with Library.open([music], cache) as library:
        assert library.wait_idle(SCAN_PATIENCE_S)
        assert len(library.tracks) == 2


def test_a_cache_that_another_program_writes_is_waited_for_and_never_thrown_away(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    with Library.open([music], cache) as library:
        assert library.wait_idle(SCAN_PATIENCE_S)
        before = library.tracks
    monkeypatch.setattr(cache_database, "LOCKED_S", 0.1)
    with contextlib.closing(sqlite3.connect(cache / CACHE_NAME)) as other:
        other.execute("BEGIN EXCLUSIVE")
        # who only reads need not even wait
        assert {track["title"] for track in list_tracks([music], cache)} == {"one", "two"}
        other.rollback()
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LibraryError, match=r"library-1.sqlite: .* cannot be used \(database is locked\)"):
            list_tracks([music], cache)
    with Library.open([music], cache, warm_delay_s=3600.0) as again:
        assert again.tracks == before
    assert not list(cache.glob("*.damaged"))


def slow_scan(now_s: list[float], signs: int) -> Callable[[ScanProcess, float], None]:
    """In place of ``ScanProcess.start``: a scan that reads so many files, 40 s each, then the real one."""
    start = ScanProcess.start

    def begin(scan: ScanProcess, delay_s: float) -> None:
        def run() -> None:
            for number in range(signs):
                now_s[0] += 40.0
                scan._on_event(ScanEvent("busy", path=f"/music/{number}.flac"))
            start(scan, delay_s)

        threading.Thread(target=run).start()

    return begin


def test_a_first_scan_is_waited_for_as_long_as_it_is_at_work(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [0.0]
    monkeypatch.setattr(ScanProcess, "start", slow_scan(now_s, 20))
    with Library.open([music], tmp_path / "cache", clock=lambda: now_s[0]) as library:
        assert library.tracks
    assert now_s[0] == 800.0


def test_a_scan_that_gives_no_sign_of_life_is_not_waited_for(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_process.sys, "executable", "/bin/false")
    with pytest.raises(EmptyLibraryError, match="it is still being read"):
        Library.open([music], tmp_path / "cache", first_wait_s=0.3)
    with pytest.raises(EmptyLibraryError, match="it is still being read"):
        Library.open([music], tmp_path / "cache", given_up=lambda: True)
