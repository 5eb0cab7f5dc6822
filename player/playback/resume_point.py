"""The place in the music, kept in a file, so that a player that was killed goes on where it was."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

FILE_NAME = "player-place.json"
EVERY_S = 2.0
MAX_AGE_S = 600.0
MAX_BYTES = 8192

log = logging.getLogger(__name__)


class ResumePoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the music is. ``at_s`` is Unix time; an old place is not gone back to."""

    at_s: float
    track_id: str
    position_s: float
    volume: float
    paused: bool


class ResumeFile:
    """Writes the place every two seconds, whole or not at all. ``wall`` gives Unix time."""

    def __init__(self, folder: Path, wall: Callable[[], float]) -> None:
        self._path = folder / FILE_NAME
        self._wall = wall
        self._due_s = 0.0
        self._failed = False
        self._stopped = False
        self._writing = threading.Lock()

    def read(self) -> ResumePoint | None:
        """The place of a player that ended less than ten minutes ago, if there is one that makes sense."""
        try:
            with self._path.open("rb") as file:
                place = msgspec.json.decode(file.read(MAX_BYTES), type=ResumePoint)
        except (OSError, msgspec.DecodeError):
            return None
        age_s = self._wall() - place.at_s
        sensible = 0 <= place.position_s < 48 * 3600 and 0 <= place.volume <= 1
        return place if sensible and -5 <= age_s <= MAX_AGE_S else None

    def save(self, track_id: str, position_s: float, volume: float, *, paused: bool, now_s: float) -> None:
        """Write if it is time to. A disk that is full stops nothing but this."""
        if now_s < self._due_s:
            return
        self._due_s = now_s + EVERY_S
        place = ResumePoint(self._wall(), track_id, round(position_s, 2), volume, paused)
        partial = self._path.with_suffix(f".{os.getpid()}")
        try:
            with self._writing:
                if not self._stopped:
                    partial.write_bytes(msgspec.json.encode(place))
                    partial.replace(self._path)
            self._failed = False
        except OSError as error:
            if not self._failed:
                log.warning("the place in the music cannot be kept (%s)", error.strerror)
            self._failed = True

    def stop(self) -> None:
        """Write no more; once this has returned, none is being written either. From any thread."""
        with self._writing:
            self._stopped = True

    def forget(self) -> None:
        """The music was ended on purpose: begin anew next time."""
        with contextlib.suppress(OSError):  # as for keeping it: that was told
            self._path.unlink(missing_ok=True)
