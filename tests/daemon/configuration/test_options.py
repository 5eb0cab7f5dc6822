"""Every wrong option is one line that names the thing, the rule and the value got."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.configuration import values
from daemon.errors import BadInputError


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90.0), ("2m", 120.0), ("1.5h", 5400.0), ("45", 45.0), ("500ms", 0.5)]
)
def test_durations(text: str, seconds: float) -> None:
    assert values.parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("check", "text", "names"),
    [
        (values.parse_duration, "soon", "'soon'"),
        (values.parse_duration, "0s", "positive"),
        (values.parse_duration, "-5s", "positive"),
        (values.parse_speed, "fast", "0.01 to 1000"),
        (values.parse_speed, "nan", "0.01 to 1000"),
        (values.parse_baseline, "4", "5 to 600"),
        (values.parse_baseline, "x", "last or none"),
        (values.parse_broker, "http://x", "mqtt://HOST:PORT"),
        (values.parse_broker, "mqtt://host:70000", "mqtt://HOST:PORT"),
        (values.parse_broker, "mqtt://host/path", "mqtt://HOST:PORT"),
        (values.parse_web, "localhost:0", "1 to 65535"),
        (values.parse_web, "localhost", "1 to 65535"),
        (values.parse_web, "localhost:\u00b2", "1 to 65535"),
        (values.parse_web, "localhost:" + "9" * 5000, "1 to 65535"),
        (values.parse_broker, "mqtt://host:" + "9" * 5000, "mqtt://HOST:PORT"),
        (values.check_output, "mp3:x", "wav:FILE"),
        (values.check_output, "wav:/no/such/folder/x.wav", "folder does not exist"),
        (values.check_target, "bliss", "relax"),
        (values.check_source, "brainflow:NO_SUCH_BOARD", "NO_SUCH_BOARD"),
        (values.check_source, "replay:/no/such/file.csv", "/no/such/file.csv"),
        (values.check_source, "telepathy", "simulated, lsl"),
        (values.check_music, "/no/such/folder", "does not exist"),
        (values.check_music, "http://radio.example/live", "write it into a playlist"),
        (values.check_music, __file__, "neither a folder nor a playlist (.m3u, .m3u8, .pls, .xspf)"),
    ],
)
def test_a_refusal_is_one_line_with_the_rule(check: Callable[[str], object], text: str, names: str) -> None:
    with pytest.raises(BadInputError) as refusal:
        check(text)
    assert names in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_password_is_never_repeated() -> None:
    with pytest.raises(BadInputError) as refusal:
        values.parse_broker("http://me:secret@host")
    assert "secret" not in str(refusal.value)


def test_a_broker_with_everything() -> None:
    broker = values.parse_broker("mqtts://me:s%40fe@home.local")
    assert (broker.host, broker.port, broker.tls) == ("home.local", 8883, True)
    assert (broker.username, broker.password) == ("me", "s@fe")
    assert "s@fe" not in broker.url


def test_a_music_folder_needs_something_playable(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no music")
    with pytest.raises(BadInputError, match="nothing playable"):
        values.check_music(str(tmp_path))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "SONG.MP3").write_bytes(b"x")
    assert values.check_music(str(tmp_path)) == str(tmp_path)


def test_a_playlist_is_music_by_itself(tmp_path: Path) -> None:
    playlist = tmp_path / "evening.M3U"
    playlist.write_text("http://radio.example/live\n")
    assert values.check_music(str(playlist)) == str(playlist)


def test_a_file_that_is_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "poem.csv"
    path.write_text("roses,are,red\n1,2,3\n")
    with pytest.raises(BadInputError, match=r"poem\.csv.*muse-lsl CSV"):
        values.check_source(f"replay:{path}")


def test_a_port_in_use(free_port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port))
        taken.listen()
        with pytest.raises(BadInputError, match=f"{free_port} cannot be used"):
            values.check_listen("127.0.0.1", free_port, "web address")
