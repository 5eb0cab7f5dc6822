"""What the listener likes and never wants again, kept in a file of their own."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

FILE_NAME = "taste.json"
MAX_TRACKS = 5000
MAX_BYTES = 4 * 1024 * 1024

TrackId = Annotated[str, Meta(max_length=200)]
TrackIds = Annotated[frozenset[TrackId], Meta(max_length=MAX_TRACKS)]

log = logging.getLogger(__name__)


class TasteError(ValueError):
    """The taste cannot take in more. The message says why."""


class Taste(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tracks by id. None is in both."""

    liked: TrackIds = frozenset()
    banned: TrackIds = frozenset()

    def like(self, track_id: str, liked: bool) -> Taste:
        """The taste after a track was liked, or no longer is; to like a track lifts its ban."""
        if not liked:
            return Taste(self.liked - {track_id}, self.banned)
        return _bounded(Taste(self.liked | {track_id}, self.banned - {track_id}))

    def ban(self, track_id: str, banned: bool) -> Taste:
        """The taste after a track was banned, or is allowed again."""
        if not banned:
            return Taste(self.liked, self.banned - {track_id})
        return _bounded(Taste(self.liked - {track_id}, self.banned | {track_id}))


def _bounded(taste: Taste) -> Taste:
    if max(len(taste.liked), len(taste.banned)) > MAX_TRACKS:
        raise TasteError(f"at most {MAX_TRACKS} tracks can be liked, and as many banned")
    return taste


class TasteFile:
    """Reads and replaces the file as a whole."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME

    def read(self) -> Taste:
        """What was kept; an empty taste where there is no file or one that makes no sense."""
        try:
            with self._path.open("rb") as file:
                return msgspec.json.decode(file.read(MAX_BYTES), type=Taste)
        except FileNotFoundError:
            return Taste()
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("%s cannot be read, so nothing is liked or banned: %s", self._path, error)
            return Taste()

    def write(self, taste: Taste) -> None:
        """Keep it, for its owner only. A disk that is full stops nothing but this."""
        partial = self._path.with_suffix(f".{os.getpid()}")
        try:
            handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(taste, order="deterministic"))
            partial.replace(self._path)
        except OSError as error:
            log.warning("what you like cannot be kept (%s)", error.strerror)
