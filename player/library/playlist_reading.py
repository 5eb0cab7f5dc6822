"""What one root holds, and what its playlists add: streams, listed files, and what they name in vain."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from player.library.music_folder import FoundFile, OutsideFolderError, is_under, open_under
from player.library.sounds.header_reading import one_line
from player.library.sources.list_addresses import ListAddresses
from player.library.sources.listed_files import ListedFiles
from player.library.sources.mood_tags import GivenMood
from player.library.sources.playlists import (
    MAX_PLAYLIST_BYTES,
    PlaylistEntry,
    PlaylistError,
    is_list_address,
    read_playlist,
)
from player.library.store.rows import Header
from player.location import Location, without_login, without_secrets

MAX_REFUSED = 1_000
"""So many entries of one playlist are named that lead nowhere; it may be of another machine altogether."""


@dataclass(slots=True)
class RootContent:
    """What one walk over a root found."""

    files: dict[str, FoundFile] = field(default_factory=dict)
    streams: dict[str, Header] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    sidecars: list[str] = field(default_factory=list)
    playlists: list[str] = field(default_factory=list)


def add_playlist(playlist: str, content: RootContent, roots: Sequence[str], addresses: ListAddresses) -> None:
    """Add a playlist's streams; its local files only where it is itself one of the ``roots``.

    Raises PlaylistError, OSError.
    """
    with open_under(Path(playlist).parent, playlist) as file:
        entries = read_playlist(file.read(MAX_PLAYLIST_BYTES + 1), playlist)
    files = ListedFiles(str(Path(playlist).parent))
    left = MAX_REFUSED
    for entry in entries:
        refusal = _add(entry, playlist, content, roots, files, addresses)
        if refusal is not None and left:
            content.refused.setdefault(*refusal)
            left -= 1


def _add(
    entry: PlaylistEntry,
    playlist: str,
    content: RootContent,
    roots: Sequence[str],
    files: ListedFiles,
    addresses: ListAddresses,
) -> tuple[str, str] | None:
    """(what was named, why it is not played), if it is not."""
    path = files.find(entry)
    if path is not None:
        return _add_file(path, playlist, content, roots)
    address = next((place for place in (entry.location, *entry.others) if _is_stream(place)), None)
    if address is None:
        scheme = entry.foreign_scheme
        if scheme:
            return without_login(entry.location), f"{scheme} addresses cannot be played, only http and https"
        named = without_secrets(entry.location)
        there = os.path.join(os.path.dirname(playlist), named)  # noqa: PTH118, PTH120
        name = os.path.basename(playlist)  # noqa: PTH119
        return _shown(there), f"is listed in {_shown(name)}, but there is no such file"
    if is_list_address(address):
        found, why = addresses.entries(address)
        for inner in found:
            content.streams[without_login(inner.location)] = _header(inner, entry, "", inner.location)
        return None if found else (without_login(address), why)
    content.streams[without_login(address)] = _header(entry, entry, playlist, address)
    return None


def address_with_login(location: str, playlist: str) -> str:
    """The address as the playlist has it, for a password is kept nowhere else; else as it is."""
    try:
        with open_under(Path(playlist).parent, playlist) as file:
            entries = read_playlist(file.read(MAX_PLAYLIST_BYTES + 1), playlist)
    except (PlaylistError, OSError):
        return location
    places = (place for entry in entries for place in (entry.location, *entry.others))
    return next(
        (place for place in places if place != location and without_login(place) == location), location
    )


def _is_stream(place: str) -> bool:
    return PlaylistEntry(place).is_stream


def _header(entry: PlaylistEntry, outer: PlaylistEntry, playlist: str, address: str) -> Header:
    """What is known of a stream; ``login_in`` names the playlist that alone holds its password."""
    shown = without_login(address)
    mood = entry.mood or outer.mood
    return Header(
        duration_s=entry.duration_s,
        title=one_line(entry.title) or one_line(outer.title) or Location(shown).printable,
        artist="",
        tagged=None if mood is None else GivenMood(mood.valence, mood.arousal, "given"),
        login_in=playlist if shown != address else "",
    )


def _add_file(path: str, playlist: str, content: RootContent, roots: Sequence[str]) -> tuple[str, str] | None:
    real = os.path.realpath(path)
    if any(is_under(real, root) for root in roots if root != playlist):
        return None  # found by the walk over that root
    if playlist not in roots:
        return _shown(path), "lies outside the music folder; its playlist is not named as music itself"
    try:
        with open_under(Path(playlist).parent, path) as file:
            status = os.fstat(file.fileno())
    except OutsideFolderError:
        return _shown(path), "lies outside the folder of its playlist"
    except (OSError, ValueError) as error:
        return _shown(path), f"cannot be read: {getattr(error, 'strerror', None) or error}"
    content.files[real] = FoundFile(real, status.st_size, status.st_mtime_ns)
    return None


def _shown(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "replace")
