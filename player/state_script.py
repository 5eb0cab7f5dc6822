"""A scripted session: what a wearer is said to feel, one JSON object a line, each with its time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from player.location import quoted
from player.music import WearerMood

MAX_LINE_BYTES = 65_536
MAX_LINES = 1_000_000
MAX_SESSION_S = 24 * 3600.0

Signed = Annotated[float, msgspec.Meta(ge=-1, le=1)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class StateScriptError(ValueError):
    """The script breaks a rule. The message names the file, the line and the rule."""


class _Line(msgspec.Struct, frozen=True):
    """The fields that matter of an ``emotion`` document; its other fields may be there, too."""

    at: float | str
    arousal: Signed | None = None
    valence: Signed | None = None
    confidence: Share = 1.0
    status: str = "ok"
    emotion: str | None = None


_DECODER = msgspec.json.Decoder(_Line)


def read_states(path: Path) -> tuple[WearerMood, ...]:
    """The states in order, the first at 0 s if times are dates, else as written. Raises StateScriptError.

    ``at`` is seconds from the start, or RFC 3339 with a zone; both kinds may not be mixed.
    """
    try:
        with path.open("rb") as file:
            return parse_states(file, str(path))
    except OSError as error:
        raise StateScriptError(f"{path}: {error.strerror}") from error


def parse_states(lines: Iterable[bytes], name: str) -> tuple[WearerMood, ...]:
    """As ``read_states``, from lines."""
    states: list[WearerMood] = []
    first: float | None = None
    dated: bool | None = None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        document = _decode(line, number, where)
        at_s = _seconds(document.at, where)
        if dated not in (None, isinstance(document.at, str)):
            raise StateScriptError(f"{where}: times must be all seconds or all dates")
        dated = isinstance(document.at, str)
        first = at_s if first is None else first
        at_s -= first if dated else 0.0
        if at_s < 0 or at_s > MAX_SESSION_S or (states and at_s < states[-1].at_s):
            raise StateScriptError(f"{where}: times must rise, from 0 to {MAX_SESSION_S:.0f} s; got {at_s:g}")
        states.append(_state(document, at_s))
    if not states:
        raise StateScriptError(f"{name}: holds no states")
    return tuple(states)


def _decode(line: bytes, number: int, where: str) -> _Line:
    if len(line) > MAX_LINE_BYTES or number > MAX_LINES:
        raise StateScriptError(f"{where}: at most {MAX_LINES} lines of {MAX_LINE_BYTES} bytes")
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StateScriptError(f"{where}: {error}") from error


def _seconds(at: float | str, where: str) -> float:
    if isinstance(at, float):
        if not math.isfinite(at):
            raise StateScriptError(f"{where}: at must be finite, got {at!r}")
        return at
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise StateScriptError(f"{where}: at must be seconds or RFC 3339 with a zone, got {quoted(at, 40)}")
    return moment.timestamp()


def _state(document: _Line, at_s: float) -> WearerMood:
    emotion = document.emotion or ("unknown" if document.arousal is None else "neutral")
    return WearerMood(
        at_s=at_s,
        valence=document.valence,
        arousal=document.arousal,
        confidence=document.confidence,
        status=document.status,
        emotion=emotion,
    )
