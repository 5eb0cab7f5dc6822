"""Reads M3U, PLS and XSPF playlists: untrusted text, bounded and without entity expansion."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from urllib.parse import unquote, urljoin, urlsplit

from player.library.music_folder import PLAYLIST_SUFFIXES
from player.library.sources.foreign_text import decoded, number
from player.library.sources.mood_tags import mood_of_words
from player.library.sources.xml_lists import XmlListError, read_rss, read_xspf
from player.location import openable
from player.music import Mood

MAX_PLAYLIST_BYTES = 4 << 20
MAX_ENTRIES = 50_000
MAX_LOCATION_CHARS = 2_000
MAX_LINE_CHARS = 4_000
"""Nothing sensible is longer, and the search for attributes costs the square of a line's length."""
STREAM_SCHEMES = frozenset({"http", "https"})
MAX_DURATION_S = 48 * 3600.0
_ATTRIBUTE = re.compile(r'([a-zA-Z]+)="([^"]{0,80})"')
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_LINES = re.compile(r"\r\n|\r|\n")
_PLS_LINE = re.compile(r"\s*(file|title|length)([0-9]{1,6})\s*=(.*)", re.IGNORECASE)


class PlaylistError(ValueError):
    """The playlist cannot be read. The message names the rule it breaks."""


@dataclass(frozen=True, slots=True)
class PlaylistEntry:
    """One entry: a local path as written or a stream's URL, with what was said of it.

    ``others`` are further places of the same sound, tried in turn; ``duration_s`` is 0 where nothing is said.
    ``is_uri``: the playlist's format writes paths with ``%20`` and the like.
    """

    location: str
    title: str = ""
    mood: Mood | None = None
    duration_s: float = 0.0
    others: tuple[str, ...] = ()
    is_uri: bool = False

    @property
    def is_stream(self) -> bool:
        """True for http and https."""
        return urlsplit(openable(self.location)).scheme.lower() in STREAM_SCHEMES

    @property
    def foreign_scheme(self) -> str:
        """The scheme of an address that nothing here can open, such as ``mms``; empty for all others."""
        found = _SCHEME.match(self.location)
        scheme = found[1].lower() if found is not None else ""
        # a drive's letter is too short to be taken for a scheme
        return "" if scheme in STREAM_SCHEMES | {"", "file"} else scheme


def read_playlist(content: bytes, name: str) -> tuple[PlaylistEntry, ...]:
    """The entries of a playlist, by what it holds and else by the suffix of its name. Raises PlaylistError.

    M3U takes a mood from ``#EXTINF:-1 arousal="-0.6" valence="0.3" mood="calm",Title``. Entries that are
    empty, longer than 2000 characters or hold control characters are left out.
    """
    if len(content) > MAX_PLAYLIST_BYTES:
        raise PlaylistError(f"a playlist may have {MAX_PLAYLIST_BYTES >> 20} MiB at most")
    kind = _kind(content, PurePath(name).suffix.lower())
    if kind in (".xspf", ".rss"):
        try:
            found = (read_xspf if kind == ".xspf" else read_rss)(content)
        except XmlListError as error:
            raise PlaylistError(str(error)) from None
        entries = [
            PlaylistEntry(places[0], title, None, length_s, tuple(places[1:]), is_uri=True)
            for places, title, length_s in found
        ]
    else:
        text = decoded(content)
        entries = _read_pls(text) if kind == ".pls" else _read_m3u(text)
    if len(entries) > MAX_ENTRIES:
        raise PlaylistError(f"a playlist may have {MAX_ENTRIES} entries at most")
    return tuple(entry for entry in map(_localised, entries) if entry is not None)


def is_hls(content: bytes) -> bool:
    """True for a list of a stream's segments, which is no list of tracks."""
    return b"#EXT-X-TARGETDURATION" in content or b"#EXT-X-STREAM-INF" in content


def is_list_address(url: str) -> bool:
    """True for an address that seems to name a playlist or a feed instead of sound."""
    parts = urlsplit(openable(url).lower())
    path = PurePath(parts.path)
    if path.suffix:
        return path.suffix in PLAYLIST_SUFFIXES | {".rss", ".xml", ".atom"}
    host = (parts.hostname or "").split(".")[0]
    return path.name in ("rss", "feed", "atom", "podcast") or host in ("feeds", "feed", "rss")


