"""Albums: which track follows which, and what is one piece of music though it has parts."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from player.music import Track

MIX_S = 20 * 60.0
"""A single track of this length is a mix, a set or a symphony: nobody wants a part of it."""
_MIX = re.compile(
    r"\b(?:continuous|non-?stop|dj|mega)[ -]?(?:dj[ -]?)?mix\b|\bmixed by\b|\bmixtape\b|\bdj[ -]set\b",
    re.IGNORECASE,
)
DISC = 1000


def is_mix(track: Track) -> bool:
    """True for a continuous mix: by its title, or its length."""
    return track.duration_s >= MIX_S or _MIX.search(track.title) is not None


def joins(one: Track, other: Track) -> bool:
    """True where ``other`` is the very next part of the album, whose sound goes on where ``one`` ends."""
    if not one.album or one.album != other.album or not one.part or not other.part:
        return False
    next_disc = other.part // DISC == one.part // DISC + 1 and other.part % DISC == 1
    return other.part == one.part + 1 or next_disc


class Albums:
    """The albums of a library, each in order."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        self._parts: dict[str, list[Track]] = {}
        for track in tracks:
            if track.album and track.part:
                self._parts.setdefault(track.album, []).append(track)
        for parts in self._parts.values():
            parts.sort(key=lambda track: (track.part, track.id))

    def after(self, track: Track, left_out: Set[str]) -> Track | None:
        """The part that follows, leaving out some; None at the end, and for what is of no album."""
        if not track.part:
            return None
        later = (part for part in self._parts.get(track.album, ()) if part.part > track.part)
        return next((part for part in later if part.id not in left_out), None)

    def begins(self, track: Track, left_out: Set[str]) -> bool:
        """True for the first part of an album, leaving out some, and for what is of no album."""
        first = next((part for part in self._parts.get(track.album, ()) if part.id not in left_out), None)
        return first is None or first.part == track.part or not track.part
