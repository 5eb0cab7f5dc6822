"""The rows of the cache: what is known of a file, and of the sound in it."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from player.analysis.track_measures import Analysis, LearnedMood
from player.library.sources.mood_tags import GivenMood


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file's own header says; ``duration_s`` 0 for streams without an end, ``part`` as in ``Track``.

    ``loudness_lufs`` and ``true_peak_dbtp`` are what its ReplayGain or R128 tags come to. ``login_in`` names
    the playlist in which alone a stream's user and password stand; ``liked`` is a server's star.
    """

    duration_s: float
    title: str
    artist: str
    tagged: GivenMood | None = None
    album: str = ""
    album_artist: str = ""
    part: int = 0
    login_in: str = ""
    loudness_lufs: float | None = None
    true_peak_dbtp: float | None = None
    liked: bool = False


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file or URL of the library and all that is known of it."""

    path: str
    root: str
    header: Header | None
    given: GivenMood | None
    analysis: Analysis | None
    reason: str | None
    changed: int
    learned: LearnedMood | None = None
    sound: str | None = None
    kind: str | None = None
    """Of the reason, one of ``RefusalKind``; None also where an older version wrote it."""


@dataclass(frozen=True, slots=True)
class KnownSound:
    """A sound that begins in a certain way; ``whole`` is None until somebody had to read all of it."""

    id: str
    whole: str | None
    files: tuple[tuple[str, str], ...]
    """(root, path) of those that hold it."""


@dataclass(frozen=True, slots=True)
class PendingFile:
    """A file to be worked on; ``analyser`` is the version that its sound was measured by, if it was."""

    path: str
    root: str
    size: int
    sound: str | None
    analyser: int | None
