"""A track is its sound: likes, bans and measurements follow it to any path, under any tags."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import msgspec
import pytest

from player.analysis.track_analysis import analyse
from player.choice.chooser import Chooser, PolicySettings
from player.choice.taste import Taste
from player.library.library import refused_files
from player.library.scanner import Scanner
from player.library.sounds import measuring
from player.library.sounds.sound_identity import beginning_of, whole_of
from player.library.sources.track_names import track_id
from player.library.store.rows import FileRow, Header
from player.library.store.track_cache import TrackCache
from player.library.track_building import build_tracks
from support.sounds.sound_making import silence, sine, write_tone, write_wav


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[TrackCache]:
    cache = TrackCache(tmp_path / "cache" / "library-1.sqlite")
    yield cache
    cache.close()


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were measured."""
    names: list[str] = []
    real = measuring._measure

    def measure(
        file: measuring.PendingFile, excerpt: bool, on_block: Callable[[], None]
    ) -> measuring.Analysis:
        names.append(os.path.basename(file.path))  # noqa: PTH119
        return real(file, excerpt, on_block)

    monkeypatch.setattr(measuring, "_measure", measure)
    return names


def look(cache: TrackCache, *roots: Path) -> list[FileRow]:
    real = [os.path.realpath(root) for root in roots]
    scanner = Scanner(cache, real, lambda _path: None)
    scanner.sync()
    while scanner.read_headers():
        pass
    while scanner.measure_next():
        pass
    return list(cache.rows(real))


def write_flac(path: Path, source: Path, **tags: str) -> Path:
    with av.open(str(source)) as given, av.open(str(path), "w", format="flac") as out:
        stream = out.add_stream("flac", rate=48_000)
        out.metadata.update(tags)
        for frame in given.decode(audio=0):
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def test_a_renamed_moved_or_tagged_track_keeps_its_name_and_its_measures(
    tmp_path: Path, cache: TrackCache, measured: list[str]
) -> None:
    music = tmp_path / "music"
    music.mkdir()
    wav = write_tone(tmp_path / "a.wav", seconds=2, hertz=220, level_dbfs=-20)
    write_flac(music / "a.flac", wav, title="Old")
    before = build_tracks(look(cache, music))[0]
    (music / "a.flac").unlink()
    (music / "sub").mkdir()
    write_flac(music / "sub" / "b.flac", wav, title="New", comment="x" * 5000)
    after = build_tracks(look(cache, music))[0]
    assert (before.title, after.title) == ("Old", "New")
    assert after.id == before.id
    assert after.loudness_lufs == before.loudness_lufs is not None
    assert measured == ["a.flac"]


def test_a_file_that_is_tagged_where_it_lies_keeps_its_measures(
    tmp_path: Path, cache: TrackCache, measured: list[str]
) -> None:
    music = tmp_path / "music"
    music.mkdir()
    wav = write_tone(tmp_path / "a.wav", seconds=2, hertz=220, level_dbfs=-20)
    write_flac(music / "a.flac", wav, title="Old")
    look(cache, music)
    write_flac(music / "a.flac", wav, title="Newer")
    track = build_tracks(look(cache, music))[0]
    assert track.title == "Newer"
    assert track.loudness_lufs is not None
    assert measured == ["a.flac"]


def test_a_copy_is_no_second_track_and_is_listed(tmp_path: Path, cache: TrackCache) -> None:
    music = tmp_path / "music"
    music.mkdir()
    write_tone(music / "a.wav", seconds=2, hertz=220, level_dbfs=-20)
    shutil.copy(music / "a.wav", music / "copy of a.wav")
    write_tone(music / "other.wav", seconds=2, hertz=330, level_dbfs=-20)
    rows = look(cache, music)
    assert [Path(track.location).name for track in build_tracks(rows)] == ["a.wav", "other.wav"]
    assert [(Path(one.path).name, one.reason) for one in refused_files(rows)] == [
        ("copy of a.wav", "is a copy of 'a.wav', which is played")
    ]
    kept = build_tracks(rows)[0].id
    (music / "a.wav").unlink()
    assert build_tracks(look(cache, music))[0].id == kept


def test_recordings_that_begin_alike_are_told_apart(tmp_path: Path, cache: TrackCache) -> None:
    music = tmp_path / "music"
    music.mkdir()
    for name, hertz in (("one", 220), ("two", 330)):
        samples = silence(6)
        samples[-48_000:] = sine(1, hertz, -20)
        samples[48_000:96_000] = sine(1, 110, -20)
        write_wav(music / f"{name}.wav", samples)
    for name, seconds in (("three", 1), ("four", 2)):
        write_wav(music / f"{name}.wav", silence(seconds))
    names = {"one.wav", "two.wav", "three.wav", "four.wav"}
    with (music / "one.wav").open("rb") as one, (music / "two.wav").open("rb") as two:
        assert beginning_of(one) == beginning_of(two)
        assert whole_of(one) != whole_of(two)
    tracks = build_tracks(look(cache, music))
    assert {Path(track.location).name for track in tracks} == names
    assert len({track.id for track in tracks}) == 4


