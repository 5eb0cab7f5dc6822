"""A server of music that lies, breaks off, leads astray or is none: one line each, and the music goes on."""

from __future__ import annotations

import hashlib
import io
import json
import os
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import soundfile
import trustme

from player.deck import MIX_RATE_HZ
from player.library.library import Library, LibraryError
from player.library.music_folder import SOURCE_SUFFIXES
from player.library.source_reading import SourceLists, header_of
from player.library.sources.servers import web_requests
from player.library.sources.servers.remote_file import BLOCK_BYTES
from player.library.sources.servers.source import SourceTrack
from player.library.sources.servers.source_errors import MusicServerError, TrackMissingError
from player.library.sources.servers.source_opening import KINDS, open_source
from player.library.track_opening import PlayedTracks
from support.sounds.playback_rig import tone
from support.waiting import SCAN_PATIENCE_S, wait_until

PASSWORD = "s3cret"
SOUND = os.urandom(5 * BLOCK_BYTES + 77)
Answer = Callable[["Handler", dict[str, str]], None]


class Handler(BaseHTTPRequestHandler):
    """Answers by what the test has set on the server."""

    server: Any

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {key: values[0] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        self.server.asked.append((parts.path, asked))
        call = parts.path.rpartition("/")[2].removesuffix(".view")
        self.server.answers.get(call, not_there)(self, asked)

    def reply(self, body: bytes, kind: str = "application/json", status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            if value:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def say(self, **content: object) -> None:
        self.reply(json.dumps({"subsonic-response": {"status": "ok", **content}}).encode())

    def log_message(self, *_: object) -> None: ...


def not_there(handler: Handler, _asked: dict[str, str]) -> None:
    handler.say(status="failed", error={"code": 70, "message": "not found"})


def songs(*found: object) -> Answer:
    def answer(handler: Handler, asked: dict[str, str]) -> None:
        first = int(asked["songOffset"])
        handler.say(searchResult3={"song": found[first : first + int(asked["songCount"])]})

    return answer


def sound(handler: Handler, _asked: dict[str, str]) -> None:
    wanted = handler.headers.get("Range", "")
    if not wanted:
        handler.reply(SOUND, "audio/flac")
        return
    first = int(wanted.removeprefix("bytes=").rstrip("-"))
    place = f"bytes {first}-{len(SOUND) - 1}/{len(SOUND)}"
    handler.reply(SOUND[first:], "audio/flac", 206, Content_Range=place)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._folder = folder
        self._scheme = "http" if context is None else "https"
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, *_: object) -> None: ...

    def account(self, **more: str) -> Path:
        path = self._folder / "home.subsonic"
        words = {
            "address": f'"{self._scheme}://127.0.0.1:{self.server_port}"',
            "user": '"ada"',
            "password": f'"{PASSWORD}"',
        }
        path.write_text("\n".join(f"{key} = {value}" for key, value in (words | more).items()))
        path.chmod(0o600)
        return path

    def location(self, song: str = "1") -> str:
        return f"subsonic://127.0.0.1:{self.server_port}/{song}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    one = Server(tmp_path)
    try:
        yield one
    finally:
        one.shutdown()
        one.server_close()


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(MusicServerError) as caught:
        act()
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 300
    assert PASSWORD not in said
    assert "t=" not in said
    return said


def test_the_password_goes_as_a_salted_token_each_time_another(server: Server) -> None:
    server.answers["search3"] = songs()
    source = open_source(server.account())
    for _ in range(2):
        assert list(source.tracks()) == []
    salts = set()
    for _, asked in server.asked:
        assert asked["u"] == "ada"
        assert "p" not in asked
        assert asked["t"] == hashlib.md5(f"{PASSWORD}{asked['s']}".encode()).hexdigest()  # noqa: S324
        salts.add(asked["s"])
    assert len(salts) == 2


def test_tens_of_thousands_are_asked_for_by_pages(server: Server) -> None:
    server.answers["search3"] = songs(
        *({"id": str(n), "title": f"T{n}", "duration": 200} for n in range(12_345))
    )
    found = list(open_source(server.account()).tracks())
    assert len({track.location for track in found}) == 12_345
    assert len(server.asked) == 25


def test_a_server_that_says_the_same_page_for_ever_comes_to_an_end(server: Server) -> None:
    page = [{"id": n, "title": "again", "duration": 100} for n in range(500)]
    server.answers["search3"] = lambda handler, _asked: handler.say(searchResult3={"song": page})
    assert len(list(open_source(server.account()).tracks())) == 500


def test_half_an_album_that_is_rubbish_costs_the_other_half_nothing(server: Server) -> None:
    good = [
        {
            "id": "a/b?c&d",
            "title": "One",
            "artist": "Ada",
            "duration": 61,
            "starred": "2026-01-01T00:00:00Z",
            "album": "Engines",
            "albumId": "al-1",
            "track": 7,
            "discNumber": 2,
            "replayGain": {"trackGain": -7.5, "trackPeak": 0.98},
        },
        {"id": 7, "title": "Two"},
    ]
    bad: list[object] = [
        "x",
        None,
        3,
        {"title": "no id"},
        {"id": ""},
        {"id": "d", "isDir": True},
        {"id": "v", "isVideo": True},
        {"id": "z" * 9000},
        {"id": "q", "duration": "NaNa"},
        {"id": "r", "track": "x"},
        {"id": ["l"]},
    ]
    server.answers["search3"] = songs(*bad[:5], *good, *bad[5:])
    found = list(open_source(server.account()).tracks())
    assert [track.title for track in found] == ["One", "Two"]
    header = header_of(found[0])
    assert header.loudness_lufs == pytest.approx(-10.5)
    assert header.liked
    assert (header.album, header.album_artist, header.part) == ("Engines", "al-1", 2007)
    assert header.duration_s == 61
    assert found[0].location.endswith("/a%2Fb%3Fc%26d")
    assert header_of(found[1]).duration_s == 0


@pytest.mark.parametrize("gain_db", [None, float("nan"), 900.0, -900.0])
def test_what_no_recording_can_be_is_not_believed(gain_db: float | None) -> None:
    track = SourceTrack("subsonic://h/1", "\x1b[31mred\nline", "", "", float("inf"), gain_db, float("nan"))
    header = header_of(track)
    assert header.loudness_lufs is None
    assert header.true_peak_dbtp is None
    assert header.duration_s == 0
    assert header.title.isprintable()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda handler, _asked: handler.reply(b"<html>Sign in</html>", "text/html"), "text/html"),
        (lambda handler, _asked: handler.reply(b"{}"), "not as Subsonic"),
        (lambda handler, _asked: handler.reply(b'{"subsonic-response": []}'), "not as Subsonic"),
        (lambda handler, _asked: handler.reply(b"", status=502), "502"),
        (lambda handler, _asked: handler.reply(b"no", "text/plain", 401), "401"),
        (
            lambda handler, _asked: handler.say(
                status="failed", error={"code": 40, "message": "Wrong\nuser"}
            ),
            "error 40: Wrong user",
        ),
        (lambda handler, _asked: handler.say(status="failed", error={"code": 41}), 'login = "password"'),
        (
            lambda handler, _asked: handler.reply(b'{"subs', Content_Length="999"),
            "not as Subsonic|promised|ends",
        ),
    ],
)
def test_what_is_no_list_is_one_line(server: Server, answer: Answer, words: str) -> None:
    import re

    server.answers["search3"] = server.answers["stream"] = answer
    source = open_source(server.account())
    assert re.search(words, refusal(lambda: list(source.tracks())))
    if words != "not as Subsonic|promised|ends":
        assert refusal(lambda: source.open(server.location()))


