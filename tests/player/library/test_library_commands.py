from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from player.library.commands import (
    draw_library_map,
    list_refused,
    list_tracks,
    scan_library,
    show_track,
    tag_track,
)
from player.library.library import EmptyLibraryError, LibraryError
from player.library.library_map import SIZE, MapError, as_svg, draw_map, marks
from support.sounds.sound_making import write_tone
from support.sounds.track_making import ladder, make_track

pytestmark = pytest.mark.timeout(300)
"""What is waited for is done behind everything else on the machine."""


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], Path]:
    base = tmp_path_factory.mktemp("commands")
    music = base / "music"
    music.mkdir()
    write_tone(music / "low hum.wav", seconds=2, hertz=110, level_dbfs=-25)
    write_tone(music / "high hum.wav", seconds=2, hertz=880, level_dbfs=-12)
    (music / "bad.mp3").write_bytes(b"\xff\xfb" + bytes(100))
    scan_library([music], base / "cache")
    return [music], base / "cache"


def test_scan_reports_counts_and_refusals_as_plain_values(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    write_tone(music / "a.wav", seconds=1, hertz=110, level_dbfs=-25)
    (music / "b.mp3").touch()
    seen = []
    report = scan_library([music], tmp_path / "cache", seen.append)
    assert seen[-1].idle
    assert (report["playable"], report["measured"]) == (1, 1)
    assert report["refused"] == [{"path": str(music / "b.mp3"), "reason": "is empty"}]
    json.dumps(report)


def test_list_and_show_answer_from_the_cache(scanned: tuple[list[Path], Path]) -> None:
    folders, cache = scanned
    tracks = list_tracks(folders, cache)
    assert [track["title"] for track in tracks] == ["high hum", "low hum"]
    json.dumps(tracks)
    by_title = show_track(folders, cache, "low")
    assert by_title == show_track(folders, cache, by_title["id"])
    assert by_title == show_track(folders, cache, by_title["location"])
    assert [Path(one["path"]).name for one in list_refused(folders, cache)] == ["bad.mp3"]
    with pytest.raises(LibraryError, match="2 tracks match 'hum'"):
        show_track(folders, cache, "hum")
    with pytest.raises(LibraryError, match="no track is called 'nothing'"):
        show_track(folders, cache, "nothing")


def test_nothing_scanned_is_an_empty_list_and_no_map(tmp_path: Path) -> None:
    assert list_tracks([tmp_path], tmp_path / "cache") == []
    with pytest.raises(EmptyLibraryError, match="scan"):
        draw_library_map([tmp_path], tmp_path / "cache", tmp_path / "map.svg")


def test_tag_writes_a_sidecar_that_the_next_scan_believes(tmp_path: Path) -> None:
    music = tmp_path / "music"
    (music / "inner").mkdir(parents=True)
    write_tone(music / "inner" / "song, with comma.wav", seconds=1, hertz=110, level_dbfs=-25)
    write_tone(music / "other.wav", seconds=1, hertz=110, level_dbfs=-25)
    cache = tmp_path / "cache"
    scan_library([music], cache)
    tag_track([music], cache, "comma", "0.5,-0.25")
    tag_track([music], cache, "other", "calm")
    tag_track([music], cache, "comma", "0.5,-0.75")
    with pytest.raises(LibraryError, match="mood 'grumbly' must be a word such as calm"):
        tag_track([music], cache, "comma", "grumbly")
    scan_library([music], cache)
    shown = show_track([music], cache, "comma")
    assert (shown["mood_source"], shown["mood"]) == ("sidecar", {"valence": 0.5, "arousal": -0.75})
    assert show_track([music], cache, "other")["mood"]["arousal"] < -0.5
    assert len((music / "moods.csv").read_text(encoding="utf-8").splitlines()) == 3


def test_tag_leaves_a_broken_sidecar_alone(scanned: tuple[list[Path], Path]) -> None:
    folders, cache = scanned
    sidecar = folders[0] / "moods.csv"
    sidecar.write_text("path,arousal\nx.wav,seven\n", encoding="utf-8")
    try:
        with pytest.raises(LibraryError, match=r"arousal must be a number within -1..1, got 'seven'"):
            tag_track(folders, cache, "low", "calm")
        assert "seven" in sidecar.read_text(encoding="utf-8")
    finally:
        sidecar.unlink()


def test_the_map_is_well_formed_whatever_the_titles(tmp_path: Path) -> None:
    tracks = (*ladder(5), make_track("</text><script>&\"'", 0.5, -0.5))
    root = ElementTree.fromstring(as_svg(tracks))  # noqa: S314
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert "script" not in names
    dots = [element for element in root.iter() if element.tag.endswith("title")]
    assert len(dots) == 6


def test_the_map_puts_lively_above_calm_and_bright_to_the_right() -> None:
    calm, lively = marks((make_track("calm", -0.8, -0.5), make_track("lively", 0.8, 0.5)))
    assert lively.y < calm.y
    assert lively.x > calm.x


def test_the_map_is_written_as_png_or_svg_and_nothing_else(tmp_path: Path) -> None:
    draw_map(ladder(60), tmp_path / "map.svg")
    draw_map(ladder(60), tmp_path / "map.png")
    with Image.open(tmp_path / "map.png") as image:
        assert image.size == (SIZE, SIZE)
        assert len(image.getcolors(1 << 24) or []) > 3
    with pytest.raises(MapError, match=r"not as 'map.pdf'"):
        draw_map(ladder(3), tmp_path / "map.pdf")
