"""Words of others on a terminal: what they say is kept, what they would do to the terminal is not."""

from __future__ import annotations

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
