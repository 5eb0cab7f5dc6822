"""Pieces of the wearer's music, chosen for a calibration, and what the wearer says of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

PLEASANT, UNPLEASANT = "positive", "negative"
MIN_RATING, MAX_RATING = 1, 5


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the wearer's library. Its mood is told to a simulated wearer only."""

    id: str
    title: str
    artist: str = ""
    valence: float | None = None
    arousal: float = 0.0


@dataclass(frozen=True, slots=True)
class Rating:
    """What the wearer felt, after the Self-Assessment Manikin (Bradley & Lang 1994): 1 to 5 on each axis."""

    valence: int
    arousal: int

    @property
    def label(self) -> str | None:
        """Pleasant or unpleasant; None for the middle, which says neither."""
        return None if self.valence == 3 else PLEASANT if self.valence > 3 else UNPLEASANT


def parse_rating(text: str) -> Rating | Literal["skip"]:
    """``4 2``: how pleasant and how lively, each 1 to 5; an empty line skips. Raises ``ValueError``."""
    words = text.replace(",", " ").split()
    if not words:
        return "skip"
    try:
        valence, arousal = (int(word) for word in words)
    except ValueError:
        raise ValueError(_rule(text)) from None
    if not all(MIN_RATING <= value <= MAX_RATING for value in (valence, arousal)):
        raise ValueError(_rule(text))
    return Rating(valence, arousal)


def _rule(text: str) -> str:
    return (
        f"a rating is two whole numbers from 1 to 5, such as 4 2, or an empty line; got {text.strip()!r:.40}"
    )


def spread(pieces: Sequence[Piece], number: int, seed: int) -> tuple[Piece, ...]:
    """Pieces from all over the library's moods, in an order that says nothing of them."""
    rng = np.random.default_rng(seed)
    rows = sorted(pieces, key=lambda piece: (piece.valence or 0.0, piece.arousal, piece.id))
    if not rows or number < 1:
        return ()
    parts = np.array_split(np.arange(len(rows)), min(number, len(rows)))
    chosen = [rows[int(rng.choice(part))] for part in parts]
    return tuple(chosen[int(place)] for place in rng.permutation(len(chosen)))