def test_a_fresh_cache_gives_the_same_names(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    write_tone(music / "a.wav", seconds=2, hertz=220, level_dbfs=-20)
    ids = set()
    for name in ("first", "second"):
        cache = TrackCache(tmp_path / name / "library-1.sqlite")
        ids |= {track.id for track in build_tracks(look(cache, music))}
        cache.close()
    assert len(ids) == 1


def test_a_playlist_and_its_folder_share_what_is_known(
    tmp_path: Path, cache: TrackCache, measured: list[str]
) -> None:
    music = tmp_path / "music"
    music.mkdir()
    for name, hertz in (("a", 220), ("b", 330), ("c", 440)):
        write_tone(music / f"{name}.wav", seconds=2, hertz=hertz, level_dbfs=-20)
    (music / "evening.m3u").write_text("a.wav\nb.wav\n")
    for roots, count in (((music,), 3), ((music / "evening.m3u",), 2), ((music,), 3)):
        tracks = build_tracks(look(cache, *roots))
        assert len(tracks) == count
        assert all(track.loudness_lufs is not None for track in tracks)
    assert sorted(measured) == ["a.wav", "b.wav", "c.wav"]
    real = [os.path.realpath(music)]
    assert len(build_tracks(list(cache.rows(real)))) == 3, "the last looked at takes nothing from the other"


def test_no_password_is_part_of_a_name() -> None:
    address = "http://radio.example:80/a?b=c"
    assert track_id("http://joe:secret@radio.example:80/a?b=c") == track_id(address)


OLD_SCHEMA = """
CREATE TABLE files (
    path TEXT PRIMARY KEY, root TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    header BLOB, given BLOB, analyser INTEGER, analysis BLOB, reason TEXT, changed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX files_by_root ON files (root);
CREATE INDEX files_by_change ON files (changed);
CREATE TABLE counter (value INTEGER NOT NULL);
CREATE TABLE learned (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, energy REAL, valence REAL
) WITHOUT ROWID;
INSERT INTO counter VALUES (7);
PRAGMA user_version = 1;
"""


def test_a_cache_of_the_last_version_loses_nothing(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    path = write_tone(music / "a.wav", seconds=2, hertz=220, level_dbfs=-20)
    real, root = os.path.realpath(path), os.path.realpath(music)
    status = path.stat()
    with path.open("rb") as file:
        analysis = msgspec.json.decode(msgspec.json.encode(analyse(file)))
    analysis = {**analysis, "tempo_bpm": 120.0, "cue_in_s": 0.5}
    del analysis["whole"]
    db_path = tmp_path / "cache" / "library-1.sqlite"
    db_path.parent.mkdir()
    db = sqlite3.connect(db_path)
    db.executescript(OLD_SCHEMA)
    header = msgspec.json.encode(Header(2.0, "Old title", "")).replace(b',"album":""', b"")
    row = (real, root, status.st_size, status.st_mtime_ns, header, None, 2, msgspec.json.encode(analysis))
    db.execute("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, 3)", row)
    db.execute(
        "INSERT INTO files VALUES (?, ?, -1, 0, NULL, NULL, NULL, NULL, 'is empty', 4)",
        (f"{root}/b.wav", root),
    )
    db.execute("INSERT INTO learned VALUES (?, ?, ?, 0.9, 0.4)", (real, status.st_size, status.st_mtime_ns))
    db.commit()
    db.close()

    cache = TrackCache(db_path)
    rows = list(cache.rows([root]))
    track = build_tracks(rows)[0]
    assert (track.id, track.title, track.cue_in_s) == (track_id(real), "Old title", 0.5)
    assert track.mood_source == "vibenet"
    assert [one.reason for one in refused_files(rows)] == ["is empty"]
    # and once its sound has been told, it may be called anything
    look(cache, music)
    path.rename(music / "renamed.wav")
    again = build_tracks(look(cache, music))[0]
    assert (again.id, again.mood_source) == (track_id(real), "vibenet")
    cache.close()


def test_a_playlist_that_names_copies_keeps_its_entries_and_a_ban_holds_for_all(
    tmp_path: Path, cache: TrackCache
) -> None:
    music = tmp_path / "music"
    music.mkdir()
    for name, hertz in (("a", 220), ("other", 330)):
        write_tone(music / f"{name}.wav", seconds=2, hertz=hertz, level_dbfs=-20)
    shutil.copy(music / "a.wav", music / "copy of a.wav")
    (music / "evening.m3u").write_text("a.wav\ncopy of a.wav\nother.wav\n")
    tracks = build_tracks(look(cache, music / "evening.m3u"))
    assert [Path(track.location).name for track in tracks] == ["a.wav", "copy of a.wav", "other.wav"]
    assert tracks[0].id == tracks[1].id
    chooser = Chooser(PolicySettings(policy="match"), 0)
    chooser.set_taste(Taste().ban(tracks[0].id, True))
    assert {chooser.choose(float(n), tracks, "first", None, None).chosen.id for n in range(10)} == {
        tracks[2].id
    }
