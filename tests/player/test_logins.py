"""Whatever stands in a password: it reaches the server that it is for, and no text and no file."""

from __future__ import annotations

import base64
import logging
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.configuration import values
from daemon.errors import BadInputError
from daemon.mqtt.topics import TopicError, checked_node
from daemon.processes.logs import JsonFormatter, _HumanLines
from daemon.wearers.wearer import WearerError, checked_wearer
from player.choice.targets import UnknownTargetError, parse_target
from player.library.commands import cached_tracks, list_refused, list_tracks, scan_library
from player.library.playlist_reading import address_with_login
from player.library.sources.list_addresses import ListAddresses
from player.library.sources.mood_tags import read_rules
from player.location import Location, openable, printable_spec, printable_text, quoted, without_login

SECRET = "S3cr3t"
NOISE = st.text(st.sampled_from("@/#?:%[]&=+ab1!~;,\\"), max_size=8)
PASSWORDS = st.tuples(NOISE, NOISE).map(lambda ends: f"a{ends[0]}{SECRET}{ends[1]}z")
HOSTS = st.sampled_from(["host", "127.0.0.1:1", "[::1]:8000", "radio.example.org", "nas:8000"])
USERS = st.sampled_from(["joe", "joe.doe", "", "j%20d"])
# the last two stand for a host, too: other programs read them so, and they must be written with %2F
NAMED = [
    "a@b/c",
    "a#b",
    "a?b",
    "a:b",
    "a/b",
    "100%",
    "a%2Fb",
    "@",
    "//",
    "a@b@c",
    "a[b",
    "1234/x",
    "x@y.org/z",
]


@given(PASSWORDS, HOSTS, USERS)
def test_the_rule_leaves_nothing_of_a_login_in_an_address(password: str, host: str, user: str) -> None:
    address = f"http://{user}:{password}@{host}/radio.mp3"
    assert without_login(address) == f"http://{host}/radio.mp3"
    for text in (str(Location(address)), printable_spec(address), printable_text(f"{address!r} broke")):
        assert SECRET not in text
    for limit in (20, 40, 80):
        assert SECRET not in quoted(address, limit)


@given(
    PASSWORDS.filter(lambda secret: "%" not in secret), st.sampled_from(["host", "127.0.0.1:1", "[::1]:8000"])
)
def test_what_is_opened_is_read_by_others_as_it_was_meant(password: str, host: str) -> None:
    parts = urlsplit(openable(f"http://joe:{password}@{host}/radio.mp3"))
    if "@" in password and "." in password:
        return
    assert (parts.username, unquote(parts.password or "")) == ("joe", password)
    assert (parts.netloc.rpartition("@")[2], parts.path) == (host, "/radio.mp3")


@pytest.mark.parametrize(
    "address",
    [
        "https://medium.org/feed/@user",
        "http://radio.org:8000/a.mp3?mail=joe@example.org",
        "http://[::1]:8000/a@2x.mp3",
        "http://joe@host/a.mp3",
        "http://joe:pw@radio.org/feed/@user",
        "http://joe:a%40b%2Fc@host/a.mp3",
        "/home/joe/a@b.mp3",
    ],
)
def test_an_address_that_is_one_is_opened_as_it_stands(address: str) -> None:
    assert openable(address) == address


def _told(address: str) -> Iterator[str]:
    """What each way in says of an address that it does not take."""
    for way in (
        *(values.parse_broker, values.parse_web, values.parse_duration, values.parse_speed),
        *(values.parse_baseline, values.check_output, values.check_music, values.check_lsl_name),
        *(values.check_target, values.check_source, checked_node, checked_wearer, parse_target),
    ):
        try:
            way(address)
        except (BadInputError, TopicError, WearerError, UnknownTargetError) as error:
            yield f"{way.__name__}: {error}"
    record = logging.LogRecord("x", logging.WARNING, "", 0, "%s: gone", (address,), None)
    yield _HumanLines("%(message)s").format(record)
    yield JsonFormatter("player").format(record)


