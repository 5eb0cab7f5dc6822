"""What is kept of a session: small tagged records, one JSON line each, read back with the same bounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from daemon.mqtt.documents import Chosen

MAX_LINE_BYTES = 4096
MAX_RECORDS = 200_000

Seconds = Annotated[float, Meta(ge=0, le=4e9)]
Signed = Annotated[float, Meta(ge=-1, le=1)]
Share = Annotated[float, Meta(ge=0, le=1)]
Short = Annotated[str, Meta(max_length=400)]


class Record(Struct, frozen=True, kw_only=True, tag_field="k"):
    """Anything that happened; ``t`` is seconds since 1970, UTC."""

    t: Seconds


class StartRecord(Record, frozen=True, kw_only=True, tag="start"):
    """The first line of a session."""

    node: Short
    simulated: bool
    replayed: bool = False


class MoodRecord(Record, frozen=True, kw_only=True, tag="mood"):
    """The settled state; ``a`` and ``v`` are null where nothing is claimed."""

    e: Short
    s: Short
    a: Signed | None
    v: Signed | None
    c: Share


class QualityRecord(Record, frozen=True, kw_only=True, tag="quality"):
    """Overall signal quality."""

    q: Share
    worn: bool


class HeadsetRecord(Record, frozen=True, kw_only=True, tag="headset"):
    """The headset came, went or fell silent."""

    state: Short


class TrackRecord(Record, frozen=True, kw_only=True, tag="track"):
    """A track began."""

    id: Short
    title: Short
    artist: Short
    a: Signed
    v: Signed | None


class DecisionRecord(Record, frozen=True, kw_only=True, tag="decision"):
    """Why a track was chosen."""

    kind: Short
    title: Short
    why: Short
    because: Chosen | None = None
    """The codes of the reason, from which another language makes its own sentence; absent in older files."""


class LabelRecord(Record, frozen=True, kw_only=True, tag="label"):
    """The wearer's own word."""

    a: Signed | None
    v: Signed | None


class EndRecord(Record, frozen=True, kw_only=True, tag="end"):
    """The file is full; what came later is not in it."""

    reason: Short


AnyRecord = (
    StartRecord
    | MoodRecord
    | QualityRecord
    | HeadsetRecord
    | TrackRecord
    | DecisionRecord
    | LabelRecord
    | EndRecord
)
_decoder = msgspec.json.Decoder(AnyRecord)


def line(record: Record) -> bytes:
    """The record as one line."""
    return msgspec.json.encode(record) + b"\n"


def read(lines: Iterable[bytes]) -> Iterator[AnyRecord]:
    """Records of a file, at most ``MAX_RECORDS``; torn, foreign and overlong lines are left out."""
    for number, text in enumerate(lines):
        if number >= MAX_RECORDS:
            return
        if len(text) > MAX_LINE_BYTES:
            continue
        try:
            yield _decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