def _kind(content: bytes, suffix: str) -> str:
    """Servers and people name a playlist by the wrong ending: what it begins with counts."""
    start = decoded(content[:2048]).lstrip("\ufeff \t\r\n").lower()
    if start.startswith("[playlist]"):
        return ".pls"
    if start.startswith("<"):
        return ".rss" if re.search(r"<(rss|feed|rdf)[\s>:]", start) else ".xspf"
    return suffix


def _localised(entry: PlaylistEntry) -> PlaylistEntry | None:
    """File URLs become paths; what is no place at all is dropped."""
    places = [place for place in map(_place, (entry.location, *entry.others)) if place]
    if not places:
        return None
    return replace(entry, location=places[0], others=tuple(places[1:]), title=entry.title[:200])


def _place(written: str) -> str | None:
    location = written.strip()
    if len(location) >= 2 and location[0] == location[-1] == '"':
        location = location[1:-1].strip()
    if not location or len(location) > MAX_LOCATION_CHARS or any(ord(letter) < 32 for letter in location):
        return None
    try:
        parts = urlsplit(openable(location))
        if parts.scheme in STREAM_SCHEMES and not parts.hostname:
            return None
    except ValueError:
        return None
    if parts.scheme != "file":
        return location
    # not of urlsplit: a "#" or "?" in a file's URL that somebody forgot to encode belongs to its name
    rest = location[5:]
    if rest.startswith("//"):
        host, _, rest = rest[2:].partition("/")
        rest = "/" + rest if host.lower() in ("", "localhost", "127.0.0.1") else f"//{host}/{rest}"
    path = unquote(rest)
    return path[1:] if re.match(r"/[A-Za-z]:[/\\]", path) else path


def _read_m3u(text: str) -> list[PlaylistEntry]:
    entries = []
    title, mood, length_s = "", None, 0.0
    for line in _LINES.split(text):
        line = line.strip().strip("\ufeff\0")
        if len(line) > MAX_LINE_CHARS:
            continue
        if line.upper().startswith("#EXTINF:"):
            attributes = {key.lower(): value for key, value in _ATTRIBUTE.findall(line)}
            length, _, title = _ATTRIBUTE.sub("", line[8:]).partition(",")
            title, mood = title.strip(), _mood(attributes)
            length_s = _length_s(length.split(maxsplit=1)[0] if length.strip() else "")
        elif line and not line.startswith("#"):
            entries.append(PlaylistEntry(line, title, mood, length_s))
            title, mood, length_s = "", None, 0.0
    return entries


def _read_pls(text: str) -> list[PlaylistEntry]:
    """Line by line: what is no entry, such as a stray line, takes nothing else along."""
    rows: dict[int, dict[str, str]] = {}
    sections = [""]
    for line in _LINES.split(text):
        if len(line) > MAX_LINE_CHARS:
            continue
        if re.fullmatch(r"\s*\[[^]]*\]\s*", line):
            sections.append(line.strip(" \t[]").lower())
        found = _PLS_LINE.fullmatch(line) if sections[-1] == "playlist" else None
        if found is not None:
            rows.setdefault(int(found[2]), {})[found[1].lower()] = found[3].strip()
    if "playlist" not in sections:
        raise PlaylistError("a PLS file needs a [playlist] section")
    return [
        PlaylistEntry(row["file"], row.get("title", ""), None, _length_s(row.get("length", "")))
        for _, row in sorted(rows.items())
        if "file" in row
    ]


def _length_s(written: str) -> float:
    """Seconds; 0 for what has no end or says nothing."""
    seconds = number(written)
    return seconds if 0 < seconds <= MAX_DURATION_S else 0.0


def _mood(attributes: Mapping[str, str]) -> Mood | None:
    if "arousal" not in attributes:
        return mood_of_words(attributes.get("mood", ""))
    arousal = number(attributes["arousal"])
    valence = number(attributes["valence"]) if "valence" in attributes else None
    known = [arousal] if valence is None else [arousal, valence]
    return Mood(valence, arousal) if all(math.isfinite(v) and -1 <= v <= 1 for v in known) else None


def absolute(entry: PlaylistEntry, base: str) -> PlaylistEntry:
    """An entry of a playlist that lies at an address, with its own addresses made whole."""
    places = [urljoin(base, place.replace("\\", "/")) for place in (entry.location, *entry.others)]
    return replace(entry, location=places[0], others=tuple(places[1:]))