@given(PASSWORDS, st.sampled_from(["http", "mqtt", "ftp"]), st.integers(0, 90))
def test_no_way_in_repeats_a_password_not_even_a_piece_of_a_long_one(
    password: str, scheme: str, ahead: int
) -> None:
    address = f"{scheme}://joe:a@{'x' * ahead}{password}@host/radio.mp3"
    assert [text for text in _told(address) if SECRET in text] == []


@contextmanager
def _library(lines: str, name: str = "radio.m3u") -> Iterator[tuple[Path, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        music = Path(folder) / "music"
        music.mkdir()
        (music / name).write_text(lines)
        yield music, Path(folder) / "cache"


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(PASSWORDS, HOSTS), min_size=12, max_size=12))
def test_no_playlist_leaves_a_password_in_the_library(logins: list[tuple[str, str]]) -> None:
    stations = {
        f"http://{host}/{number}.mp3": f"http://joe:{password}@{host}/{number}.mp3"
        for number, (password, host) in enumerate(logins)
    }
    lines = ["#EXTM3U"]
    for address in stations.values():
        bare = address.partition("://")[2]
        lines += [
            f"#EXTINF:-1,At {address} now",
            address,
            f"mms://{bare}",
            bare,
            f"//{bare}",
            f"http:/{bare}",
        ]
    with _library("\n".join(lines)) as (music, cache):
        said = scan_library([music], cache)
        tracks = cached_tracks([music], cache)
        assert {track.location for track in tracks} == stations.keys()
        for location, address in stations.items():
            assert address_with_login(location, str(music / "radio.m3u")) == address, "it is played with it"
        for text in (said, tracks, list_tracks([music], cache), list_refused([music], cache)):
            assert SECRET not in repr(text)
        kept = [path for path in cache.rglob("*") if path.is_file()]
        assert [path for path in kept if SECRET.encode() in path.read_bytes()] == []


@given(PASSWORDS)
def test_a_sidecar_that_names_an_address_is_refused_without_it(password: str) -> None:
    address = f"http://joe:{password}@host/a.mp3"
    with _library(f"[[track]]\npath = '{address}'\nmood = \"{SECRET[::-1]}\"\n", "moods.toml") as (music, _):
        _, broken = read_rules(music, [str(music / "moods.toml")])
        assert len(broken) == 1
        assert SECRET not in repr(broken)


class _Locked(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        kind, _, login = self.headers.get("Authorization", "").partition(" ")
        self.asked.append(base64.b64decode(login).decode() if kind == "Basic" else "")
        body = b"#EXTM3U\nhttp://127.0.0.1:9/live\n"
        self.send_response(200)
        self.send_header("Content-Type", "audio/x-mpegurl")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.mark.parametrize("password", NAMED[:-2])
def test_a_server_is_told_the_whole_password_and_nobody_else_any(password: str) -> None:
    handler = type("Handler", (_Locked,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://joe:{password}@127.0.0.1:{server.server_address[1]}/list.m3u"
        found, why = ListAddresses(lambda _path: None).entries(address)
        server.shutdown()
    assert [entry.location for entry in found] == ["http://127.0.0.1:9/live"], why
    assert handler.asked == [f"joe:{unquote(password) if password == 'a%2Fb' else password}"]


@pytest.mark.parametrize("password", NAMED)
@pytest.mark.parametrize("host", ["host", "[::1]", "10.0.0.1"])
def test_a_broker_is_understood_with_every_password(password: str, host: str) -> None:
    broker = values.parse_broker(f"mqtts://joe:{password}@{host}:8884")
    assert (broker.host, broker.port, broker.username) == (host.strip("[]"), 8884, "joe")
    assert broker.password == unquote(password)
    alone = values.parse_broker(f"mqtt://joe@{host}")
    assert (alone.host, alone.username, alone.password) == (host.strip("[]"), "joe", None)
