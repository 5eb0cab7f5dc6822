"""Which decoder plays what: by configuration, or the fitting one of those that can be made here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

from player.deck import Deck, DeckError, DeckMaker, OpenFile, is_stream
from player.decks.filler_deck import LOCATION, FillerDeck
from player.location import quoted, without_secrets

DeckKind = Literal["auto", "av", "vlc"]
DECK_KINDS: tuple[DeckKind, ...] = ("auto", "av", "vlc")

log = logging.getLogger(__name__)


def deck_maker(kind: DeckKind, open_file: OpenFile, address_of: Callable[[str], str] = str) -> DeckMaker:
    """A maker of decks. ``address_of`` gives a stream's address with its login, which nothing else knows.

    ``auto``: files by PyAV, which decodes half a minute ahead, so that a disk may vanish; streams by libVLC,
    which mends a broken connection by itself. Where one cannot be made, that is told once, with what to do
    about it, and the other does both; without either miniaudio plays the commonest kinds of file. Raises
    DeckError if the one asked for, or every one, cannot be made.
    """
    if kind not in DECK_KINDS:
        raise DeckError(f"deck must be one of {', '.join(DECK_KINDS)}; got {quoted(kind, 40)}")
    makers = {"av": _av_deck, "vlc": _vlc_deck, "miniaudio": _miniaudio_deck}
    wanted = {name: makers[name] for name in makers if kind in ("auto", name)}
    decoders = Decoders(
        {name: partial(make, address_of=address_of) for name, make in wanted.items()}, open_file
    )
    decoders.check()
    return decoders.make


class Decoders:
    """Makes decks by the first of its decoders that can be made; one that cannot is not tried again."""

    def __init__(self, makers: Mapping[str, Callable[[OpenFile], Deck]], open_file: OpenFile) -> None:
        self._makers = dict(makers)
        self._open_file = open_file
        self._problems: dict[str, str] = {}

    def check(self) -> None:
        """Make one of each: nothing less shows that it can be done. Raises DeckError where none can."""
        for name in tuple(self._makers):
            deck = self._made(name)
            if deck is not None:
                deck.close()
        if not self._makers:
            raise self._nothing_left()
        for problem in self._problems.values():
            log.warning(
                "%s. Until then the music is decoded by %s", problem, _NAMES[next(iter(self._makers))]
            )

    def make(self, location: str) -> Deck:
        """An unopened deck for this location. Raises DeckError."""
        if location == LOCATION:
            return FillerDeck()
        first = "vlc" if is_stream(location) else "av"
        for name in sorted(self._makers, key=lambda name: name != first):
            deck = self._made(name)
            if deck is not None:
                return deck
        raise self._nothing_left()

    def _made(self, name: str) -> Deck | None:
        try:
            return self._makers[name](self._open_file)
        except Exception as error:  # noqa: BLE001 - a native library that is not whole may raise anything
            del self._makers[name]
            foreseen = isinstance(error, DeckError)
            self._problems[name] = (
                str(error)
                if foreseen
                else f"{_NAMES[name]} cannot be used ({without_secrets(repr(error)):.120})"
            )
            return None

    def _nothing_left(self) -> DeckError:
        return DeckError("; ".join(self._problems.values()) or "there is no decoder")


_NAMES = {"av": "PyAV", "vlc": "libVLC", "miniaudio": "miniaudio"}


def _av_deck(open_file: OpenFile, address_of: Callable[[str], str]) -> Deck:
    from player.decks.av_deck import AvDeck
    from player.reading.sound_opening import av_problem

    problem = av_problem()
    if problem is not None:
        raise DeckError(problem)
    return AvDeck(open_file, address_of=address_of)


def _miniaudio_deck(open_file: OpenFile, address_of: Callable[[str], str]) -> Deck:
    from player.decks.av_deck import AvDeck  # its reader takes miniaudio where there is no PyAV

    return AvDeck(open_file, address_of=address_of)


def _vlc_deck(open_file: OpenFile, address_of: Callable[[str], str]) -> Deck:
    from player.decks.vlc_deck import VlcDeck

    return VlcDeck(open_file, address_of)
