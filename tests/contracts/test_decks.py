"""What every deck promises, held against each of them: PyAV's, libVLC's and the one for offline rendering."""

from __future__ import annotations

import http.server
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from player.deck import MIX_RATE_HZ, Deck, DeckError, PcmBlock
from player.decks.av_deck import AvDeck, PullDeck
from player.decks.vlc_deck import VlcDeck
from support.sounds.audio_files import PITCH_HZ, RATE_HZ, make_file, spectrum_peak_hz, true_tone
from support.waiting import PATIENCE_S, wait_until

SECONDS = 2.0
MakeDeck = Callable[[], Deck]
pytestmark = pytest.mark.usefixtures("nothing_left_behind")


def open_file(location: str) -> IO[bytes]:
    return Path(location).open("rb")


def make_vlc() -> Deck:
    try:
        return VlcDeck(open_file)
    except DeckError as error:
        pytest.skip(str(error))


MAKERS: dict[str, MakeDeck] = {
    "av": lambda: AvDeck(open_file),
    "pull": lambda: PullDeck(open_file),
    "vlc": make_vlc,
}


@pytest.fixture(params=["av", "pull", pytest.param("vlc", marks=pytest.mark.vlc)])
def make_deck(request: pytest.FixtureRequest) -> Iterator[MakeDeck]:
    made: list[Deck] = []

    def make() -> Deck:
        made.append(MAKERS[request.param]())
        return made[-1]

    yield make
    for deck in made:
        deck.close()


def play_out(deck: Deck, seconds: float = PATIENCE_S) -> PcmBlock:
    """Read everything, as a player would: blocks of 1024, never waiting inside."""
    blocks: list[PcmBlock] = []
    until = time.monotonic() + seconds
    while not deck.ended:
        assert time.monotonic() < until, "the deck does not end"
        block = deck.read(1024)
        assert block.dtype == np.float32
        assert block.ndim == 2
        assert len(block) <= 1024
        blocks.append(block)
        if not len(block):
            time.sleep(0.005)
    return np.concatenate(blocks) if blocks else np.zeros((0, 2), np.float32)


FORMATS = {
    "wav": 0.0,
    "wav24": 0.0,
    "flac": 0.0,
    "flac24": 0.0,
    "mp3": 0.08,
    "ogg": 0.08,
    "opus": 0.08,
    "m4a": 0.08,
}
"""Format and by how many seconds the length may differ (padding of lossy encoders)."""


