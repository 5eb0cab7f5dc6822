"""Fetches addresses that name a playlist or a podcast's feed, and says what stands in them."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from player.library.sources.playlists import (
    MAX_PLAYLIST_BYTES,
    PlaylistEntry,
    PlaylistError,
    absolute,
    is_hls,
    read_playlist,
)
from player.location import openable, without_login
from player.reading.http_asking import ask, reason_of

TIMEOUT_S = 5.0
DEADLINE_S = 15.0
FRESH_S = 3600.0
AGAIN_S = 120.0
MAX_ADDRESSES = 200
MAX_EPISODES = 300
"""Of one feed the newest."""

LIST_TYPES = ("mpegurl", "scpls", "xspf+xml", "rss+xml", "x-pls")
"""Some lists are said to be audio, too."""

Fetched = tuple[tuple[PlaylistEntry, ...], str]
"""What stands at the address, or why nothing does."""


@dataclass(frozen=True, slots=True)
class _Kept:
    at_s: float
    entries: tuple[PlaylistEntry, ...]
    why: str


class ListAddresses:
    """Asks each address once an hour, sooner where it failed; what it said before holds until it says more.

    ``busy`` is told that somebody waits, not for a file.
    """

    def __init__(self, busy: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._busy, self._clock = busy, clock
        self._kept: dict[str, _Kept] = {}

    def entries(self, address: str) -> Fetched:
        """The streams that an address lists; none, and the reason, where it cannot be read now."""
        before = self._kept.get(address)
        if before is None or self._is_old(before):
            if before is None and len(self._kept) >= MAX_ADDRESSES:
                return (), f"only {MAX_ADDRESSES} addresses of lists are read"
            self._busy("")
            found, why = _listed(address)
            if not found and before is not None:
                found = before.entries
            before = self._kept[address] = _Kept(self._clock(), found, why)
        return before.entries, before.why

    def due(self) -> bool:
        """True when one of them should be asked again."""
        return any(map(self._is_old, self._kept.values()))

    def _is_old(self, kept: _Kept) -> bool:
        return self._clock() - kept.at_s > (AGAIN_S if kept.why else FRESH_S)


def _listed(address: str) -> Fetched:
    try:
        content, name = _fetched(address)
        if content is None:
            return (PlaylistEntry(address),), ""
    except (OSError, http.client.HTTPException, ValueError) as error:
        return (), f"the list at this address cannot be fetched: {reason_of(error, address)}"
    if is_hls(content):
        return (PlaylistEntry(address),), ""
    try:
        entries = [absolute(entry, without_login(address)) for entry in read_playlist(content, name)]
    except PlaylistError as error:
        return (), f"the list at this address cannot be read: {error}"
    streams = _without_mirrors([entry for entry in entries if entry.is_stream])
    return streams[
        :MAX_EPISODES
    ], "" if streams else "the list at this address names no http or https address"


def _without_mirrors(entries: list[PlaylistEntry]) -> tuple[PlaylistEntry, ...]:
    """A station lists its servers: the same path at several of them is one stream."""
    first: dict[str, PlaylistEntry] = {}
    for entry in entries:
        parts = urlsplit(openable(entry.location))
        first.setdefault(f"{parts.path}?{parts.query}" if len(parts.path) > 1 else entry.location, entry)
    return tuple(first.values())


def _fetched(address: str) -> tuple[bytes | None, str]:
    """The bytes at an address, None for sound, and a name. Raises OSError, HTTPException, ValueError."""
    until_s = time.monotonic() + DEADLINE_S
    content = b""
    with contextlib.closing(ask(address, TIMEOUT_S)) as answer:
        kind = answer.headers.get_content_type()
        if kind.startswith(("audio/", "video/")) and not kind.endswith(LIST_TYPES):
            return None, ""
        while len(content) <= MAX_PLAYLIST_BYTES and (part := answer.read1(1 << 16)):
            content += part
            if time.monotonic() > until_s:
                raise TimeoutError(f"took longer than {DEADLINE_S:g} s")
        name = urlsplit(answer.geturl()).path
    return content, name
