"""Passwords and machine paths never become text, whatever stands in them."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.configuration import values
from daemon.errors import BadInputError
from daemon.processes.logs import _HumanLines
from player.library.commands import cached_tracks, list_tracks, scan_library
from player.library.playlist_reading import address_with_login
from player.library.sounds.header_reading import one_line
from player.library.sources.playlists import read_playlist
from player.location import Location, printable_spec, printable_text, without_secrets

FIELD = Path(__file__).parents[3] / "shared" / "field" / "password_in_address.m3u"
SECRET = "S3cr3t"
SECRETS = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), max_size=12).map(
    lambda noise: f"{noise}{SECRET}{noise}"
)
SCHEMES = st.sampled_from(["http", "https", "mqtt", "mqtts", "HTTP", "icy+http"])


@given(SCHEMES, SECRETS)
def test_no_part_of_a_password_is_printable(scheme: str, secret: str) -> None:
    address = f"{scheme}://joe:{secret}@host:80/radio.mp3"
    told = (
        str(Location(address)),
        repr(Location(address)),
        f"{Location(address)}",
        without_secrets(f"cannot open {address!r}: refused"),
        str(BadInputError(f"x {address} y")),
        one_line(address),
        printable_text(f"the stream {address} broke"),
        printable_spec(address),
        _HumanLines("%(message)s").format(
            logging.LogRecord("x", logging.WARNING, "", 0, "%s: gone", (address,), None)
        ),
    )
    assert [text for text in told if SECRET in text] == []
    assert str(Location(address)).endswith("host:80/radio.mp3")


@given(SCHEMES, SECRETS)
def test_a_broker_is_understood_or_refused_without_a_word_of_its_password(scheme: str, secret: str) -> None:
    for address in (
        f"{scheme}://joe:{secret}@host",
        f"{scheme}://joe:{secret}@host/beside",
        f"joe:{secret}@host",
    ):
        try:
            broker = values.parse_broker(address)
        except BadInputError as error:
            assert SECRET not in str(error)  # noqa: PT017 - both ways out are right
        else:
            assert (broker.host, broker.username) == ("host", "joe")
            assert SECRET not in broker.url


@pytest.mark.parametrize("password", ["a@b/c", "a#b", "a?b", "a:b", "a/b"])
def test_a_password_may_hold_what_addresses_use(password: str) -> None:
    assert values.parse_broker(f"mqtt://joe:{password}@host:1884").password == password


@pytest.mark.parametrize(
    ("whole", "told"),
    [
        ("/home/joe/Music/a.mp3", "a.mp3"),
        ("C:\\Users\\joe\\a.mp3", "a.mp3"),
        ("http://host/radio.mp3?token=abc#x", "http://host/radio.mp3"),
        ("file:///home/joe/a.mp3", "a.mp3"),
    ],
)
def test_a_location_is_shown_without_the_machine_it_lies_on(whole: str, told: str) -> None:
    assert str(Location(whole)) == told
    assert Location(whole).whole == whole


def test_sources_outputs_and_reasons_are_shown_without_paths() -> None:
    assert printable_spec("replay:/home/joe/one.csv") == "replay:one.csv"
    assert printable_spec("brainflow:CYTON,port=/dev/ttyUSB0,x=1") == "brainflow:CYTON,port=ttyUSB0,x=1"
    assert printable_spec("lsl:Muse S") == "lsl:Muse S"
    assert printable_text("/home/joe/x.wav: cannot be written (full)") == "x.wav: cannot be written (full)"
    assert printable_text("19/20 and http://host/a/b.mp3") == "19/20 and http://host/a/b.mp3"


@pytest.mark.parametrize("password", [SECRET, f"{SECRET}/b", f"p?w#{SECRET}", f"{SECRET}@b"])
def test_a_playlist_with_a_password_gives_titles_and_a_cache_without_it(
    password: str, tmp_path: Path
) -> None:
    playlist, cache = tmp_path / "music" / "radio.m3u", tmp_path / "cache"
    playlist.parent.mkdir()
    address = f"http://joe:{password}@127.0.0.1:1/auth"
    playlist.write_text(f"#EXTM3U\n{address}\n#EXTINF:-1,At {address} now\n{address}2\n")
    scan_library([playlist.parent], cache)
    tracks = cached_tracks([playlist.parent], cache)
    assert len(tracks) == 2
    assert SECRET not in repr([(track, track.title) for track in tracks])
    assert SECRET not in repr(list_tracks([playlist.parent], cache))
    assert SECRET not in repr([track.location for track in tracks])
    played = {address_with_login(track.location, str(playlist)) for track in tracks}
    assert played == {address, f"{address}2"}, "it is played with it"
    assert not [path for path in cache.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


@pytest.mark.skipif(not FIELD.is_file(), reason="../shared is not here")
def test_the_playlist_of_the_field() -> None:
    entries = read_playlist(FIELD.read_bytes(), FIELD.name)
    assert [str(Location(entry.location)) for entry in entries] == ["http://127.0.0.1:18977/auth"]
