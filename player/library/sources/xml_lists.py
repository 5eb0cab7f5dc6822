"""Lists of sounds that are written in XML: XSPF playlists and the RSS feeds of podcasts."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urljoin
from xml.parsers import expat

MAX_FIELD_CHARS = 2_000
MAX_DURATION_S = 48 * 3600.0
_XML_BASE = "http://www.w3.org/XML/1998/namespace base"

Listed = tuple[list[str], str, float]
"""The places of one sound, the best first; its title; its length in seconds, 0 where nothing is said."""
Starts = Callable[[str, dict[str, str]], None]
Ends = Callable[[str, str], None]


class XmlListError(ValueError):
    """The document cannot be read. The message names the rule it breaks."""


def read_xspf(content: bytes) -> list[Listed]:
    """The tracks of an XSPF playlist, each with all its locations. Raises XmlListError."""
    found: list[Listed] = []
    fields: dict[str, str] = {}
    places: list[str] = []
    bases: list[str] = [""]

    def start(name: str, attributes: dict[str, str]) -> None:
        base = attributes.get(_XML_BASE, "")
        bases.append(urljoin(bases[-1], base) if base else bases[-1])
        if name == "track":
            fields.clear()
            places.clear()

    def end(name: str, text: str) -> None:
        base = bases.pop()
        if name == "location" and text.strip():
            places.append(urljoin(base, text.strip()) if base else text.strip())
        elif name == "track" and places:
            title = " – ".join(fields[key] for key in ("creator", "title") if fields.get(key))
            found.append((list(places), title, _milliseconds(fields.get("duration", ""))))
        else:
            fields.setdefault(name, text.strip())

    _parse(content, start, end, "an XSPF file")
    return found


def read_rss(content: bytes) -> list[Listed]:
    """The episodes of a podcast's feed (RSS, or Atom), in its order. Raises XmlListError."""
    found: list[Listed] = []
    fields: dict[str, str] = {}
    places: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name in ("item", "entry"):
            fields.clear()
            places.clear()
        is_link = name == "link" and attributes.get("rel") == "enclosure"
        address = attributes.get("url" if name == "enclosure" else "href", "")
        if (name == "enclosure" or is_link) and address and _may_sound(attributes.get("type", "")):
            places.append(address.strip())

    def end(name: str, text: str) -> None:
        if name not in ("item", "entry"):
            fields.setdefault(name, text.strip())
        elif places:
            found.append((list(places), fields.get("title", ""), _clock_s(fields.get("duration", ""))))

    _parse(content, start, end, "a feed")
    return found


def _parse(content: bytes, on_start: Starts, on_end: Ends, what: str) -> None:
    """Expat with every document type refused: no entity can be declared, so none can be expanded."""
    texts: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        texts.append("")
        on_start(name.rpartition(" ")[2], attributes)

    def end(name: str) -> None:
        on_end(name.rpartition(" ")[2], texts.pop())

    def data(text: str) -> None:
        if texts and len(texts[-1]) < MAX_FIELD_CHARS:
            texts[-1] += text

    def refuse(*_arguments: object) -> None:
        raise XmlListError(f"{what} may have no document type")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = data
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except XmlListError:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two: an encoding it cannot read
        raise XmlListError(f"is no XML: {error}") from error


def _may_sound(kind: str) -> bool:
    """A feed's pictures and papers are no episodes; many feeds say nothing or the wrong thing of sound."""
    return kind.partition("/")[0].strip().lower() not in ("image", "text")


def _milliseconds(text: str) -> float:
    return _bounded(int(text) / 1000) if text.isdecimal() and len(text) <= 12 else 0.0


def _clock_s(text: str) -> float:
    """``1:02:03``, ``62:03`` or ``3723``."""
    parts = text.split(":")
    if len(parts) > 3 or not all(part.isdecimal() and len(part) <= 7 for part in parts):
        return 0.0
    seconds = 0
    for part in parts:
        seconds = seconds * 60 + int(part)
    return _bounded(float(seconds))


def _bounded(seconds: float) -> float:
    return seconds if 0 < seconds <= MAX_DURATION_S else 0.0
