"""How a role or command says that it was asked for something impossible."""

from __future__ import annotations

from player.location import without_secrets

EXIT_BAD_INPUT = 2
"""Exit status for anything the person can mend: an option, a file, a port, a device name."""


class BadInputError(Exception):
    """The message is one line naming the thing, the rule and the value got, without passwords."""

    def __init__(self, message: str = "") -> None:
        super().__init__(without_secrets(message))


class BrokenRuleError(BadInputError):
    """The message is the bare rule ("must be ..."): who knows them names the thing and the value got."""