@pytest.mark.parametrize("kind", FORMATS)
def test_formats_come_out_as_the_sound_that_went_in(make_deck: MakeDeck, tmp_path: Path, kind: str) -> None:
    deck = make_deck()
    deck.open(str(make_file(tmp_path, kind, SECONDS)))
    sound = play_out(deck)
    assert deck.error is None
    assert len(sound) / MIX_RATE_HZ == pytest.approx(SECONDS, abs=FORMATS[kind] + 0.001)
    middle = sound[MIX_RATE_HZ // 2 : -MIX_RATE_HZ // 2]
    assert spectrum_peak_hz(middle[:, 0]) == pytest.approx(PITCH_HZ, abs=2)
    level_db = 20 * np.log10(np.sqrt(np.mean(middle**2, axis=0)))
    assert level_db == pytest.approx(-20, abs=0.3)


@pytest.mark.parametrize("rate_hz", [22_050, 32_000, 44_100, 48_000, 88_200, 96_000])
def test_every_rate_becomes_48_khz(make_deck: MakeDeck, tmp_path: Path, rate_hz: int) -> None:
    deck = make_deck()
    deck.open(str(make_file(tmp_path, "wav", SECONDS, rate_hz=rate_hz)))
    sound = play_out(deck)
    assert len(sound) / MIX_RATE_HZ == pytest.approx(SECONDS, abs=0.003)
    assert spectrum_peak_hz(sound[MIX_RATE_HZ // 2 : -MIX_RATE_HZ // 2, 0]) == pytest.approx(PITCH_HZ, abs=2)


def test_mono_keeps_its_level_on_both_sides(make_deck: MakeDeck, tmp_path: Path) -> None:
    deck = make_deck()
    deck.open(str(make_file(tmp_path, "wav", SECONDS, channels=1)))
    sound = play_out(deck)
    assert np.array_equal(sound[:, 0], sound[:, 1])
    assert 20 * np.log10(np.sqrt(np.mean(sound**2))) == pytest.approx(-20, abs=0.1)


def test_surround_becomes_stereo_at_a_sane_level(make_deck: MakeDeck, tmp_path: Path) -> None:
    deck = make_deck()
    deck.open(str(make_file(tmp_path, "wav", SECONDS, channels=6)))
    sound = play_out(deck)[MIX_RATE_HZ // 4 : -MIX_RATE_HZ // 4]
    assert -23 < 20 * np.log10(np.sqrt(np.mean(sound**2))) < -10


def test_wav_is_exact_to_the_sample(make_deck: MakeDeck, tmp_path: Path) -> None:
    deck = make_deck()
    deck.open(str(make_file(tmp_path, "wav", SECONDS)))
    sound = play_out(deck)
    assert len(sound) == SECONDS * RATE_HZ
    assert np.abs(sound[:, 0] - true_tone(SECONDS)).max() < 2 / 32768


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "ogg", "m4a"])
def test_it_can_begin_in_the_middle(make_deck: MakeDeck, tmp_path: Path, kind: str) -> None:
    start_s = 1.25
    deck = make_deck()
    if kind == "ogg" and isinstance(deck, VlcDeck):
        start_s = 0.0  # libVLC 3 finds no way into Vorbis files: it plays them from the beginning
    deck.open(str(make_file(tmp_path, kind, SECONDS + 1)), 1.25)
    sound = play_out(deck)
    assert len(sound) / MIX_RATE_HZ == pytest.approx(SECONDS + 1 - start_s, abs=0.3)


def test_reading_never_waits_and_a_full_ring_holds_the_decoder_back(
    make_deck: MakeDeck, tmp_path: Path
) -> None:
    deck = make_deck()
    assert len(deck.read(1024)) == 0
    deck.open(str(make_file(tmp_path, "wav", 60.0)))
    wait_until(lambda: deck.buffered_frames() > MIX_RATE_HZ // 4)
    time.sleep(0.3)
    assert deck.buffered_frames() < 45 * MIX_RATE_HZ
    assert not deck.complete
    assert len(deck.read(MIX_RATE_HZ // 4)) == MIX_RATE_HZ // 4


def test_nothing_is_lost_while_it_is_not_read_for_a_while(make_deck: MakeDeck, tmp_path: Path) -> None:
    deck = make_deck()
    deck.open(str(make_file(tmp_path, "wav", 8.0)))
    wait_until(lambda: deck.buffered_frames() > MIX_RATE_HZ // 2)
    first = deck.read(MIX_RATE_HZ // 4)
    # libVLC keeps a clock of its own and drops what was not fetched in time; the others know no time at all
    time.sleep(4.5 if isinstance(deck, VlcDeck) else 0.5)
    sound = np.concatenate([first, play_out(deck)])
    assert len(sound) == 8 * RATE_HZ
    assert np.abs(sound[:, 0] - true_tone(8.0)).max() < 2 / 32768


def test_what_is_looked_at_stays_to_be_read(make_deck: MakeDeck, tmp_path: Path) -> None:
    deck = make_deck()
    assert deck.look(100).shape == (0, 2)
    deck.open(str(make_file(tmp_path, "wav", 8.0)))
    wait_until(lambda: deck.buffered_frames() > MIX_RATE_HZ)
    seen = deck.look(MIX_RATE_HZ)
    assert np.array_equal(seen, deck.look(MIX_RATE_HZ))
    assert np.array_equal(seen, deck.read(MIX_RATE_HZ))


BROKEN = ["missing", "empty", "random", "text"]


@pytest.mark.parametrize("kind", BROKEN)
def test_what_holds_no_sound_says_so(make_deck: MakeDeck, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"{kind}.mp3"
    if kind == "empty":
        path.touch()
    elif kind == "random":
        path.write_bytes(np.random.default_rng(3).bytes(100_000))
    elif kind == "text":
        path.write_text("no music at all\n" * 100, encoding="utf-8")
    deck = make_deck()
    deck.open(str(path))
    wait_until(lambda: deck.complete)
    assert deck.error or deck.buffered_frames() < MIX_RATE_HZ


def test_a_truncated_file_plays_what_it_has(make_deck: MakeDeck, tmp_path: Path) -> None:
    whole = make_file(tmp_path, "flac", SECONDS)
    cut = tmp_path / "cut.flac"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    deck = make_deck()
    deck.open(str(cut))
    assert 0.5 < len(play_out(deck)) / MIX_RATE_HZ < 1.5


def test_closing_early_is_quick_and_may_be_done_twice(make_deck: MakeDeck, tmp_path: Path) -> None:
    deck = make_deck()
    deck.open(str(make_file(tmp_path, "wav", 60.0)))
    wait_until(lambda: deck.buffered_frames() > 1000)
    began = time.monotonic()
    deck.close()
    deck.close()
    assert time.monotonic() - began < 30, (
        "3 s, but for a machine busy with other work; never the whole minute"
    )
    assert deck.buffered_frames() == 0
    assert deck.complete


def test_no_file_stays_open(make_deck: MakeDeck, tmp_path: Path) -> None:
    path = make_file(tmp_path, "wav", SECONDS)
    deck = make_deck()
    deck.open(str(path))
    wait_until(lambda: deck.buffered_frames() > 1000)
    deck.close()
    wait_until(lambda: str(path) not in _open_paths())


def _open_paths() -> set[str]:
    paths = set()
    for entry in os.listdir("/proc/self/fd"):  # noqa: PTH208 - the entries are no paths of interest
        try:
            paths.add(os.readlink(f"/proc/self/fd/{entry}"))  # noqa: PTH115
        except OSError:
            continue
    return paths


class _Handler(http.server.BaseHTTPRequestHandler):
    body = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "audio/mpeg")
        self.end_headers()
        try:
            self.wfile.write(self.body)
        except OSError:
            return

    def log_message(self, *_arguments: Any) -> None:
        return


@pytest.fixture
def radio(tmp_path: Path) -> Iterator[str]:
    handler = type("Handler", (_Handler,), {"body": make_file(tmp_path, "mp3", SECONDS).read_bytes()})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = False  # those that answer are waited for
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/radio.mp3"
    server.shutdown()
    server.server_close()


def test_a_stream_over_http_is_played(make_deck: MakeDeck, radio: str) -> None:
    deck = make_deck()
    deck.open(radio)
    sound = play_out(deck)
    assert len(sound) / MIX_RATE_HZ == pytest.approx(SECONDS, abs=0.2)


def test_a_server_that_is_not_there_says_so(make_deck: MakeDeck) -> None:
    deck = make_deck()
    with socket.socket() as probe:
        # taken and not listened on: nobody else can come to answer there
        probe.bind(("127.0.0.1", 0))
        deck.open(f"http://127.0.0.1:{probe.getsockname()[1]}/radio.mp3")
        wait_until(lambda: deck.complete)
    assert deck.error
