"""Playback in its own threads: how it ends."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from player.choice.chooser import Chooser
from player.deck import MIX_RATE_HZ, PcmBlock
from player.decks.av_deck import AvDeck
from player.decks.filler_deck import LOCATION, FillerDeck
from player.mixing.mixer import Mixer
from player.music import Track
from player.outputs.outputs import DEVICE_S, Outputs
from player.playback.auto_dj import AutoDj
from player.playback.playback import DeckCloser, Playback
from player.sink import NullSink, Pacer
from support.sounds.playback_rig import open_plain, tone, write_track
from support.waiting import wait_until


class Shelf:
    """A library that does not change."""

    missing: tuple[str, ...] = ()

    def __init__(self, *tracks: Track) -> None:
        self.tracks = tracks

    def rescan(self) -> None: ...

    def close(self) -> None: ...


class Card(NullSink):
    """A sound card: takes sound a little ahead, and plays no more of it once it is closed."""

    paces = True

    def __init__(self) -> None:
        self.taken: list[PcmBlock] = []
        self.unheard: PcmBlock | None = None
        self._pacer = Pacer()
        self._began_s = 0.0

    def write(self, block: PcmBlock, wait: bool = True) -> None:
        self._began_s = self._began_s or time.monotonic()
        self._pacer.wait(len(block))
        self.taken.append(block)

    def close(self) -> None:
        if self.taken and self.unheard is None:
            heard = int((time.monotonic() - self._began_s - DEVICE_S) * MIX_RATE_HZ)
            self.unheard = np.concatenate(self.taken)[max(0, heard) :]


def test_the_music_ends_by_a_fade_that_is_heard_to_its_end(tmp_path: Path) -> None:
    track = write_track(tmp_path, "tone", tone(30, 440))
    chooser, shelf, card, closer = Chooser(), Shelf(track), Card(), DeckCloser()
    engine = AutoDj(
        Mixer(),
        chooser,
        shelf,
        lambda location: FillerDeck() if location == LOCATION else AvDeck(open_plain),
        close_deck=closer,
    )
    playback = Playback(engine, chooser, shelf, Outputs([card]), closer)
    playback.start()
    wait_until(lambda: playback.state().position_s > 1.0)
    playback.close()
    assert card.unheard is not None
    assert np.abs(card.unheard).max(initial=0.0) < 0.002
    assert np.abs(np.concatenate(card.taken)).max() > 0.1
