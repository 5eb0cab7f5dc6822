"""What a person writes after ``--source``, taken apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from acquisition.port import UnknownSourceError

Kind = Literal["simulated", "lsl", "brainflow", "replay"]
_REPLAY_OPTION = re.compile(r",(rename|pick|drop)=")
"""A file may have commas in its name, so nothing else behind one is an option."""
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """``kind[:argument[,key=value...]]``."""

    kind: Kind
    argument: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The specification as it would be written again."""
        parts = [self.argument, *(f"{key}={value}" for key, value in self.options.items())]
        rest = ",".join(part for part in parts if part)
        return f"{self.kind}:{rest}" if rest else self.kind


def parse_source(text: str) -> SourceSpec:
    """Take a specification apart. Raises ``UnknownSourceError`` naming the part that is wrong."""
    kind_text, _, rest = text.strip().partition(":")
    kind = next((known for known in KINDS if known == kind_text.lower()), None)
    if kind is None:
        raise UnknownSourceError(f"source: must begin with one of {', '.join(KINDS)}, got {text!r}")
    if kind == "replay":
        if not rest:
            raise UnknownSourceError("source: replay needs a file, as in replay:FILE")
        file, *edits = _REPLAY_OPTION.split(rest)
        return SourceSpec(kind, file, dict(zip(edits[::2], edits[1::2], strict=True)))
    argument, *pairs = rest.split(",") if rest else [""]
    if "=" in argument:
        argument, pairs = "", [argument, *pairs]
    options: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise UnknownSourceError(f"source: options are written key=value, got {pair!r} in {text!r}")
        options[key.strip()] = value.strip()
    if kind == "brainflow" and not argument:
        raise UnknownSourceError("source: brainflow needs a board, as in brainflow:MUSE_2_BOARD")
    return SourceSpec(kind, argument.strip(), options)
