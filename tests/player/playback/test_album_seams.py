"""Parts at another rate than the mix's come out as the signal that they were cut from, across their seams."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from player.choice.chooser import PolicySettings
from player.deck import MIX_RATE_HZ, Deck, Seam
from player.decks.av_deck import AvDeck, PullDeck, decoded
from player.music import Track
from player.render import OfflineSession
from support.sounds.playback_rig import Sound, high_noise, make_session, open_plain, play
from support.sounds.sound_deck import SoundDeck
from support.sounds.track_making import make_track
from support.waiting import wait_until

SETTLED = MIX_RATE_HZ
"""The very first second fades in."""
FLOOR = 10 ** (-90 / 20)
CD = 44_100


def write_album(
    folder: Path, rate_hz: int, frames: Sequence[int], kind: str = "flac", subtype: str = "PCM_24"
) -> tuple[list[Track], Sound]:
    """The parts, and the whole that they were cut from as it sounds decoded by itself, (n, 2) at 48 kHz."""
    whole = high_noise(sum(frames) / MIX_RATE_HZ + 0.1, seed=5)[: sum(frames)]
    tracks = []
    for number, part in enumerate(np.split(whole, np.cumsum(frames)[:-1]), 1):
        path = folder / f"{number}.{kind}"
        soundfile.write(path, part, rate_hz, subtype=subtype)
        track = make_track(f"p{number}", duration_s=len(part) / rate_hz, lufs=-18.0)
        tracks.append(replace(track, location=str(path), album="a", part=1000 + number))
    soundfile.write(folder / f"whole.{kind}", whole, rate_hz, subtype=subtype)
    original = np.concatenate(list(decoded(str(folder / f"whole.{kind}"), 0.0, open_plain)))
    return tracks, original


def playing(tracks: list[Track], make_deck: Callable[[str], Deck] | None = None) -> OfflineSession:
    session = make_session(tracks, 6.0, make_deck=make_deck, policy=PolicySettings(policy="album"))
    session.engine.resume_at(tracks[0], 0.0, 0.0)
    return session


def most_off(sound: Sound, original: Sound) -> float:
    count = min(len(sound), len(original))
    return float(np.abs(sound[SETTLED:count] - original[SETTLED:count]).max())


@pytest.mark.parametrize(
    ("kind", "rate_hz"),
    [
        *(("wav", rate_hz) for rate_hz in (CD, 96_000, 32_000)),
        *(("flac", rate_hz) for rate_hz in (CD, 96_000, 32_000, 88_200, 22_050, 11_025, 192_000)),
    ],
)
def test_parts_of_any_length_join_as_if_they_had_never_been_cut(
    tmp_path: Path, rate_hz: int, kind: str
) -> None:
    frames = [round(seconds * rate_hz) + odd for seconds, odd in ((3.1, 1), (2.7, 58), (2.9, 3), (8.0, 0))]
    tracks, original = write_album(tmp_path, rate_hz, frames, kind)
    session = playing(tracks)
    sound = play(session, 10.0)
    session.close()
    assert session.engine.mixer.underruns == 0
    assert [decision.chosen.id for decision in session.decisions] == ["p1", "p2", "p3", "p4"]
    assert most_off(sound, original) < FLOOR


SHORT = {
    "a tenth of a second": [CD * 3 + 7, 6_001, CD * 9],
    "two very short ones": [CD * 3 + 7, 3_000, 2_777, CD * 9],
    "whole sectors": [588 * 300, 588 * 200, 588 * 800],
}


@pytest.mark.parametrize(
    ("n_frames", "lengths"),
    [*((n, lengths) for n in (480, 1024) for lengths in SHORT), (4096, "whole sectors")],
)
def test_short_parts_join_as_well_whatever_the_block(tmp_path: Path, lengths: str, n_frames: int) -> None:
    """But for parts shorter than a block: those end in it before anybody has looked."""
    frames = SHORT[lengths]
    tracks, original = write_album(tmp_path, CD, frames)
    session = playing(tracks)
    sound = play(session, sum(frames[:-1]) / CD + 3, n_frames)
    session.close()
    assert most_off(sound, original) < FLOOR


@pytest.mark.parametrize("at_s", [3.9, 3.96, 3.999, 4.0005, 4.001, 4.05])
def test_a_pause_across_the_seam_loses_nothing(tmp_path: Path, at_s: float) -> None:
    tracks, original = write_album(tmp_path, CD, [CD * 4 + 5, CD * 4 + 1, CD * 9])
    session = playing(tracks)
    before = play(session, at_s, 128)
    held = session.mixer.frame - len(before)  # in the limiter
    session.engine.pause(True)
    play(session, 0.5, 128)
    stood = session.mixer.frame - held
    session.engine.pause(False)
    after = play(session, 6.0, 128)
    session.close()
    assert stood < len(before) + MIX_RATE_HZ // 5, "it stands still"
    assert most_off(before, original) < FLOOR
    last = after[-(session.mixer.frame - held - stood) :][MIX_RATE_HZ // 5 :]  # it rises till then
    end = session.mixer.frame - held
    assert np.abs(last - original[end - len(last) : end]).max() < FLOOR


def found(sound: Sound, original: Sound, near: int) -> int:
    """Where in the original the sound begins that is heard, within two hundredths of a second."""
    lags = range(near - 1000, near + 1000)
    return min(lags, key=lambda lag: float(np.abs(sound[:2000] - original[lag : lag + 2000]).sum()))


def test_a_skip_within_the_album_begins_with_the_next_part_and_nothing_before_it(tmp_path: Path) -> None:
    tracks, original = write_album(tmp_path, CD, [CD * 5 + 7, CD * 6 + 11, CD * 5 + 3, CD * 12])
    session = playing(tracks)
    begun = play(session, 7.0)
    held = session.mixer.frame - len(begun)
    assert most_off(begun, original) < FLOOR
    session.engine.skip()  # in the second part, where the third has been opened to go on from it
    skipped = play(session, 10.0)
    session.close()
    assert [decision.chosen.id for decision in session.decisions] == ["p1", "p2", "p3", "p4"]
    faded = skipped[2 * MIX_RATE_HZ :]
    place = found(faded, original, round(11 * MIX_RATE_HZ + 2 * MIX_RATE_HZ - held))
    assert np.abs(faded - original[place : place + len(faded)]).max() < FLOOR, "also across the next seam"
    first = place - 2 * MIX_RATE_HZ + held
    assert first == math.ceil((CD * 11 + 18) * MIX_RATE_HZ / CD), "where the skip began"


def test_after_a_seek_the_seam_is_as_good(tmp_path: Path) -> None:
    """The next part had been opened to go on from the deck that the seek has replaced."""
    tracks, _ = write_album(tmp_path, CD, [CD * 9 + 7, CD * 20], "wav")
    session = playing(tracks)
    play(session, 2.0)
    session.engine.seek(6.0)
    sound = play(session, 8.0)
    session.close()
    original = np.concatenate(list(decoded(str(tmp_path / "whole.wav"), 6.0, open_plain)))
    sought = sound[MIX_RATE_HZ:]
    place = found(sought, original, MIX_RATE_HZ)
    assert place < 3 * MIX_RATE_HZ < place + len(sought) - MIX_RATE_HZ, "the seam is in it"
    assert np.abs(sought - original[place : place + len(sought)]).max() < FLOOR


class PlainDeck(SoundDeck):
    """A whole file that knows nothing of seams, as libVLC's deck does not."""

    def __init__(self) -> None:
        super().__init__(np.zeros((0, 2), np.float32))

    def open(self, location: str, start_s: float = 0.0) -> None:
        self.sound = np.concatenate(list(decoded(location, start_s, open_plain)))