def test_an_answer_without_end_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    from player.library.sources.servers import subsonic_source

    monkeypatch.setattr(subsonic_source, "MAX_ANSWER_BYTES", 1 << 16)

    def endless(handler: Handler, _asked: dict[str, str]) -> None:
        handler.reply(b"{", Content_Length="")
        for _ in range(64):
            handler.wfile.write(b" " * 65536)

    server.answers["search3"] = endless
    source = open_source(server.account())
    assert "larger" in refusal(lambda: list(source.tracks()))


def test_one_that_says_nothing_is_not_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_requests, "TIMEOUT_S", 0.2)
    over = threading.Event()
    server.answers["search3"] = lambda _handler, _asked: over.wait(60) and None
    source = open_source(server.account())
    assert "says nothing" in refusal(lambda: list(source.tracks()))
    over.set()


def test_a_track_that_is_there_no_more_is_told_from_a_server_that_is_away(server: Server) -> None:
    source = open_source(server.account())
    with pytest.raises(TrackMissingError):
        source.open(server.location())
    with pytest.raises(TrackMissingError, match="another server"):
        source.open("subsonic://elsewhere/1")


# what is sent of a file


def test_a_file_is_read_from_any_place_and_only_what_is_needed(server: Server) -> None:
    server.answers["stream"] = sound
    with open_source(server.account()).open(server.location()) as file:
        assert file.seek(-100, io.SEEK_END) == len(SOUND) - 100
        assert file.read() == SOUND[-100:]
        file.seek(3 * BLOCK_BYTES - 5)
        assert file.read(10) == SOUND[3 * BLOCK_BYTES - 5 :][:10]
        file.seek(0)
        assert file.read() == SOUND
        assert file.seek(10 * len(SOUND)) == 10 * len(SOUND)
        assert file.read(5) == b""


