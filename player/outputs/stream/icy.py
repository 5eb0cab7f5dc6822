"""Titles within a stream, as Shoutcast began it: every so many bytes a block that is seldom full."""

from __future__ import annotations

META_INTERVAL = 16_000
MAX_TITLE_CHARS = 200


class IcyTitles:
    """Lays titles into one listener's bytes."""

    def __init__(self, interval: int = META_INTERVAL) -> None:
        self._interval = interval
        self._left = interval
        self._said: str | None = None

    def laid_into(self, data: bytes, title: str) -> bytes:
        """The bytes with a block after every ``interval`` of them; it is empty where nothing has changed."""
        pieces = []
        while len(data) >= self._left:
            pieces += [data[: self._left], self._block(title)]
            data, self._left = data[self._left :], self._interval
        self._left -= len(data)
        return b"".join((*pieces, data))

    def _block(self, title: str) -> bytes:
        if title == self._said:
            return b"\0"
        self._said = title
        text = f"StreamTitle='{_harmless(title)}';".encode()
        blocks = -(-len(text) // 16)
        return bytes([blocks]) + text.ljust(16 * blocks, b"\0")


def _harmless(title: str) -> str:
    """One line, and nothing in it that would end it."""
    shown = "".join(letter if letter.isprintable() else " " for letter in title[:MAX_TITLE_CHARS])
    return shown.replace("';", "’;").encode("utf-8", "replace").decode("utf-8")
