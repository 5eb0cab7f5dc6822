"""The tracks of the library for the map, read from the scan's cache on this machine."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from daemon.safe_text import shown

MAX_TRACKS = 20_000
FRESH_S = 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MapTrack:
    """A track as the map shows it. ``location`` stays on this side: it is never sent to a browser."""

    id: str
    title: str
    artist: str
    valence: float | None
    arousal: float
    stated: bool
    location: str = ""
    duration_s: float = 0.0
    measured: bool = True
    """False: nobody has said or measured where it lies, so it has no place on the map."""


Reader = Callable[[], Sequence[MapTrack]]


class TrackLibrary:
    """Reads the tracks anew when the last reading is half a minute old."""

    def __init__(self, read: Reader, clock: Callable[[], float]) -> None:
        self._read, self._clock = read, clock
        self._tracks: tuple[MapTrack, ...] = ()
        self._read_s: float | None = None
        self._by_id: dict[str, MapTrack] = {}

    def tracks(self) -> tuple[MapTrack, ...]:
        """What is known now; empty when the cache is not there or cannot be read. May take a while."""
        now_s = self._clock()
        if self._read_s is None or now_s - self._read_s > FRESH_S:
            self._read_s = now_s
            try:
                self._tracks = tuple(self._read())[:MAX_TRACKS]
                self._by_id = {track.id: track for track in self._tracks}
            except (OSError, ValueError) as error:
                log.warning("the library cannot be read: %s", error)
        return self._tracks

    def find(self, track_id: str) -> MapTrack | None:
        """A track by its id; reads the library anew if it is not known yet. May take a while."""
        if track_id not in self._by_id:
            self.tracks()
        return self._by_id.get(track_id)


def read_from_cache(folders: Sequence[Path], cache_dir: Path) -> tuple[MapTrack, ...]:
    """The playable tracks under the folders. Raises ``ValueError`` for a bad folder, ``OSError``."""
    from player.choice.scoring import LABELLED
    from player.library.commands import cached_tracks

    return tuple(
        MapTrack(
            id=track.id,
            title=shown(track.title, 80),
            artist=shown(track.artist, 60),
            valence=track.mood.valence,
            arousal=track.mood.arousal,
            stated=track.mood_source in LABELLED,
            location=track.location,
            duration_s=track.duration_s,
            measured=track.mood_source != "unknown",
        )
        for track in cached_tracks(folders, cache_dir)
    )
