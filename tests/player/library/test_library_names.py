"""Folders that speak for a mood, and tracks that are called by what the list shows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from daemon.commands.library import library
from player.library.commands import find_track, list_tracks, scan_library, show_track, tag_track
from player.library.library import LibraryError
from player.library.sources.mood_tags import MoodRules
from support.sounds.sound_making import write_tone
from support.sounds.track_making import make_track

FIELD = Path(__file__).resolve().parents[4] / "shared" / "field" / "folder_names.txt"


@pytest.mark.parametrize(
    "folder",
    [
        *("Quiet Riot/Metal Health", "Miles Davis/Kind of Blue", "Blue Öyster Cult/Agents", "Gentle Giant"),
        *("Simply Red/Blue Note", "Calm.Down", "The Dark Side of the Moon", "calm-ish", "Party at Work", ""),
    ],
)
def test_a_mood_word_within_a_name_says_nothing(folder: str) -> None:
    rules = MoodRules(root="/any/work/music")
    assert rules.of_folder(os.path.join("/any/work/music", folder, "a.mp3")) is None  # noqa: PTH118


@pytest.mark.skipif(not FIELD.exists(), reason="the shared inputs are not there")
def test_the_shared_folder_names_say_nothing() -> None:
    rules = MoodRules(root="/any/work/music")
    for line in FIELD.read_text(encoding="utf-8").splitlines()[1:]:
        folder = "" if line.startswith("root is") else line
        assert rules.of_folder(os.path.join("/any/work/music", folder, "a.mp3")) is None, line  # noqa: PTH118


@pytest.mark.parametrize("folder", ["Calm", "party", "Rock/ SLEEP /Disc 1/a/b/c"])
def test_a_folder_that_is_called_a_mood_speaks_for_all_below(folder: str) -> None:
    mood = MoodRules(root="/music").of_folder(f"/music/{folder}/a.mp3")
    assert mood is not None
    assert mood.source == "folder"
    assert mood.by.strip().casefold() in folder.casefold()


def test_a_folder_above_the_root_says_nothing() -> None:
    assert MoodRules(root="/home/calm/work").of_folder("/home/calm/work/a.mp3") is None


@pytest.fixture
def scanned(tmp_path: Path) -> tuple[list[Path], Path]:
    music = tmp_path / "music"
    for name in ("Calm/[Live] x.wav", "Calm/y.wav", "What?.wav", "Whats.wav", "moo*.wav"):
        (music / name).parent.mkdir(parents=True, exist_ok=True)
        write_tone(music / name, seconds=1, hertz=220, level_dbfs=-20)
    scan_library([music], tmp_path / "cache")
    return [music], tmp_path / "cache"


@pytest.mark.parametrize("name", ["[Live] x", "What?", "moo*"])
def test_a_tag_fits_the_track_that_it_was_given_to_and_no_other(
    scanned: tuple[list[Path], Path], name: str
) -> None:
    before = {track["title"]: track["mood_source"] for track in list_tracks(*scanned)}
    tag_track(*scanned, name, "0.5,-0.25")
    tag_track(*scanned, name, "0.5,0.75")
    scan_library(*scanned)
    after = {track["title"]: track["mood_source"] for track in list_tracks(*scanned)}
    assert after == {**before, name: "sidecar"}
    shown = show_track(*scanned, name)
    assert shown["mood"]["arousal"] == 0.75
    assert shown["mood_said_by"].endswith("moods.csv")
    assert len((scanned[0][0] / "moods.csv").read_text().splitlines()) == 2


@pytest.mark.parametrize("name", ["moods.csv", "moods.toml"])
def test_a_tag_is_believed_before_what_a_deeper_sidecar_said(
    scanned: tuple[list[Path], Path], name: str
) -> None:
    said = {
        "moods.csv": "path,arousal\ny.wav,-0.5\n",
        "moods.toml": "[[track]]\npath='y.wav'\narousal=-0.5\n",
    }
    (scanned[0][0] / "Calm" / name).write_text(said[name])
    tag_track(*scanned, "y.wav", "0.1,0.75")
    scan_library(*scanned)
    assert show_track(*scanned, "y.wav")["mood"]["arousal"] == 0.75


def test_a_row_that_names_a_file_with_brackets_fits_it(scanned: tuple[list[Path], Path]) -> None:
    (scanned[0][0] / "moods.csv").write_text("path,arousal\nCalm/[Live] x.wav,0.5\n")
    scan_library(*scanned)
    assert show_track(*scanned, "[Live] x")["mood"]["arousal"] == 0.5


def test_a_tag_given_through_a_playlist_is_believed(scanned: tuple[list[Path], Path]) -> None:
    playlist = scanned[0][0] / "evening.m3u"
    playlist.write_text("Calm/y.wav\nWhats.wav\n")
    scan_library([playlist], scanned[1])
    tag_track([playlist], scanned[1], "Whats", "calm")
    scan_library([playlist], scanned[1])
    assert show_track([playlist], scanned[1], "Whats")["mood_source"] == "sidecar"


def test_show_says_who_spoke(scanned: tuple[list[Path], Path]) -> None:
    assert show_track(*scanned, "y.wav")["mood_said_by"] == "the name of the folder 'Calm'"
    assert "measurements" in show_track(*scanned, "Whats")["mood_said_by"]


def test_every_line_of_the_list_can_be_shown(scanned: tuple[list[Path], Path]) -> None:
    run = CliRunner().invoke
    environment = {"NEUROPLAYER_CACHE_DIR": str(scanned[1])}
    listed = run(library, ["list", "--music", str(scanned[0][0])], env=environment)
    lines = listed.output.splitlines()
    assert len(lines) == 5
    for line in lines:
        for name in (line, line.split()[0], line.split("  ")[-1].strip()):
            shown = run(library, ["show", "--music", str(scanned[0][0]), "--", name], env=environment)
            assert shown.exit_code == 0, (name, shown.output)
            assert line.split()[0] in shown.output


def test_two_tracks_of_one_title_are_told_apart_by_what_the_message_shows() -> None:
    tracks = (make_track("Frantic", artist="One"), make_track("Frantic (Live)", artist="Two"))
    assert find_track(tracks, "frantic") is tracks[0]
    twins = tuple(make_track(f"id {n}", artist=artist) for n, artist in enumerate(("One", "Two")))
    twins = tuple(type(t)(**{**{f: getattr(t, f) for f in t.__slots__}, "title": "Frantic"}) for t in twins)
    with pytest.raises(LibraryError, match=r"id 0.*id 1"):
        find_track(twins, "Frantic")
    assert find_track(twins, "Frantic (Two)") is twins[1]
    assert find_track(twins, "id 0") is twins[0]
