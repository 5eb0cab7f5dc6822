"""How a value from file, environment or flag is read: by the type of its field, or by a check of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from daemon.configuration import values as opt
from daemon.errors import BrokenRuleError
from daemon.mqtt.topics import TopicError, checked_node
from daemon.wearers.wearer import RULE, WearerError, checked_wearer

Read = Callable[[Any], Any]
"""Returns the checked value or raises ``BadInputError``."""
MAX_TEXT = 500


def type_of(field: str, settings: type[Struct]) -> Any:
    """The type of a dotted field, with its bounds and without its None."""
    name, _, rest = field.partition(".")
    kind = get_type_hints(settings, include_extras=True)[name]
    if NoneType in get_args(kind):
        (kind,) = (part for part in get_args(kind) if part is not NoneType)
    return type_of(rest, kind) if rest else kind


def choices(kind: Any) -> tuple[str, ...]:
    """The words that a type knows; empty for one that is no choice."""
    return get_args(kind) if get_origin(kind) is Literal else ()


def limits(kind: Any) -> tuple[float, float] | None:
    """The least and the greatest number of a type, None for one without bounds."""
    for meta in getattr(kind, "__metadata__", ()):
        if isinstance(meta, Meta) and meta.ge is not None and meta.le is not None:
            return meta.ge, meta.le
    return None


def rule_of(kind: Any) -> str:
    """What a type demands, in words; empty where it is any text."""
    if words := choices(kind):
        return f"one of {', '.join(words)}"
    if bounds := limits(kind):
        return f"a number from {bounds[0]:.10g} to {bounds[1]:.10g}"
    return "true or false" if kind is bool else ""


def by_type(kind: Any) -> Read:
    """What a field of this type takes; a number, word or switch may come as text."""
    rule = rule_of(kind)

    def read(value: Any) -> Any:
        try:
            found: Any = msgspec.convert(value, kind, strict=not isinstance(value, str))
        except msgspec.ValidationError:
            raise BrokenRuleError(f"must be {rule}") from None
        if found != found or (isinstance(value, bool) and kind is not bool):  # not a number keeps all bounds
            raise BrokenRuleError(f"must be {rule}")
        return found

    return read if rule else text()


def text(check: Callable[[str], Any] = lambda text: text, limit: int = MAX_TEXT) -> Read:
    """A text that ``check`` accepts; a number stands for its own text."""

    def read(value: Any) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            with contextlib.suppress(ValueError):  # of thousands of digits
                value = str(value)
        if not isinstance(value, str) or not 0 < len(value) <= limit or "\0" in value:
            raise BrokenRuleError(f"must be a text of 1 to {limit} characters")
        return check(value)

    return read


def folders(value: Any) -> tuple[str, ...]:
    """Folders and playlists: a list, or a text with colons between them."""
    if isinstance(value, str):
        value = value.split(":")
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise BrokenRuleError("must be a list of folders")
    return tuple(opt.check_music(str(_expanded(folder))) for folder in value)


def node(name: str) -> str:
    """The name of a node."""
    try:
        return checked_node(name)
    except TopicError:
        raise BrokenRuleError("must be 1 to 64 of the characters a-z, 0-9, _ and -") from None


def wearer(name: str) -> str:
    """The name of a wearer."""
    try:
        return checked_wearer(name)
    except WearerError:
        raise BrokenRuleError(RULE) from None


def _expanded(name: str) -> Path:
    """With the home folder in place of ``~``; who has none gets no such file."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)


def readable(name: str) -> str:
    """The path of a file that is there."""
    path = _expanded(name)
    if not path.is_file():
        raise BrokenRuleError("must name a file that exists")
    return str(path)


def private(name: str) -> str:
    """A secret: nobody but its owner may read it."""
    path = Path(readable(name))
    if path.stat().st_mode & 0o077:
        raise BrokenRuleError(f"can be read by others on this machine; mend it with: chmod 600 {path}")
    return str(path)


def prefix(topic: str) -> str:
    """The beginning of a topic."""
    if any(character in topic for character in "+#\0 ") or topic.startswith("/"):
        raise BrokenRuleError("must be a topic without wildcards or blanks")
    return topic
