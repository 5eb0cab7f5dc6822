"""How a server of music fails."""

from __future__ import annotations


class MusicServerError(OSError):
    """The server cannot be used now. The message is one line, without password or token."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.strerror = words


class TrackMissingError(MusicServerError):
    """The server has this one track no more; the others may be there."""
