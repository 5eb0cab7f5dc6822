"""Names from outside, made fit to be shown: bounded, one line, no control or direction characters."""

from __future__ import annotations

import unicodedata

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
