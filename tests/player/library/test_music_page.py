"""What docs/music.md shows is read as it says."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from player.library.sources.mood_tags import MoodRules, mood_of_words, read_sidecar
from player.library.sources.playlists import read_playlist
from player.music import Mood

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "music.md").read_text(encoding="utf-8")
CALM, ENERGETIC = (mood_of_words(word) for word in ("calm", "energetic"))


def shown(kind: str) -> bytes:
    (block,) = re.findall(rf"^ *```{kind}\n(.*?)^ *```", PAGE, re.DOTALL | re.MULTILINE)
    return textwrap.dedent(block).encode()


def test_the_playlist_gives_streams_with_the_moods_it_names() -> None:
    entries = read_playlist(shown("m3u"), "radio.m3u")
    assert [(entry.title, entry.is_stream, entry.mood) for entry in entries] == [
        ("Night Radio", True, Mood(0.3, -0.6)),
        ("Workout Podcast", True, ENERGETIC),
    ]


@pytest.mark.parametrize(
    ("kind", "path", "mood"),
    [
        ("csv", "/m/Slow Tide.flac", Mood(0.4, -0.7)),
        ("csv", "/m/live/x/encore.mp3", ENERGETIC),
        ("csv", "https://radio.example/day.mp3", Mood(0.2, 0.3)),
        ("toml", "/m/Slow Tide.flac", Mood(None, -0.7)),
        ("toml", "/m/Yoga/one.mp3", CALM),
    ],
)
def test_the_sidecars_say_what_they_seem_to_say(kind: str, path: str, mood: Mood) -> None:
    rules = MoodRules()
    read_sidecar(shown(kind), f"/m/moods.{kind}", rules)
    given = rules.stated(path) or rules.of_folder(path)
    assert given is not None
    assert given.mood() == mood


@pytest.mark.parametrize("name", ["Calm", "Party", "Sleep"])
def test_the_names_of_folders_are_mood_words(name: str) -> None:
    assert f"`{name}`" in PAGE
    assert MoodRules().of_folder(f"/m/{name}/a/b/track.flac") is not None
