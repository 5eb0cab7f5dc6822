"""What playback says of its tracks: how they are called, and which of them their servers say are liked."""

from __future__ import annotations

from player.music import Track


class Stars:
    """What servers say is liked, without what was said otherwise here since."""

    def __init__(self) -> None:
        self.liked: frozenset[str] = frozenset()
        self._tracks: tuple[Track, ...] = ()
        self._unliked: set[str] = set()

    def look(self, tracks: tuple[Track, ...]) -> bool:
        """True where it is another set by now."""
        if tracks is self._tracks:
            return False
        self._tracks = tracks
        before = self.liked
        self.liked = frozenset(track.id for track in tracks if track.starred) - self._unliked
        return self.liked != before

    def note(self, track_id: str, liked: bool) -> None:
        """A person has said so."""
        if liked:
            self._unliked.discard(track_id)
        else:
            self._unliked.add(track_id)
            self.liked -= {track_id}


def title_of(track: Track | None) -> str:
    """What outputs show of a track: artist and title; nothing where none plays."""
    return "" if track is None else " - ".join(part for part in (track.artist, track.title) if part)
