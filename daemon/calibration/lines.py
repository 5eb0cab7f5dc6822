"""What a calibration and the page that runs it say to each other: a JSON object a line, bounded and typed."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

MAX_LINE_BYTES = 64 * 1024
MAX_PIECES = 40

LineT = TypeVar("LineT")

Words = Annotated[str, Meta(max_length=600)]
Id = Annotated[str, Meta(min_length=1, max_length=200)]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0, le=100_000)]
Mark = Annotated[int, Meta(ge=1, le=5)]


class StepLine(Struct, frozen=True, kw_only=True, tag="step", forbid_unknown_fields=True):
    """What the wearer does now. ``label`` is "" for the rest, calm, engaged or music.

    ``key`` and ``numbers`` name the words for a page that has them in its language; ``says`` has them in
    English.
    """

    label: Literal["", "calm", "engaged", "music"]
    says: Words
    key: Annotated[str, Meta(pattern="^[a-z_]{0,40}$")] = ""
    numbers: Annotated[dict[Annotated[str, Meta(max_length=20)], Count], Meta(max_length=8)] = {}
    seconds: Annotated[float, Meta(ge=0, le=3600)]
    left_s: Annotated[float, Meta(ge=0, le=3600)]
    number: Count
    of: Count


class PlayLine(Struct, frozen=True, kw_only=True, tag="play", forbid_unknown_fields=True):
    """This piece is to sound."""

    id: Id


class StopLine(Struct, frozen=True, kw_only=True, tag="stop", forbid_unknown_fields=True):
    """Silence, please."""


class AskLine(Struct, frozen=True, kw_only=True, tag="ask", forbid_unknown_fields=True):
    """A rating is waited for."""

    id: Id
    title: Words
    number: Count
    of: Count


class TellLine(Struct, frozen=True, kw_only=True, tag="tell", forbid_unknown_fields=True):
    """A word for the person."""

    text: Words


class TrainLine(Struct, frozen=True, kw_only=True, tag="train", forbid_unknown_fields=True):
    """All is heard; the networks are being fitted and judged. ``done`` of ``of`` fittings are made."""

    done: Count
    of: Count


class Outcome(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of one network, with the figures it was judged by."""

    kept: bool
    reason: Words
    before: Share | None = None
    after: Share | None = None
    p_value: Share | None = None
    trials: Count = 0


class ResultLine(Struct, frozen=True, kw_only=True, tag="result", forbid_unknown_fields=True):
    """The end. ``state`` is calm against engaged; ``valence`` null where no music was rated."""

    state: Outcome | None
    valence: Outcome | None
    in_use: Words


class ErrorLine(Struct, frozen=True, kw_only=True, tag="error", forbid_unknown_fields=True):
    """Nothing came of it, and why."""

    text: Words


Said = StepLine | PlayLine | StopLine | AskLine | TellLine | TrainLine | ResultLine | ErrorLine


class PieceWords(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A piece by its id and what it is called."""

    id: Id
    title: Words = ""


class PiecesLine(Struct, frozen=True, kw_only=True, tag="pieces", forbid_unknown_fields=True):
    """The pieces to be heard, in order."""

    pieces: Annotated[list[PieceWords], Meta(max_length=MAX_PIECES)]


class SoundsLine(Struct, frozen=True, kw_only=True, tag="sounds", forbid_unknown_fields=True):
    """What sounds now; null for silence."""

    id: Id | None


class RatedLine(Struct, frozen=True, kw_only=True, tag="rated", forbid_unknown_fields=True):
    """The wearer's rating of the piece that was asked for."""

    valence: Mark
    arousal: Mark


class SkippedLine(Struct, frozen=True, kw_only=True, tag="skipped", forbid_unknown_fields=True):
    """No rating of this piece; with ``all``, no more music."""

    all: bool = False


Told = PiecesLine | SoundsLine | RatedLine | SkippedLine


def line(words: Said | Told) -> bytes:
    """As it is written, its end included. What is too long for its field is cut."""
    return msgspec.json.encode(words) + b"\n"


def cut(text: str, length: int = 600) -> str:
    """A text that fits a field."""
    return text if len(text) <= length else text[: length - 1] + "…"


_said: msgspec.json.Decoder[Said] = msgspec.json.Decoder(Said)
_told: msgspec.json.Decoder[Told] = msgspec.json.Decoder(Told)


def read_said(raw: bytes) -> Said | None:
    """What a calibration said; None for what is no such line."""
    return _read(_said, raw)


def read_told(raw: bytes) -> Told | None:
    """What a page told; None for what is no such line."""
    return _read(_told, raw)


def _read(decoder: msgspec.json.Decoder[LineT], raw: bytes) -> LineT | None:
    if len(raw) > MAX_LINE_BYTES:
        return None
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return None
