"""Every word of the page, in one file a language; English is complete and stands in for what is missing.

The English words of reasons (``why``) are the player's own, who tells them on MQTT and in a terminal too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec

from player.choice.reason_words import ENGLISH

DEFAULT = "en"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z]{2,4})?")


class TextError(LookupError):
    """A text that nobody wrote. The message names its key."""


class Texts:
    """Looks texts up by dotted key and fills in ``{named}`` values."""

    def __init__(self, words: Mapping[str, str], fallback: Mapping[str, str]) -> None:
        self._words, self._fallback = words, fallback

    def __call__(self, key: str, **values: object) -> str:
        """The text of ``key``. Raises ``TextError`` for an unknown one."""
        template = self._words.get(key) or self._fallback.get(key)
        if template is None:
            raise TextError(f"no text is called {key!r}")
        return template.format(**values) if values else template

    def has(self, key: str) -> bool:
        """Whether a text of that key exists."""
        return key in self._words or key in self._fallback

    @property
    def keys(self) -> frozenset[str]:
        """All keys of the complete language."""
        return frozenset(self._fallback)


@cache
def texts(language: str = DEFAULT) -> Texts:
    """The texts of a language such as ``en``; English where that language is not there."""
    fallback = _read(DEFAULT) or {}
    words = _read(language) if _LANGUAGE.fullmatch(language) else None
    return Texts(words or fallback, fallback)


def _read(language: str) -> dict[str, str] | None:
    file = resources.files(__name__) / f"{language}.json"
    if not file.is_file():
        return None
    nested = msgspec.json.decode(file.read_bytes(), type=dict[str, dict[str, str]])
    if language == DEFAULT:
        nested["why"] = dict(ENGLISH)
    return {f"{part}.{name}": text for part, words in nested.items() for name, text in words.items()}
