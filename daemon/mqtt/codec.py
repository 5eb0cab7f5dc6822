"""Documents to bytes and back, bounded and strict."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from daemon.mqtt.commands import COMMANDS, Command
from daemon.mqtt.documents import DOCUMENTS, Document
from player.location import quoted

MAX_COMMAND_BYTES = 4 * 1024
MAX_STATE_BYTES = 64 * 1024


class MessageError(ValueError):
    """A document breaks the contract. The message names the field and the rule."""


_StructT = TypeVar("_StructT", bound=Struct)


def _parsed(payload: bytes, kind: type[_StructT]) -> _StructT:
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise MessageError(f"{type(error).__name__}: {error}"[:300]) from None


def encode(document: Document | Command) -> bytes:
    """The document as JSON. Raises ``MessageError`` for a value outside the contract, NaN included."""
    try:
        plain = msgspec.to_builtins(document)
        msgspec.convert(plain, type(document))  # making a document holds it against no bound
        payload = msgspec.json.encode(plain)
    except (msgspec.MsgspecError, ValueError, OverflowError) as error:
        raise MessageError(f"{type(error).__name__}: {error}"[:300]) from None
    if not _finite(plain):  # JSON knows no infinity and no NaN: null was written
        raise MessageError("a number is not finite")
    return payload


def checked(command: Command) -> Command:
    """The command itself, before there is anybody to send it to. Raises ``MessageError`` as encoding does."""
    encode(command)
    return command


def _finite(plain: Any) -> bool:
    if isinstance(plain, float):
        return math.isfinite(plain)
    if isinstance(plain, dict):
        return all(map(_finite, plain.values()))
    return all(map(_finite, plain)) if isinstance(plain, list) else True


def decode(name: str, payload: bytes) -> Document:
    """The document of a short topic name. Raises ``MessageError``."""
    kind = DOCUMENTS.get(name)
    if kind is None:
        raise MessageError(f"topic {quoted(name)} carries no document")
    if len(payload) > MAX_STATE_BYTES:
        raise MessageError(f"{name}: {len(payload)} bytes, at most {MAX_STATE_BYTES}")
    return _parsed(payload, kind)


def decode_command(name: str, payload: bytes) -> Command:
    """A command's document; an empty payload stands for ``{}``. Raises ``MessageError``."""
    kind = COMMANDS.get(name)
    if kind is None:
        raise MessageError(f"unknown command {quoted(name)}, one of {', '.join(COMMANDS)}")
    if len(payload) > MAX_COMMAND_BYTES:
        raise MessageError(f"{name}: {len(payload)} bytes, at most {MAX_COMMAND_BYTES}")
    return _parsed(payload or b"{}", kind)
