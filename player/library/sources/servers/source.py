"""The port of music that lies on a server: a list of tracks, and the bytes of each.

A source is named by a file (``home.subsonic``) whose ending says of which kind it is; see ``source_opening``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from player.library.sources.servers.remote_file import RemoteFile


@dataclass(frozen=True, slots=True)
class SourceTrack:
    """What a server says of a track; its words are untrusted. ``location`` holds no secret.

    ``gain_db`` and ``peak`` are those of ReplayGain; ``duration_s`` is 0 where it is not known.
    ``album_artist`` tells albums of one name apart; ``part`` is the place in it, 1000 times the disc and the
    track's number.
    """

    location: str
    title: str
    artist: str
    album: str
    duration_s: float
    gain_db: float | None = None
    peak: float | None = None
    liked: bool = False
    album_artist: str = ""
    part: int = 0


class MusicSource(Protocol):
    """One account on one server. Every call may take seconds."""

    def tracks(self) -> Iterator[SourceTrack]:
        """All of them, asked for page by page. Raises MusicServerError."""
        ...

    def open(self, location: str, *, ahead: bool = False) -> RemoteFile:
        """A track's bytes, from any place in them; ``ahead`` fetches all of it meanwhile, to be played.

        Raises MusicServerError.
        """
        ...

    def like(self, location: str, liked: bool) -> None:
        """Tell the server, where its file allows that. Raises MusicServerError."""
        ...