def plain_join(tracks: list[Track], make_deck: Callable[[str], Deck] | None) -> None:
    session = playing(tracks, make_deck)
    sound = play(session, 6.0)
    session.close()
    parts = np.concatenate([np.concatenate(list(decoded(t.location, 0.0, open_plain))) for t in tracks])
    assert most_off(sound, parts) < FLOOR


def test_decks_that_know_no_seam_join_end_to_end(tmp_path: Path) -> None:
    tracks, _ = write_album(tmp_path, CD, [CD * 3 + 7, CD * 9])
    plain_join(tracks, lambda location: PlainDeck())
    made: list[Deck] = []

    def one_kind_after_another(location: str) -> Deck:
        made.append(PullDeck(open_plain) if not made else PlainDeck())
        return made[-1]

    plain_join(tracks, one_kind_after_another)


@pytest.mark.parametrize("other", ["another rate", "another depth", "one side"])
def test_parts_of_another_kind_join_end_to_end(tmp_path: Path, other: str) -> None:
    tracks, _ = write_album(tmp_path, CD, [CD * 3 + 7, CD * 30])
    sound, _ = soundfile.read(tracks[1].location)
    if other == "another rate":
        soundfile.write(tracks[1].location, sound, 96_000, subtype="PCM_24")
    elif other == "another depth":
        soundfile.write(tracks[1].location, sound, CD, subtype="PCM_16")
    else:
        soundfile.write(tracks[1].location, sound[:, 0], CD, subtype="PCM_24")
    plain_join(tracks, None)


