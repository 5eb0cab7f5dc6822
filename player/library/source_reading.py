"""What a server's library comes to here: headers of its tracks, asked for now and then."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from player.library.sounds.header_reading import MAX_DURATION_S, believed_loudness_lufs, one_line
from player.library.sources.servers.source import SourceTrack
from player.library.sources.servers.source_opening import open_source
from player.library.store.rows import Header

FRESH_S = 900.0
AGAIN_S = 30.0
SIGN_TRACKS = 200
"""A sign of life after so many tracks."""


@dataclass(slots=True)
class _Kept:
    at_s: float
    failed: bool = False
    headers: dict[str, Header] = field(default_factory=dict)


class SourceLists:
    """Asks each server every quarter of an hour, sooner where it did not answer.

    ``busy`` is told that somebody waits, not for a file; ``warn`` what is wrong with a server, once.
    """

    def __init__(
        self,
        busy: Callable[[str], None],
        warn: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._busy, self._warn, self._clock = busy, warn, clock
        self._kept: dict[str, _Kept] = {}
        self._told: dict[str, str] = {}

    def headers(self, root: str) -> dict[str, Header]:
        """Location -> header of each track of a server. Raises OSError where it cannot be asked now."""
        kept = self._kept.get(root)
        if kept is None or kept.failed or self._is_old(kept):
            kept = self._kept[root] = _Kept(self._clock(), failed=True)
            try:
                kept.headers = self._listed(root)
            except (OSError, ValueError) as error:
                self._warn_once(root, f"{root}: {getattr(error, 'strerror', None) or error}")
                raise OSError(str(error)) from None
            kept.failed = False
            self._warn_once(root, "")
        return kept.headers

    def _listed(self, root: str) -> dict[str, Header]:
        found: dict[str, Header] = {}
        self._busy("")
        for track in open_source(root).tracks():
            found[track.location] = header_of(track)
            if len(found) % SIGN_TRACKS == 0:
                self._busy("")
        return found

    def _warn_once(self, root: str, words: str) -> None:
        if words and self._told.get(root) != words:
            self._warn(words)
        self._told[root] = words

    def due(self) -> bool:
        """True when one of them should be asked again."""
        return any(map(self._is_old, self._kept.values()))

    def _is_old(self, kept: _Kept) -> bool:
        return self._clock() - kept.at_s > (AGAIN_S if kept.failed else FRESH_S)


def header_of(track: SourceTrack) -> Header:
    """What is believed of a server's words."""
    length_s = track.duration_s if math.isfinite(track.duration_s) else 0.0
    gain_db = math.nan if track.gain_db is None else track.gain_db
    loudness_lufs = believed_loudness_lufs(gain_db)
    peak = track.peak if track.peak is not None and 1e-4 < track.peak < 4 else None
    return Header(
        duration_s=length_s if 0 < length_s <= MAX_DURATION_S else 0.0,
        title=one_line(track.title) or "untitled",
        artist=one_line(track.artist),
        album=one_line(track.album),
        album_artist=one_line(track.album_artist),
        part=track.part,
        loudness_lufs=loudness_lufs,
        true_peak_dbtp=None if loudness_lufs is None or peak is None else 20 * math.log10(peak),
        liked=track.liked,
    )