def test_one_without_ranges_and_one_without_a_length_are_read_whole(server: Server) -> None:
    def chunked(handler: Handler, _asked: dict[str, str]) -> None:
        handler.reply(SOUND, "audio/mpeg", Content_Length="")

    for answer in (lambda handler, _asked: handler.reply(SOUND, "audio/flac"), chunked):
        server.answers["stream"] = answer
        with open_source(server.account()).open(server.location()) as file:
            assert file.seek(0, io.SEEK_END) == len(SOUND)
            file.seek(2 * BLOCK_BYTES)
            assert file.read(9) == SOUND[2 * BLOCK_BYTES :][:9]
            file.seek(0)
            assert file.read() == SOUND


def test_one_that_promises_more_than_it_has_is_asked_again_and_then_one_line(server: Server) -> None:
    server.answers["stream"] = lambda handler, _asked: handler.reply(
        SOUND, "audio/flac", Content_Length=str(len(SOUND) + 5 * BLOCK_BYTES)
    )
    with open_source(server.account()).open(server.location()) as file:
        assert file.read(3 * BLOCK_BYTES) == SOUND[: 3 * BLOCK_BYTES], "what is there is played"
        assert "of" in refusal(file.read)
    assert len(server.asked) > 1


def test_one_that_promises_less_is_read_as_far_as_it_promised(server: Server) -> None:
    server.answers["stream"] = lambda handler, _asked: handler.reply(
        SOUND, "audio/flac", Content_Length="1000"
    )
    with open_source(server.account()).open(server.location()) as file:
        assert file.read() == SOUND[:1000]


def test_one_that_breaks_off_midway_is_gone_on_with_from_there(server: Server) -> None:
    broken = []

    def breaking(handler: Handler, asked: dict[str, str]) -> None:
        if len(broken) < 3:
            broken.append(handler.headers["Range"])
            first = int(broken[-1].removeprefix("bytes=").rstrip("-"))
            place = f"bytes {first}-{len(SOUND) - 1}/{len(SOUND)}"
            length = str(len(SOUND) - first)
            part = SOUND[first : first + BLOCK_BYTES + 50]
            handler.reply(part, "audio/flac", 206, Content_Range=place, Content_Length=length)
        else:
            sound(handler, asked)

    server.answers["stream"] = breaking
    with open_source(server.account()).open(server.location()) as file:
        assert file.read() == SOUND
    assert len(set(broken)) == 3


def test_what_was_fetched_ahead_outlives_the_server(server: Server) -> None:
    server.answers["stream"] = sound
    account = str(server.account())
    played = PlayedTracks()
    with played.open(account, server.location()) as file:
        wait_until(lambda: file._content._is_behind(len(file._content._have)), "all of it came")  # type: ignore[attr-defined]
    server.answers.clear()
    with played.open(account, server.location()) as file:
        assert file.read() == SOUND
    played.close()
    with pytest.raises(OSError, match="no more"):
        played.open(account, server.location())


# where it leads, and who it is


def redirect_to(place: str) -> Answer:
    def answer(handler: Handler, _asked: dict[str, str]) -> None:
        handler.reply(b"", status=302, Location=place)

    return answer


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1:9/x",
        "http://169.254.169.254/latest",
        "http://[::1]/",
        "http://localhost:1/",
        "file:///etc/passwd",
        "ftp://example.org/x",
        "http://no.such.host.invalid/",
    ],
)
def test_to_inner_addresses_and_other_protocols_nobody_is_led(server: Server, place: str) -> None:
    server.answers["stream"] = server.answers["search3"] = redirect_to(place)
    source = open_source(server.account())
    for act in (lambda: list(source.tracks()), lambda: source.open(server.location())):
        said = refusal(act)
        assert "leads on" in said or "answers 302" in said