def test_nothing_is_opened_twice_where_no_part_follows_or_nothing_is_resampled(tmp_path: Path) -> None:
    for rate_hz, album, times in ((CD, "", 1), (MIX_RATE_HZ, "a", 1), (CD, "a", 2)):
        opened: list[str] = []

        def made(location: str, opened: list[str] = opened) -> Deck:
            opened.append(location)
            return PullDeck(open_plain)

        tracks, _ = write_album(tmp_path, rate_hz, [rate_hz * 3, rate_hz * 30])
        session = playing(
            [replace(track, album=album, part=track.part if album else 0) for track in tracks], made
        )
        play(session, 2.9)
        session.close()
        assert opened.count(tracks[1].location) == times


class DecodedDeck(AvDeck):
    """The deck of a live session, all of whose file is decoded once it is open."""

    def open(self, location: str, start_s: float = 0.0) -> None:
        super().open(location, start_s)
        wait_until(lambda: self.complete)


def test_decks_with_a_thread_of_their_own_join_as_well_and_let_everything_go(tmp_path: Path) -> None:
    tracks, original = write_album(tmp_path, CD, [CD * 3 + 7, 6_001, CD * 2 + 5, CD * 9])
    made: list[Deck] = []

    def make_deck(location: str) -> Deck:
        made.append(DecodedDeck(open_plain))
        return made[-1]

    session = playing(tracks, make_deck)
    sound = play(session, 8.0, 512)
    session.close()
    assert most_off(sound, original) < FLOOR
    assert len(made) >= 7, "each part but the first twice"
    assert all(deck.buffered_frames() == 0 for deck in made), "closed"


def test_the_deck_that_is_not_ready_in_time_is_let_go_and_the_plain_one_plays(tmp_path: Path) -> None:
    tracks, _ = write_album(tmp_path, CD, [CD * 3 + 7, CD * 30])
    late: list[Deck] = []

    class Late(PullDeck):
        closed = False

        def open_after(self, location: str, seam: Seam) -> None:
            late.append(self)  # a server that does not answer any more

        def close(self) -> None:
            self.closed = True
            super().close()

    class NotYet(Late):
        complete = False  # type: ignore[assignment]

    made = 0

    def make_deck(location: str) -> Deck:
        nonlocal made
        made += 1
        return NotYet(open_plain) if made == 3 else Late(open_plain)

    plain_join(tracks, make_deck)
    assert len(late) == 1
    assert isinstance(late[0], NotYet)
    assert late[0].closed


@pytest.mark.parametrize("wrong", ["gone", "no sound"])
def test_a_part_that_cannot_be_opened_again_is_joined_as_it_was_prepared(tmp_path: Path, wrong: str) -> None:
    tracks, _ = write_album(tmp_path, CD, [CD * 3 + 7, CD * 9])
    made: list[str] = []
    bad = tmp_path / "bad.flac"
    if wrong == "no sound":
        bad.write_bytes(b"no music")

    class Again(PullDeck):
        def open(self, location: str, start_s: float = 0.0) -> None:
            made.append(location)
            again = location == tracks[1].location and made.count(location) == 2
            super().open(str(bad) if again else location, start_s)

    plain_join(tracks, lambda location: Again(open_plain))
    assert made.count(tracks[1].location) >= 2
