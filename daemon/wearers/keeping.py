"""Whether a role may still keep anything of its wearer."""

from __future__ import annotations


class Keeping:
    """On from the start, and off for good once the wearer is forgotten: the session goes on as a guest's."""

    def __init__(self) -> None:
        self.on = True

    def stop(self) -> None:
        """From now on nothing is written."""
        self.on = False
