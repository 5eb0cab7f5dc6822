"""Text files as strangers write them: which encoding, which form of a letter, which sign in a number."""

from __future__ import annotations

import codecs
import math
import re
import unicodedata

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""The longer ones first: the mark of UTF-32 begins with that of UTF-16."""
_DECLARED = re.compile(rb"^#EXTENC:[ \t]*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE | re.MULTILINE)
_CHARSETS = re.compile(
    r"(utf|cp|iso8859|latin|koi8|mac|euc|shift|gb|big5|ascii|johab|hz|ptcp|kz|tis|hp).*", re.IGNORECASE
)
"""Encodings of writing: Python has others that unpack, escape or take quadratic time."""


def decoded(content: bytes) -> str:
    """The text of a file: by its byte order mark, by ``#EXTENC``, as UTF-8, else as Windows wrote it."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    bare = _bare_utf16(content)
    if bare is not None:
        return content.decode(bare, "replace")
    declared = _declared(content)
    for likely in (*([declared] if declared else []), "utf-8", "cp1252"):
        try:
            return content.decode(likely)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _bare_utf16(content: bytes) -> str | None:
    """UTF-16 without a mark gives itself away: every other byte of western text is zero."""
    start = content[:512]
    if len(start) < 8 or len(content) % 2:
        return None
    if start[1::2].count(0) * 5 > len(start) * 2 and not start[::2].count(0):
        return "utf-16-le"
    if start[::2].count(0) * 5 > len(start) * 2 and not start[1::2].count(0):
        return "utf-16-be"
    return None


def _declared(content: bytes) -> str | None:
    found = _DECLARED.search(content[:4096])
    if found is None:
        return None
    try:
        name = codecs.lookup(found[1].decode("ascii")).name
    except LookupError:
        return None
    return name if _CHARSETS.fullmatch(name) and name != "utf-7" else None


def composed(name: str) -> str:
    """A name with each letter in one piece: macOS writes "é" as two, others as one."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def number(text: object) -> float:
    """A number written with a point or a decimal comma; not a number where it is none."""
    try:
        return float(str(text).strip().replace(",", "."))
    except ValueError:
        return math.nan
