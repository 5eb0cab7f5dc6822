"""A place in the sounding track that somebody asked for, until it is heard."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

from player.deck import Deck, DeckError, DeckMaker
from player.music import Track
from player.playback.lineup import PreparedTrack
from player.playback.playing import Playing
from player.playback.transition import audible_end_s

LAST_S = 1.0
"""A place behind the end is this much before it."""

log = logging.getLogger(__name__)


class Seeking:
    """At most one place at a time: a second deck of the same track, opened there."""

    def __init__(self, make_deck: DeckMaker, close_deck: Callable[[Deck], None]) -> None:
        self._make_deck = make_deck
        self._close_deck = close_deck
        self._asked: PreparedTrack | None = None
        self.on_failed: Callable[[Track, str], None] = lambda track, why: None
        """Told when a place cannot be gone to: what sounds goes on."""

    def ask(self, current: Playing | None, position_s: float) -> None:
        """Go to a place in what sounds; an endless stream stays as it is."""
        if current is None or math.isinf(audible_end_s(current.track)):
            return
        place_s = min(max(0.0, position_s), max(0.0, audible_end_s(current.track) - LAST_S))
        self.drop()
        self._asked = PreparedTrack(current.track, current.prepared.decision, place_s)

    def ready(self, now_s: float) -> PreparedTrack | None:
        """The place that was asked for, once it can sound."""
        asked = self._asked
        if asked is None:
            return None
        try:
            if asked.deck is None:
                asked.deck = self._make_deck(asked.track.location)
                asked.deck.open(asked.track.location, asked.start_s)
                asked.opened_s = now_s
            failure = asked.failure(now_s)
        except DeckError as error:
            failure = str(error)
        if failure is not None:
            log.warning("%s stays where it is: %s", asked.track.title, failure)
            self.drop()
            self.on_failed(asked.track, failure)
            return None
        return asked if asked.ready else None

    def taken(self, deck: Deck) -> PreparedTrack | None:
        """The place, where this deck is the one that plays it: it is heard from now on."""
        asked = self._asked
        if asked is None or asked.deck is not deck:
            return None
        self._asked = None
        return asked

    def drop(self) -> None:
        """Stay where the music is."""
        dropped, self._asked = self._asked, None
        if dropped is not None and dropped.deck is not None:
            self._close_deck(dropped.deck)
