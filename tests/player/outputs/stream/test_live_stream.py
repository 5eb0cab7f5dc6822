"""The live stream as its listeners meet it: who is served and how, titles, and those who stall."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from player.deck import MIX_RATE_HZ
from player.outputs.http_sink import HttpSink
from player.outputs.output_spec import OutputError, make_sink
from player.outputs.place import Place
from player.outputs.stream import stream_server
from player.outputs.stream.icy import META_INTERVAL, IcyTitles
from player.outputs.stream.station import BEHIND_S, BURST_S, MAX_LISTENERS, Station
from player.sink import SinkError
from support.free_ports import a_free_port
from support.sounds.playback_rig import tone
from support.waiting import PATIENCE_S, wait_until

BLOCK = tone(4096 / MIX_RATE_HZ, 440)


class Served:
    """An open sink, and raw requests to it."""

    def __init__(self, token_file: Path | None = None) -> None:
        self.place = Place("127.0.0.1", a_free_port())
        self.sink = HttpSink(self.place, token_file)
        self.sink.open()

    def ask(self, request: str, receive_bytes: int = 1 << 20) -> socket.socket:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        connection.settimeout(PATIENCE_S)
        connection.connect((self.place.host, self.place.port))
        connection.sendall(request.encode())
        return connection

    def answer(self, path: str, *headers: str, method: str = "GET") -> str:
        """The whole of a short answer."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.place}", *headers, "", ""]
        with self.ask("\r\n".join(lines)) as connection, connection.makefile("rb") as file:
            return file.read(4096).decode()

    def listen(self, kind: str = "mp3", *headers: str, receive_bytes: int = 1 << 20) -> socket.socket:
        lines = [f"GET /stream.{kind} HTTP/1.0", *headers, "", ""]
        before = self.sink.listeners
        connection = self.ask("\r\n".join(lines), receive_bytes)
        wait_until(lambda: self.sink.listeners == before + 1, "it is taken in")
        return connection


@pytest.fixture
def served() -> Iterator[Served]:
    one = Served()
    try:
        yield one
    finally:
        one.sink.close()


def head_and_body(connection: socket.socket) -> tuple[str, bytes]:
    """All that comes until the end."""
    with connection, connection.makefile("rb") as file:
        head, _, body = file.read().partition(b"\r\n\r\n")
    return head.decode(), body


def test_titles_lie_where_they_were_announced_and_change_with_the_music(served: Served) -> None:
    listening = served.listen("flac", "Icy-MetaData: 1")
    rng = np.random.default_rng(0)
    for title in ("Ada - First", "Ben - It's 'quoted'; and\nlong " + "x" * 900):
        served.sink.set_title(title)
        for _ in range(8):
            served.sink.write(rng.uniform(-0.5, 0.5, (4096, 2)).astype(np.float32))
    served.sink.close()
    head, body = head_and_body(listening)
    assert f"icy-metaint: {META_INTERVAL}" in head
    said, sound, at = [], b"", 0
    while at + META_INTERVAL < len(body):
        sound += body[at : at + META_INTERVAL]
        at += META_INTERVAL
        length = 16 * body[at]
        said.append(body[at + 1 : at + 1 + length].rstrip(b"\0").decode())
        at += 1 + length
    told = [one for one in said if one]
    assert told[0] == "StreamTitle='Ada - First';"
    assert told[1].startswith("StreamTitle='Ben - It's 'quoted’; and long xxx")
    assert len(told[1]) < 230
    assert len(said) > len(told)
    assert sound.startswith(b"fLaC")


def test_without_being_asked_no_title_lies_in_the_sound(served: Served) -> None:
    listening = served.listen("mp3")
    served.sink.set_title("Ada - First")
    for _ in range(60):
        served.sink.write(BLOCK)
    served.sink.close()
    head, body = head_and_body(listening)
    assert "icy-metaint" not in head
    assert b"StreamTitle" not in body
    assert len(body) > 2 * META_INTERVAL


@pytest.mark.parametrize("size", [1, 7, META_INTERVAL - 1, META_INTERVAL, 3 * META_INTERVAL + 1])
def test_the_sound_is_whole_however_it_is_cut(size: int) -> None:
    sound = np.random.default_rng(1).integers(0, 256, 4 * META_INTERVAL, dtype=np.uint8).tobytes()
    sound = sound[: META_INTERVAL + 50] if size < 100 else sound
    titles = IcyTitles()
    laid = b"".join(titles.laid_into(sound[at : at + size], "T") for at in range(0, len(sound), size))
    first = META_INTERVAL + 1 + 16 * laid[META_INTERVAL]
    left, at = laid[:META_INTERVAL], first
    while at < len(laid):
        left += laid[at : at + META_INTERVAL]
        at += META_INTERVAL + 1  # nothing new is told: an empty block
    assert left == sound


def test_a_listener_that_takes_nothing_is_dropped_and_the_others_hear_all(served: Served) -> None:
    stalled = served.listen("flac", receive_bytes=4096)
    station = Station()
    hearing = station.join()
    assert hearing is not None
    rng = np.random.default_rng(0)
    n_blocks = int(3 * BEHIND_S * MIX_RATE_HZ / len(BLOCK))
    for _ in range(n_blocks):  # far faster than real: nothing here waits for anybody
        block = rng.uniform(-0.5, 0.5, (4096, 2)).astype(np.float32)
        served.sink.write(block)
        station.push(block)
        assert hearing.next() is not None
    wait_until(lambda: served.sink.listeners == 0, "it is dropped")
    assert station.listeners == 1
    stalled.close()


