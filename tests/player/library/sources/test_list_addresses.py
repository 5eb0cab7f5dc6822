"""Addresses that are playlists or feeds themselves: asked over real HTTP, on this machine."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from player.library.playlist_reading import address_with_login
from player.library.scanner import Scanner
from player.library.sources.list_addresses import AGAIN_S, ListAddresses
from player.library.store.rows import FileRow
from player.library.store.track_cache import TrackCache
from player.library.track_building import build_tracks

FEED = (
    b'<rss><channel><item><title>Two</title><duration>61</duration><enclosure url="2.mp3"/></item>'
    b'<item><title>One</title><enclosure url="http://127.0.0.1:9/1.mp3"/></item></channel></rss>'
)
ANSWERS = {
    "/listen.m3u": ("audio/x-mpegurl", b"#EXTM3U\n#EXTINF:-1,My Radio\nhttp://127.0.0.1:9/live\n"),
    "/mirrors.pls": (
        "audio/x-scpls",
        b"[playlist]\nFile1=http://127.0.0.1:9/groove\nFile2=http://127.0.0.2:9/groove\n",
    ),
    "/show.xml": ("text/xml", FEED),
    "/feed": ("application/rss+xml", FEED),
    "/live.m3u8": ("application/vnd.apple.mpegurl", b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\na.ts\n"),
    "/sound/feed": ("audio/mpeg", b"\xff\xfb\x90\x00" * 100),
    "/hostile.m3u": ("audio/x-mpegurl", b"ftp://127.0.0.1/a\nmms://127.0.0.1/a\n"),
}


class _Handler(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/away.m3u":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
            return
        if self.path == "/locked.m3u" and self.headers.get("Authorization") != "Basic am9lOnMzY3JldA==":
            self.send_error(401)
            return
        kind, body = ANSWERS.get("/listen.m3u" if self.path == "/locked.m3u" else self.path, ("", b""))
        if not kind:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    handler = type("Handler", (_Handler,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", handler.asked
        server.shutdown()


def scanned(music: Path, tmp_path: Path) -> list[FileRow]:
    cache = TrackCache(tmp_path / "cache" / "library.sqlite")
    roots = [os.path.realpath(music)]
    try:
        Scanner(cache, roots, lambda _path: None).sync()
        return list(cache.rows(roots))
    finally:
        cache.close()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/listen.m3u", [("http://127.0.0.1:9/live", "My Radio", 0.0)]),
        ("/mirrors.pls", [("http://127.0.0.1:9/groove", "Station", 0.0)]),
        ("/show.xml", [("http://127.0.0.1:9/1.mp3", "One", 0.0), ("{}/2.mp3", "Two", 61.0)]),
        ("/feed", [("http://127.0.0.1:9/1.mp3", "One", 0.0), ("{}/2.mp3", "Two", 61.0)]),
        ("/live.m3u8", [("{}/live.m3u8", "Station", 0.0)]),
        ("/sound/feed", [("{}/sound/feed", "Station", 0.0)]),
    ],
)
def test_what_stands_at_the_address_is_played(
    server: tuple[str, list[str]], tmp_path: Path, path: str, expected: list[tuple[str, str, float]]
) -> None:
    host, _ = server
    music = tmp_path / "music"
    music.mkdir()
    (music / "radio.m3u").write_text(f"#EXTINF:-1,Station\n{host}{path}\n")
    tracks = build_tracks(scanned(music, tmp_path))
    found = sorted((track.location, track.title, track.duration_s) for track in tracks)
    assert found == sorted((location.format(host), title, length) for location, title, length in expected)


@pytest.mark.parametrize("path", ["/gone.m3u", "/hostile.m3u", "/away.m3u"])
def test_what_cannot_be_used_is_listed_with_a_reason(
    server: tuple[str, list[str]], tmp_path: Path, path: str
) -> None:
    host, _ = server
    music = tmp_path / "music"
    music.mkdir()
    (music / "radio.m3u").write_text(f"{host}{path}\n")
    rows = scanned(music, tmp_path)
    assert build_tracks(rows) == ()
    reason = next(row.reason or "" for row in rows if row.path == f"{host}{path}")
    assert reason.startswith("the list at this address")


def test_a_list_behind_a_password_is_read_and_the_password_kept_nowhere(
    server: tuple[str, list[str]], tmp_path: Path
) -> None:
    host, _ = server
    music = tmp_path / "music"
    music.mkdir()
    with_login = host.replace("//", "//joe:s3cret@")
    (music / "radio.m3u").write_text(f"{with_login}/locked.m3u\n{with_login}/stream\n")
    tracks = build_tracks(scanned(music, tmp_path))
    assert sorted(track.location for track in tracks) == sorted(["http://127.0.0.1:9/live", f"{host}/stream"])
    assert "s3cret" not in repr(tracks)
    for file in (tmp_path / "cache").iterdir():
        assert b"s3cret" not in file.read_bytes()
    assert address_with_login(f"{host}/stream", str(music / "radio.m3u")) == f"{with_login}/stream"


def test_an_address_is_asked_once_an_hour_and_sooner_when_it_failed(server: tuple[str, list[str]]) -> None:
    host, asked = server
    now_s = [0.0]
    addresses = ListAddresses(lambda _path: None, clock=lambda: now_s[0])
    for _ in range(3):
        addresses.entries(f"{host}/listen.m3u")
        addresses.entries(f"{host}/gone.m3u")
    assert asked == ["/listen.m3u", "/gone.m3u"]
    assert not addresses.due()
    now_s[0] = AGAIN_S + 1
    assert addresses.due()
    addresses.entries(f"{host}/listen.m3u")
    addresses.entries(f"{host}/gone.m3u")
    assert asked == ["/listen.m3u", "/gone.m3u", "/gone.m3u"]
