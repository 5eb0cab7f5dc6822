"""Finds the file that an entry of a playlist means: as written, or as another program would write it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import PurePath
from urllib.parse import unquote, unquote_to_bytes

from player.library.sources.foreign_text import composed
from player.library.sources.playlists import PlaylistEntry

_DRIVE = re.compile(r"[A-Za-z]:[/\\]+|[/\\]{2}[^/\\]+[/\\]+")
MAX_PARTS = 64
MAX_NAMES = 50_000


class ListedFiles:
    """Looks in the folder of one playlist; each folder on the way is listed once, and only when needed."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._names: dict[str, dict[str, str]] = {}

    def find(self, entry: PlaylistEntry) -> str | None:
        """The path of the first place of the entry that is there; None if none is."""
        for place in (entry.location, *entry.others):
            if "://" in place:
                continue
            for written in _readings(place, uri_first=entry.is_uri):
                found = self._there(written)
                if found is not None:
                    return found
        return None

    def _there(self, written: str) -> str | None:
        path = os.path.join(self._folder, written)  # noqa: PTH118 (the text of a stranger, not a path yet)
        try:
            if os.path.lexists(path):
                return path
        except ValueError:
            return None
        drive = _DRIVE.match(written)
        parts = PurePath(written[drive.end() :] if drive else written).parts
        if len(parts) > MAX_PARTS:
            return None
        if drive is None and not written.startswith("/"):
            return self._alike(parts)
        # written on another machine: the same folders, from some level on, may lie beside the playlist
        tails = (self._alike(parts[start:]) for start in range(len(parts)) if parts[start] != "/")
        return next((tail for tail in tails if tail is not None), None)

    def _alike(self, parts: tuple[str, ...]) -> str | None:
        """The path whose names differ from these only in the form of their letters, or in their case."""
        at = self._folder
        for part in parts:
            if part == "..":
                at = os.path.dirname(at)  # noqa: PTH120
                continue
            name = self._listed(at).get(_key(part))
            if name is None:
                return None
            at = os.path.join(at, name)  # noqa: PTH118
        return at

    def _listed(self, folder: str) -> dict[str, str]:
        known = self._names.get(folder)
        if known is None:
            try:
                names = os.listdir(folder)[:MAX_NAMES]  # noqa: PTH208
            except OSError:
                names = []
            known = self._names[folder] = {_key(name): name for name in sorted(names, reverse=True)}
        return known


def _readings(place: str, *, uri_first: bool) -> Iterator[str]:
    """What the place may mean, no reading twice: literal, percent-encoded, with Windows' backslashes."""
    unescaped = [unquote(place), unquote_to_bytes(place).decode("cp1252", "replace")] if "%" in place else []
    literal = [*unescaped, place] if uri_first else [place, *unescaped]
    yield from dict.fromkeys([*literal, *(one.replace("\\", "/") for one in literal)])


def _key(name: str) -> str:
    return composed(name).casefold()
