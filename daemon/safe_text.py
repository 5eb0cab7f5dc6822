"""Names from outside, made fit to be shown: bounded, one line, no control or direction characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any


def harmless_text(text: str) -> str:
    """The text on one line, without control characters, escape sequences and direction marks."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def harmless(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document of plain values with every text in it made harmless."""
    return {key: _harmless(value) for key, value in document.items()}


def _harmless(value: Any) -> Any:
    if isinstance(value, str):
        return harmless_text(value)
    if isinstance(value, list):
        return [_harmless(item) for item in value]
    return harmless(value) if isinstance(value, dict) else value


def persons_word(text: str) -> str:
    """What a person has said, in one form and on one line; empty where no letter or digit is in it.

    What cannot be seen says nothing: a name of zero-width characters is none.
    """
    plain = unicodedata.normalize("NFKC", text)
    visible = "".join(
        letter for letter in plain if unicodedata.category(letter) not in _INVISIBLE or letter.isspace()
    )
    words = " ".join(visible.split())
    return words if any(letter.isalnum() for letter in words) else ""


MAX_SHOWN = 160


def shown(text: str, limit: int = MAX_SHOWN) -> str:
    """The text as a person may see it. What it says is kept, what it does to a line of text is not.

    Markup needs no care here: the page sets texts as text nodes, never as HTML.
    """
    flat = "".join(" " if letter.isspace() else letter for letter in text[: 20 * limit])
    plain = "".join(letter for letter in flat if unicodedata.category(letter) not in _INVISIBLE)
    words = " ".join(plain.split())
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "…"


_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Unicode categories: controls, format (bidi overrides, zero width), surrogates, private and unassigned."""


def clock_time(seconds: float) -> str:
    """``75`` -> ``1:15``; hours once there are any."""
    whole = max(0, int(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
