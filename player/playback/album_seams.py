"""The next part of an album, opened once more: its sound goes on from the last samples of what sounds."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from player.choice.albums import joins
from player.deck import Deck, DeckError, DeckMaker, JoiningDeck, Seam
from player.playback.lineup import PreparedTrack
from player.playback.playing import Playing

log = logging.getLogger(__name__)


def goes_on(current: Playing, coming: PreparedTrack) -> bool:
    """Whether the whole of the next part of an album follows on what sounds, which is not broken."""
    whole = coming.start_s == 0 and not current.broken_off and not current.broken
    return whole and joins(current.track, coming.track)


class AlbumSeams:
    """At most one deck, beside the one that is prepared already and plays should this one not be ready.

    What sounds must be decoded to its end before, which it is half a minute ahead.
    """

    def __init__(self, make_deck: DeckMaker, close_deck: Callable[[Deck], None]) -> None:
        self._make_deck = make_deck
        self._close_deck = close_deck
        self._for: tuple[Deck, PreparedTrack] | None = None
        self._anew: JoiningDeck | None = None

    def tend(self, current: Playing | None, coming: PreparedTrack | None) -> None:
        """Open the deck when it is time, and put it into the place of the one prepared once it is ready."""
        if current is None or coming is None or not coming.ready or not goes_on(current, coming):
            self.drop()
            return
        if self._for is None or self._for[0] is not current.deck or self._for[1] is not coming:
            self.drop()
            coming.without_lead()  # it is of a deck that is heard no more
            seam = current.deck.seam if isinstance(current.deck, JoiningDeck) else None
            if seam is None:
                return
            self._for = current.deck, coming
            self._anew = self._opened(coming.track.location, seam)
        if self._anew is not None and replace(coming, deck=self._anew).ready:
            anew, plain = self._anew, coming.deck
            coming.deck, coming.lead_frames = anew, anew.lead_frames
            self._anew = None
            if plain is not None:
                self._close_deck(plain)

    def _opened(self, location: str, seam: Seam) -> JoiningDeck | None:
        try:
            deck = self._make_deck(location)
        except DeckError as error:
            log.debug("the next part is joined as it is: %s", error)
            return None
        if not isinstance(deck, JoiningDeck):
            self._close_deck(deck)
            return None
        deck.open_after(location, seam)
        return deck

    def drop(self) -> None:
        """Let go of a deck that is not in its place yet."""
        dropped, self._anew, self._for = self._anew, None, None
        if dropped is not None:
            self._close_deck(dropped)
