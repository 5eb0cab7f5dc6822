"""What a second look at the folders notices, and that it writes nothing where nothing has changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from player.library import scanner as library_scan
from player.library.music_folder import FoundFile, RefusedFile, walk
from player.library.scanner import Scanner
from player.library.store import track_cache as track_cache
from player.library.store.rows import FileRow
from player.library.store.track_cache import TrackCache
from support.sounds.sound_making import write_tone

Look = Callable[[], dict[str, FileRow]]


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    for name in ("a.wav", "Calm/b.wav", "album/c.wav"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_tone(folder / name, seconds=1, hertz=220, level_dbfs=-20)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[TrackCache]:
    found = TrackCache(tmp_path / "cache.sqlite")
    yield found
    found.close()


@pytest.fixture
def look(music: Path, cache: TrackCache) -> Look:
    """Look at the folder and read the headers; what is known then, by file name."""
    root = os.path.realpath(music)

    def again() -> dict[str, FileRow]:
        scanner = Scanner(cache, [root], lambda _path: None)
        scanner.sync()
        while scanner.read_headers():
            pass
        return {os.path.relpath(row.path, root): row for row in cache.rows([root])}

    return again


def moods(rows: dict[str, FileRow]) -> dict[str, tuple[str, float] | None]:
    return {
        name: None if row.given is None else (row.given.source, row.given.arousal)
        for name, row in rows.items()
    }


def test_a_second_look_at_what_has_not_changed_writes_nothing(look: Look, cache: TrackCache) -> None:
    first = look()
    changes = cache._db.total_changes
    assert look() == first
    assert cache._db.total_changes == changes


@pytest.mark.parametrize("longer", [False, True], ids=["time alone", "size"])
def test_a_file_of_another_time_or_size_is_read_again(
    music: Path, cache: TrackCache, look: Look, longer: bool
) -> None:
    first = look()
    before = (music / "a.wav").stat()
    write_tone(music / "a.wav", seconds=2 if longer else 1, hertz=440, level_dbfs=-20)
    if not longer:
        os.utime(music / "a.wav", ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    again = look()
    assert again["a.wav"].changed > first["a.wav"].changed
    assert again["a.wav"].header is not None
    assert again["a.wav"].header.duration_s == pytest.approx(2 if longer else 1)
    assert again["album/c.wav"] == first["album/c.wav"]


def test_a_sidecar_is_noticed_when_it_comes_changes_and_goes(music: Path, look: Look) -> None:
    sidecar = music / "moods.csv"
    assert moods(look())["a.wav"] is None
    sidecar.write_text("path,arousal\na.wav,0.5\n")
    assert moods(look())["a.wav"] == ("sidecar", 0.5)
    sidecar.write_text("path,arousal\na.wav,0.25\nalbum/*,-0.5\n")
    assert (moods(look())["a.wav"], moods(look())["album/c.wav"]) == (("sidecar", 0.25), ("sidecar", -0.5))
    sidecar.unlink()
    assert (moods(look())["a.wav"], moods(look())["album/c.wav"]) == (None, None)


def test_a_folder_rule_is_noticed_when_it_comes_changes_and_goes(music: Path, look: Look) -> None:
    sidecar = music / "moods.toml"
    by_name = moods(look())["Calm/b.wav"]
    assert by_name is not None
    assert by_name[0] == "folder"
    for arousal in (0.75, 0.25):
        sidecar.write_text(
            "".join(f'[[folder]]\npath = "{n}"\narousal = {arousal}\n' for n in ("album", "Calm"))
        )
        found = moods(look())
        assert found == {
            **dict.fromkeys(("Calm/b.wav", "album/c.wav"), ("folder", arousal)),
            "a.wav": None,
        }
    sidecar.unlink()
    assert moods(look()) == {"a.wav": None, "Calm/b.wav": by_name, "album/c.wav": None}


def test_a_folder_that_gets_another_name_loses_its_mood_and_one_can_gain_it(music: Path, look: Look) -> None:
    look()
    (music / "Calm").rename(music / "Elsewhere")
    (music / "album").rename(music / "Energetic")
    found = moods(look())
    assert set(found) == {"a.wav", "Elsewhere/b.wav", "Energetic/c.wav"}
    assert found["Elsewhere/b.wav"] is None
    assert found["Energetic/c.wav"] is not None


def test_a_broken_sidecar_a_broken_file_and_their_mending_are_noticed(music: Path, look: Look) -> None:
    (music / "moods.csv").write_text("path,arousal\na.wav,seven\n")
    (music / "album" / "c.wav").write_bytes(b"no music")
    found = look()
    assert "must be a number" in str(found["moods.csv"].reason)
    assert found["album/c.wav"].reason
    (music / "moods.csv").write_text("path,arousal\na.wav,0.7\n")
    write_tone(music / "album" / "c.wav", seconds=1, hertz=220, level_dbfs=-20)
    found = look()
    assert "moods.csv" not in found
    assert moods(found)["a.wav"] == ("sidecar", 0.7)
    assert found["album/c.wav"].reason is None


def test_another_analyser_measures_everything_again(
    music: Path, cache: TrackCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = os.path.realpath(music)
    scanner = Scanner(cache, [root], lambda _path: None)
    scanner.sync()
    scanner.read_headers()
    while scanner.measure_next():
        pass
    assert cache.without_analysis([root]) == []
    monkeypatch.setattr(track_cache, "ANALYSER_VERSION", track_cache.ANALYSER_VERSION + 1)
    scanner.sync()
    assert len(cache.without_analysis([root])) == 3
    while scanner.measure_next():
        pass
    assert cache.without_analysis([root]) == []


def test_streams_come_change_and_go_with_their_playlist(music: Path, look: Look) -> None:
    playlist = music / "radio.m3u"
    first, second = "http://127.0.0.1:9/one", "http://127.0.0.1:9/two"
    playlist.write_text(f'#EXTM3U\n#EXTINF:-1 arousal="0.5",One\n{first}\n{second}\n')
    found = {row.path: row for row in look().values() if "://" in row.path}
    assert set(found) == {first, second}
    playlist.write_text(f'#EXTM3U\n#EXTINF:-1 arousal="-0.5",Night\n{first}\n{second}\n')
    again = {row.path: row for row in look().values() if "://" in row.path}
    assert again[second] == found[second]
    header = again[first].header
    assert header is not None
    assert header.tagged is not None
    assert (header.title, header.tagged.arousal) == ("Night", -0.5)
    playlist.write_text(f"{second}\n")
    assert [row.path for row in look().values() if "://" in row.path] == [second]


def test_a_long_listing_gives_signs_of_life(
    music: Path, cache: TrackCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    signs: list[str] = []
    monkeypatch.setattr(library_scan, "SIGN_S", 0.0)
    Scanner(cache, [os.path.realpath(music)], signs.append).sync()
    assert signs == [""] * 3, "and names no file that could be to blame"


def test_the_walk_tells_links_apart(music: Path, tmp_path: Path) -> None:
    outside = write_tone(tmp_path / "outside.wav", seconds=1, hertz=220, level_dbfs=-20)
    (music / "in.wav").symlink_to(music / "album" / "c.wav")
    (music / "out.wav").symlink_to(outside)
    (music / "UPPER.WAV").write_bytes(b"x")
    (music / "album" / "inner").symlink_to(tmp_path)
    found = list(walk(music))
    real = Path(os.path.realpath(music))
    files = sorted(item.path for item in found if isinstance(item, FoundFile))
    names = ("Calm/b.wav", "UPPER.WAV", "a.wav", "album/c.wav", "album/c.wav")
    assert files == [str(real / name) for name in names]
    refused = {i.path: i.reason for i in found if isinstance(i, RefusedFile)}
    assert refused.pop(str(real / "out.wav")) == "the link leads outside the music folder"
    assert "link to a folder outside" in refused.pop(str(real / "album" / "inner"))
    assert not refused