def test_one_whose_connection_stalls_goes_after_the_patience_with_it(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_server.StreamHandler, "timeout", 0.2)
    stalled = served.listen("flac", receive_bytes=4096)
    rng = np.random.default_rng(0)
    for _ in range(60):  # more than the kernel holds, less than the line of blocks does
        served.sink.write(rng.uniform(-0.5, 0.5, (4096, 2)).astype(np.float32))
    wait_until(lambda: served.sink.listeners == 0, "it is hung up on")
    stalled.close()


def test_there_may_be_so_many_listeners_and_one_that_goes_makes_room(served: Served) -> None:
    listening = [served.listen("mp3") for _ in range(MAX_LISTENERS)]
    assert "503" in served.answer("/stream.mp3")
    listening.pop().close()

    def has_room() -> bool:
        served.sink.write(BLOCK)
        return served.sink.listeners < MAX_LISTENERS

    wait_until(has_room, "one has gone")
    listening.append(served.listen("mp3"))
    for connection in listening:
        connection.close()


def test_who_comes_late_begins_with_the_last_second() -> None:
    station = Station()
    for number in range(60):
        station.push(np.full((1024, 2), number, np.float32))
    late = station.join()
    station.end()
    assert late is not None
    heard = []
    while (piece := late.next()) is not None:
        heard.append(piece.block)
    assert MIX_RATE_HZ * BURST_S <= sum(map(len, heard)) < MIX_RATE_HZ * BURST_S + 1024
    assert heard[-1][0, 0] == 59


@pytest.mark.parametrize(
    ("path", "header", "status"),
    [
        ("/", "", "404"),
        ("/stream.ogg", "", "404"),
        ("/../etc/passwd", "", "404"),
        ("/stream.mp3", "Host: evil.example", "421"),
        ("/stream.mp3", "Sec-Fetch-Site: cross-site", "403"),
        ("/stream.mp3", "Host: 127.0.0.1:x", "421"),
    ],
)
def test_what_is_asked_amiss_is_refused_in_a_line(
    served: Served, path: str, header: str, status: str
) -> None:
    request = f"GET {path} HTTP/1.1\r\n{header or f'Host: {served.place}'}\r\n\r\n"
    with served.ask(request) as connection, connection.makefile("rb") as file:
        head, _, body = file.read(4096).decode().partition("\r\n\r\n")
    assert head.startswith(f"HTTP/1.0 {status} ")
    assert body.strip()
    assert "\n" not in body.strip()
    assert served.sink.listeners == 0


def test_noise_and_too_long_a_request_are_no_stream(served: Served) -> None:
    for request in (
        "\x00\x01\x02\r\n\r\n",
        "GET " + "/a" * 40_000 + " HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\n\r\n",
    ):
        with served.ask(request) as connection, connection.makefile("rb") as file:
            assert b"audio/" not in file.read(4096)
    assert "audio/flac" in served.answer("/stream.flac", method="HEAD")


def test_one_that_takes_its_time_to_ask_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_server, "ASK_S", 0.1)
    served = Served()
    try:
        with served.ask("GET /stream.mp3 HT") as connection:
            assert connection.recv(10) == b""
    finally:
        served.sink.close()


def test_on_the_network_only_those_with_the_token_are_served(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = tmp_path / "stream-token"
    served = Served(key)
    try:
        token = key.read_text().strip()
        assert key.stat().st_mode & 0o777 == 0o600
        assert len(token) == 32
        for path in (
            "/stream.mp3",
            "/stream.mp3?token=",
            f"/stream.mp3?token={token[:-1]}",
            "/stream.mp3?token=%FF",
        ):
            assert " 401 " in served.answer(path)
        assert " 200 " in served.answer(f"/stream.mp3?token={token}", method="HEAD")
        assert " 200 " in served.answer("/stream.mp3", f"Authorization: Bearer {token}", method="HEAD")
    finally:
        served.sink.close()
    assert token not in caplog.text + served.sink.name
    again = HttpSink(served.place, key)
    again.open()
    again.close()
    assert key.read_text().strip() == token


@pytest.mark.parametrize(
    ("content", "mode"), [("a" * 32, 0o644), ("short", 0o600), ("", 0o600), ("x" * 9999, 0o600)]
)
def test_a_token_that_others_may_read_or_that_is_none_is_not_used(
    tmp_path: Path, content: str, mode: int
) -> None:
    key = tmp_path / "key"
    key.write_text(content)
    key.chmod(mode)
    with pytest.raises(SinkError) as caught:
        HttpSink(Place("127.0.0.1", a_free_port()), key).open()
    assert str(key) in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_port_that_is_taken_is_one_line(served: Served) -> None:
    with pytest.raises(SinkError, match="cannot be listened on"):
        HttpSink(served.place).open()


@pytest.mark.parametrize(
    "text",
    [
        "http:0.0.0.0:8800",
        "http:radio.example",
        "http:[::]:8800",
        "http:0",
        "http:70000",
        "http:a b:1",
        "http:8800,token=/nowhere/at/all",
    ],
)
def test_an_address_that_cannot_be_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(OutputError) as caught:
        make_sink(text)
    assert "http" in str(caught.value) or "/nowhere" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("http", "http:127.0.0.1:8800"),
        ("http:9000", "http:127.0.0.1:9000"),
        ("http:[::1]:9000", "http:[::1]:9000"),
        ("http:localhost:9000", "http:localhost:9000"),
    ],
)
def test_addresses_as_people_type_them(text: str, name: str) -> None:
    assert make_sink(text).name == name
