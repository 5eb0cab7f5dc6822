"""Which decoder plays what: by configuration, or the fitting one of those that this machine has."""

from __future__ import annotations

import importlib.util
import logging
from typing import Literal

from player.deck import Deck, DeckError, DeckMaker, OpenFile, is_stream

DeckKind = Literal["auto", "av", "vlc"]
DECK_KINDS: tuple[DeckKind, ...] = ("auto", "av", "vlc")

log = logging.getLogger(__name__)


def deck_maker(kind: DeckKind, open_file: OpenFile) -> DeckMaker:
    """A maker of decks.

    ``auto``: files by PyAV, which decodes half a minute ahead, so that a disk may vanish; streams by libVLC,
    which mends a broken connection by itself. Where one is missing the other does both. Raises DeckError if
    the one asked for, or every one, is missing.
    """
    if kind not in DECK_KINDS:
        raise DeckError(f"deck must be one of {', '.join(DECK_KINDS)}; got {kind!r:.40}")
    has_av = importlib.util.find_spec("av") is not None
    has_vlc = kind != "av" and _has_vlc(needed=kind == "vlc" or not has_av)
    if kind == "av" and not has_av:
        raise DeckError("PyAV is not installed")

    def make(location: str) -> Deck:
        from player.decks.filler_deck import LOCATION, FillerDeck

        if location == LOCATION:
            return FillerDeck()
        if has_vlc and (kind == "vlc" or not has_av or is_stream(location)):
            from player.decks.vlc_deck import VlcDeck

            return VlcDeck(open_file)
        from player.decks.av_deck import AvDeck

        return AvDeck(open_file)

    return make


def _has_vlc(*, needed: bool) -> bool:
    if importlib.util.find_spec("vlc") is None:
        if needed:
            raise DeckError("python-vlc is not installed")
        return False
    if needed:
        from player.decks.vlc_deck import libvlc_version

        libvlc_version()
        return True
    return _loads()


def _loads() -> bool:
    from player.decks.vlc_deck import libvlc_version

    try:
        libvlc_version()
    except DeckError as error:
        log.info("%s: PyAV plays streams, too", error)
        return False
    return True
