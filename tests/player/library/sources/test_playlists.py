"""Playlists and mood sidecars as strangers write them: entries, or one line that says what is wrong."""

from __future__ import annotations

import pytest

from player.library.sources.mood_tags import MoodRules, SidecarError, read_sidecar
from player.library.sources.playlists import PlaylistError, read_playlist


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.m3u", b'#EXTM3U\n#EXTINF:-1 mood="calm",One\na.mp3\n#EXTINF:3,Two\nhttp://radio.example/b\n'),
        ("a.pls", b"[playlist]\nFile2=http://radio.example/b\nTitle2=Two\nFile01=a.mp3\nTitle01=One\n"),
        (
            "a.xspf",
            (
                b'<playlist xmlns="http://xspf.org/ns/0/"><trackList>'
                b"<track><location>a.mp3</location><title>One</title></track>"
                b"<track><location>http://radio.example/b</location><title>Two</title></track>"
                b"</trackList></playlist>"
            ),
        ),
    ],
)
def test_entries_come_in_order_with_their_titles(name: str, content: bytes) -> None:
    found = [(entry.location, entry.title, entry.is_stream) for entry in read_playlist(content, name)]
    assert found == [("a.mp3", "One", False), ("http://radio.example/b", "Two", True)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pls", b"File1=a.mp3"),
        ("a.pls", b"[other]\nFile1=a.mp3"),
        ("a.xspf", b"<playlist>"),
        ("a.xspf", b'<?xml version="1.0" encoding="nothing"?><playlist/>'),
        ("a.xspf", b'<?xml version="1.0" encoding="gb2312"?><playlist/>'),
        ("a.xspf", b'<!DOCTYPE playlist [<!ENTITY a "b">]><playlist>&a;</playlist>'),
    ],
)
def test_what_is_no_playlist_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(PlaylistError):
        read_playlist(content, name)


def test_a_line_without_end_is_left_out() -> None:
    """Searched for attributes it would keep a core busy for an hour."""
    content = b"#EXTINF:-1 " + b"a" * 1_000_000 + b",One\na.mp3\n"
    assert [entry.title for entry in read_playlist(content, "a.m3u")] == [""]


@pytest.mark.parametrize(
    "content", [b"a = " + b"[" * 100_000, b"track = 1", b"\xff", b"[[track]]\npath = 'a'"]
)
def test_a_sidecar_that_makes_no_sense_is_refused(content: bytes) -> None:
    with pytest.raises(SidecarError):
        read_sidecar(content, "music/moods.toml", MoodRules())
