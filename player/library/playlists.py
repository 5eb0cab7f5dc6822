"""Reads M3U, PLS and XSPF playlists: untrusted text, bounded and without entity expansion."""

from __future__ import annotations

import configparser
import math
import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from urllib.parse import unquote, urlsplit
from xml.parsers import expat

from player.library.mood_tags import mood_of_words
from player.music import Mood

MAX_PLAYLIST_BYTES = 4 << 20
MAX_ENTRIES = 50_000
MAX_LOCATION_CHARS = 2_000
MAX_LINE_CHARS = 4_000
"""Nothing sensible is longer, and the search for attributes costs the square of a line's length."""
STREAM_SCHEMES = frozenset({"http", "https"})
_ATTRIBUTE = re.compile(r'([a-z]+)="([^"]{0,80})"')


class PlaylistError(ValueError):
    """The playlist cannot be read. The message names the rule it breaks."""


@dataclass(frozen=True, slots=True)
class PlaylistEntry:
    """One line of a playlist: a local path as written or a stream's URL, with what was said of it."""

    location: str
    title: str = ""
    mood: Mood | None = None

    @property
    def is_stream(self) -> bool:
        """True for http and https."""
        return urlsplit(self.location).scheme in STREAM_SCHEMES


def read_playlist(content: bytes, name: str) -> tuple[PlaylistEntry, ...]:
    """The entries of a playlist by the suffix of its name. Raises PlaylistError.

    M3U takes a mood from ``#EXTINF:-1 arousal="-0.6" valence="0.3" mood="calm",Title``; other schemes than
    http, https and file are left out.
    """
    if len(content) > MAX_PLAYLIST_BYTES:
        raise PlaylistError(f"a playlist may have {MAX_PLAYLIST_BYTES >> 20} MiB at most")
    suffix = PurePath(name).suffix.lower()
    if suffix == ".xspf":
        entries = _read_xspf(content)
    else:
        text = content.decode("utf-8-sig", "replace")
        entries = _read_pls(text) if suffix == ".pls" else _read_m3u(text)
    if len(entries) > MAX_ENTRIES:
        raise PlaylistError(f"a playlist may have {MAX_ENTRIES} entries at most")
    return tuple(entry for entry in map(_localised, entries) if entry is not None)


def _localised(entry: PlaylistEntry) -> PlaylistEntry | None:
    """File URLs become paths; unknown schemes and control characters are dropped."""
    location = entry.location.strip()
    if not location or len(location) > MAX_LOCATION_CHARS or any(ord(letter) < 32 for letter in location):
        return None
    try:
        parts = urlsplit(location)
    except ValueError:
        return None
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return PlaylistEntry(unquote(parts.path), entry.title, entry.mood)
    if "://" in location and (parts.scheme not in STREAM_SCHEMES or not parts.hostname):
        return None
    return PlaylistEntry(location, entry.title[:200], entry.mood)


def _read_m3u(text: str) -> list[PlaylistEntry]:
    entries = []
    title, mood = "", None
    for line in text.splitlines():
        line = line.strip()
        if len(line) > MAX_LINE_CHARS:
            continue
        if line.upper().startswith("#EXTINF:"):
            attributes = dict(_ATTRIBUTE.findall(line))
            title = _ATTRIBUTE.sub("", line).partition(",")[2].strip()
            mood = _mood(attributes)
        elif line and not line.startswith("#"):
            entries.append(PlaylistEntry(line, title, mood))
            title, mood = "", None
    return entries


def _read_pls(text: str) -> list[PlaylistEntry]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise PlaylistError(f"is no PLS file: {str(error).splitlines()[0][:100]}") from error
    section = next((parser[name] for name in parser.sections() if name.lower() == "playlist"), None)
    if section is None:
        raise PlaylistError("a PLS file needs a [playlist] section")
    numbers = sorted((key[4:] for key in section if re.fullmatch(r"file[0-9]{1,6}", key)), key=int)
    return [PlaylistEntry(section[f"file{n}"], section.get(f"title{n}", "")) for n in numbers]


def _read_xspf(content: bytes) -> list[PlaylistEntry]:
    """Expat with every document type refused: no entity can be declared, so none can be expanded."""
    entries: list[PlaylistEntry] = []
    path: list[str] = []
    fields: dict[str, str] = {}

    def start(name: str, _attributes: dict[str, str]) -> None:
        path.append(name.rpartition(" ")[2])
        if path[-2:] == ["trackList", "track"]:
            fields.clear()

    def end(_name: str) -> None:
        if path[-2:] == ["trackList", "track"] and fields.get("location"):
            title = " – ".join(fields[key] for key in ("creator", "title") if fields.get(key))
            entries.append(PlaylistEntry(_from_uri(fields["location"]), title))
        path.pop()

    def data(text: str) -> None:
        if len(path) > 2 and path[-2] == "track" and len(fields.get(path[-1], "")) < MAX_LOCATION_CHARS:
            fields[path[-1]] = fields.get(path[-1], "") + text.strip("\n\t")

    def refuse(*_arguments: object) -> None:
        raise PlaylistError("an XSPF file may have no document type")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = data
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except PlaylistError:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two: an encoding it cannot read
        raise PlaylistError(f"is no XML: {error}") from error
    return entries


def _from_uri(location: str) -> str:
    """XSPF locations are URIs: a relative one is percent-encoded."""
    return location if "://" in location else unquote(location)


def _mood(attributes: dict[str, str]) -> Mood | None:
    try:
        arousal = float(attributes["arousal"])
        valence = float(attributes["valence"]) if "valence" in attributes else None
    except KeyError:
        return mood_of_words(attributes.get("mood", ""))
    except ValueError:
        return None
    known = [arousal] if valence is None else [arousal, valence]
    return Mood(valence, arousal) if all(math.isfinite(v) and -1 <= v <= 1 for v in known) else None


def local_path(entry: PlaylistEntry, playlist: Path) -> Path:
    """The path an entry means: relative ones are taken from the playlist's folder."""
    return playlist.parent / entry.location.replace("\\", "/")