def test_where_the_owner_allows_it_another_host_within_is_followed(server: Server, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Server(tmp_path / "other")
    other.answers["song"] = sound
    server.answers["stream"] = redirect_to(f"http://127.0.0.1:{other.server_port}/song")
    with open_source(server.account(redirects_inside="true")).open(server.location()) as file:
        assert file.read(100) == SOUND[:100]
    assert other.asked == [("/song", {})], "no token goes along"
    other.shutdown()
    other.server_close()


def test_a_certificate_that_nobody_vouches_for_is_refused_and_one_of_the_owners_is_not(
    tmp_path: Path,
) -> None:
    ours, others = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.issue_cert("127.0.0.1").configure_cert(context)
    server = Server(tmp_path, context)
    server.answers["search3"] = songs({"id": "1", "title": "One", "duration": 60})
    for name, authority in (("ours", ours), ("others", others)):
        authority.cert_pem.write_to_path(str(tmp_path / f"{name}.pem"))
    try:
        for more in ({}, {"ca_file": '"others.pem"'}):
            source = open_source(server.account(**more))
            assert "certificate is not believed" in refusal(lambda source=source: list(source.tracks()))  # type: ignore[misc]
        trusted = open_source(server.account(ca_file='"ours.pem"'))
        assert [track.title for track in trusted.tracks()] == ["One"]
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"address": '"ftp://x"'}, "address must be"),
        ({"address": '"http://ada:pw@host"'}, "address must be"),
        ({"address": '"http://host/?a=b"'}, "address must be"),
        ({"address": '"http://host:99999"'}, "address must be"),
        ({"user": '""'}, "user must be"),
        ({"password": '"a\\u0007b"'}, "password must be"),
        ({"pasword": '"x"'}, "pasword"),
        ({"format": '"wma"'}, "format"),
        ({"bitrate_kbit": "-1"}, "bitrate_kbit"),
        ({"ca_file": '"gone.pem"'}, "ca_file"),
        ({"password": PASSWORD}, "no TOML"),
        ({"address": '"http://music.example"', "login": '"password"'}, "https"),
    ],
)
def test_a_file_that_names_no_server_is_one_line_at_the_start(
    server: Server, tmp_path: Path, more: dict[str, str], words: str
) -> None:
    account = server.account(**more)
    with pytest.raises(LibraryError, match=words) as caught:
        Library.open([account], tmp_path / "cache")
    assert PASSWORD not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_others_may_read_is_not_used(server: Server, tmp_path: Path) -> None:
    account = server.account()
    account.chmod(0o644)
    with pytest.raises(LibraryError, match="chmod 600"):
        Library.open([account], tmp_path / "cache")


def test_a_server_that_goes_takes_its_tracks_along_until_it_is_back(server: Server) -> None:
    server.answers["search3"] = songs({"id": "1", "title": "One", "duration": 60})
    now, said = [0.0], []
    lists = SourceLists(lambda _path: None, said.append, lambda: now[0])
    root = str(server.account())
    assert len(lists.headers(root)) == 1
    asked = len(server.asked)
    assert len(lists.headers(root)) == 1
    assert len(server.asked) == asked, "it is not asked at each look"
    server.answers["search3"] = lambda handler, _asked: handler.reply(b"", status=503)
    for _ in range(3):
        now[0] += 10_000
        assert lists.due()
        with pytest.raises(OSError, match="503"):
            lists.headers(root)
    assert len(said) == 1, "told once"
    server.answers["search3"] = songs(
        {"id": "1", "title": "One", "duration": 60}, {"id": "2", "title": "Two"}
    )
    assert len(lists.headers(root)) == 2


def test_what_a_server_lists_in_vain_is_refused_and_the_rest_is_the_library(
    server: Server, tmp_path: Path
) -> None:
    written = io.BytesIO()
    soundfile.write(written, tone(5.0, 440), MIX_RATE_HZ, format="FLAC")
    server.answers["search3"] = songs(
        {"id": "1", "title": "One", "artist": "A", "duration": 5}, {"id": "2", "title": "Gone", "duration": 5}
    )

    def first_alone(handler: Handler, asked: dict[str, str]) -> None:
        if asked["id"] == "1":
            handler.reply(written.getvalue(), "audio/flac")
        else:
            not_there(handler, asked)

    server.answers["stream"] = first_alone
    with Library.open([server.account()], tmp_path / "cache") as library:
        assert library.wait_idle(SCAN_PATIENCE_S)
        assert [(track.title, track.mood_source) for track in library.tracks] == [("One", "analysis")]
        (refused,) = library.refused
        assert refused.path == server.location("2")
        assert "no more" in refused.reason


def test_each_kind_of_source_has_its_ending() -> None:
    assert set(KINDS) == SOURCE_SUFFIXES
