"""What was found in one source of settings, and everything that was wrong with it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from daemon.configuration.keys import BY_NAME
from daemon.errors import BadInputError, BrokenRuleError
from daemon.safe_text import shown as shown_text
from player.location import without_secrets

MAX_PROBLEMS = 100
"""A file with more is no configuration: the rest is counted."""
MASK = "********"

Values = dict[str, Any]


class ConfigError(BadInputError):
    """One line a problem, all of them."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(map(without_secrets, problems))
        super().__init__("; ".join(self.problems))


@dataclass(slots=True)
class Reading:
    """What was found in one source, and what was wrong with it."""

    origin: str
    lines: Mapping[str, int] = field(default_factory=dict)
    values: Values = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def shown_problems(self) -> list[str]:
        """The problems, of which a person reads so many."""
        more = len(self.problems) - MAX_PROBLEMS
        return [*self.problems[:MAX_PROBLEMS], f"and {more} problems more"] if more > 0 else self.problems

    def refuse(self, name: str, rule: str, value: object = None, *, secret: bool = False) -> None:
        """Note what is wrong with a key."""
        line = self.lines.get(name)
        where = f"{self.origin} line {line}" if line else self.origin
        got = f", got {in_words(value, secret=secret)}" if value is not None else ""
        self.problems.append(f"{where}: {shown_text(name, 120)} {rule}{got}")

    def add(self, name: str, value: object, prefix: str = "") -> None:
        """Read the value of a key, and keep it under its name with ``prefix`` in front."""
        key = BY_NAME.get(name)
        if key is None:
            guess = did_you_mean(name, BY_NAME) if len(self.problems) < MAX_PROBLEMS else ""
            self.refuse(prefix + name, f"is no key of the configuration{guess}")
            return
        try:
            self.values[prefix + name] = key.read(value)
        except BrokenRuleError as error:
            self.refuse(prefix + name, str(error), value, secret=key.secret)
        except BadInputError as error:  # names the value already
            self.refuse(prefix + name, f"is wrong: {error}")


def in_words(value: object, *, secret: bool) -> str:
    """What was given, on one line."""
    if secret:
        return MASK
    try:
        return without_secrets(repr(value))[:120]
    except ValueError:
        return "a number too long to be written"


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """A question that ends a refusal; empty where no name is near."""
    name = name[:120]
    known = list(names)
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if not found:
        by_last = {key.rpartition(".")[2]: key for key in reversed(known)}
        close = difflib.get_close_matches(name.rpartition(".")[2], list(by_last), n=1, cutoff=0.7)
        found = [by_last[last] for last in close]
    return f"; did you mean {found[0]}?" if found else ""
