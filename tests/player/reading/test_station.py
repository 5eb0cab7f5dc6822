"""What a radio station says it plays, from a server that speaks as SHOUTcast and Icecast do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from player.deck import Deck, DeckError, PcmBlock
from player.decks.av_deck import AvDeck, decoded
from player.decks.vlc_deck import VlcDeck
from player.opening import open_playback
from player.reading.http_asking import ask
from player.reading.station import (
    MAX_TITLE_CHARS,
    RadioStation,
    UnreachableStationError,
    open_station,
    shown_title,
)
from support.peers.icy_station import IcyStation, on_air
from support.sounds.audio_files import make_file
from support.waiting import PATIENCE_S, wait_until

SECONDS = 8.0
TITLES = [
    (0, "Ärger – Eins".encode()),
    (64_000, "Björk - Jóga".encode("cp1252")),
    (120_000, b"It's; that's all"),
]
SHOWN = ["Ärger – Eins", "Björk - Jóga", "It's; that's all"]


def open_file(location: str) -> IO[bytes]:
    return Path(location).open("rb")


def make_vlc() -> Deck:
    try:
        return VlcDeck(open_file)
    except DeckError as error:
        pytest.skip(str(error))


@pytest.fixture(params=["av", pytest.param("vlc", marks=pytest.mark.vlc)])
def deck(request: pytest.FixtureRequest) -> Iterator[Deck]:
    made: dict[str, Callable[[], Deck]] = {"av": lambda: AvDeck(open_file), "vlc": make_vlc}
    found = made[request.param]()
    yield found
    found.close()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_file(tmp_path_factory.mktemp("sound"), "mp3", SECONDS)


def played(deck: Deck) -> tuple[PcmBlock, list[str]]:
    """All its sound, and the titles that came while it was read."""
    blocks: list[PcmBlock] = []
    titles = [""]
    until_s = time.monotonic() + PATIENCE_S
    while not deck.ended:
        assert time.monotonic() < until_s, "the deck does not end"
        blocks.append(deck.read(4800))
        if deck.title != titles[-1]:
            titles.append(deck.title)
        if not len(blocks[-1]):
            time.sleep(0.005)
    return np.concatenate(blocks), titles


@pytest.mark.parametrize("status", [b"HTTP/1.0 200 OK", b"ICY 200 OK"])
def test_the_titles_come_in_order_and_no_sound_is_lost(deck: Deck, sound: Path, status: bytes) -> None:
    with on_air(IcyStation(sound.read_bytes(), TITLES, status)) as station:
        deck.open(station.address)
        heard, titles = played(deck)
    assert deck.error is None
    assert titles == ["", *SHOWN]
    # neither a byte of a title in the sound, nor one of the sound in a title
    file = np.concatenate(list(decoded(str(sound), 0.0, open_file)))
    assert abs(len(heard) - len(file)) <= 2 * 1152
    middle = slice(48_000, 6 * 48_000)
    assert heard[middle].std() == pytest.approx(file[middle].std(), rel=1e-3)


def test_a_server_without_titles_is_played(deck: Deck, sound: Path) -> None:
    for said_between in (b"", b"0", b"-5", b"many", b"99999999999"):
        with on_air(IcyStation(sound.read_bytes(), TITLES, said_between=said_between)) as station:
            assert open_station(station.address) is None
    with on_air(IcyStation(sound.read_bytes(), TITLES, said_between=b"")) as station:
        deck.open(station.address)
        wait_until(lambda: deck.buffered_frames() > 48_000)
        assert deck.title == ""


def test_the_login_reaches_the_station_and_no_text(sound: Path) -> None:
    titles = [(0, b"at http://joe:s3cret@host/")]
    with on_air(IcyStation(sound.read_bytes(), titles, login=b"am9lOnMzY3JldA==")) as one:
        station = open_station(one.address.replace("://", "://joe:s3cret@"))
        assert station is not None
        while station.read(4000):
            pass
        station.close()
        assert station.title.startswith("at ")
        assert "s3cret" not in station.title
        with pytest.raises(UnreachableStationError) as refused:
            open_station(one.address.replace("://", "://joe:wrong@"))
    assert "wrong" not in str(refused.value)
    assert "Unauthorized" in str(refused.value)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"", ""),
        (b"  a \t b\r\nc\0", "a b c"),
        (b"\x1b[31mred\x9f", "[31mred\u0178"),
        ("\u202eright to left".encode(), "right to left"),
        (b"\x80 50", "€ 50"),
        (b"x" * 4000, "x" * MAX_TITLE_CHARS),
        ("日本".encode(), "日本"),
    ],
)
def test_a_title_is_one_bounded_line(raw: bytes, shown: str) -> None:
    assert shown_title(raw) == shown


def test_a_station_that_was_steady_is_heard_again(sound: Path) -> None:
    clock = iter(range(0, 100_000, 60))
    with on_air(IcyStation(sound.read_bytes(), TITLES)) as one:
        first = open_station(one.address)
        assert first is not None
        again = partial(ask, one.address, 4.0, {"Icy-MetaData": "1"})
        station = RadioStation(first._answer, 8000, again, lambda: float(next(clock)))
        data = b""
        while len(data) < 3 * len(sound.read_bytes()):
            data += station.read(4000)
        station.close()
    assert data[: len(sound.read_bytes())] == sound.read_bytes()
    assert len(one.asked) >= 3


def test_the_player_says_what_the_station_plays(sound: Path, tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    with on_air(IcyStation(sound.read_bytes(), TITLES)) as station:
        (music / "radio.m3u").write_text(f"#EXTINF:-1,My Radio\n{station.address}\n")
        playback = open_playback(music=[str(music)], outputs=["null"], cache_dir=tmp_path / "cache")
        playback.start()
        try:
            for title in SHOWN:
                wait_until(lambda title=title: playback.state().stream_title == title, title)  # type: ignore[misc]
                assert playback.state().track is not None
        finally:
            playback.close()
