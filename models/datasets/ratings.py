"""From what people rated to classes: two halves, four quadrants, and this product's five labels.

The five labels divide the valence-arousal plane (Russell 1980): within ``NEUTRAL_RADIUS`` of the middle is
``neutral``, else the quadrant decides: ``happy`` (pleasant, aroused), ``relaxed`` (pleasant, calm), ``sad``
(unpleasant, calm) and ``focused`` (unpleasant, aroused). The last is a convention of this product for want of
a better place: films and music rated tense are not attention, and a figure on it says nothing of attention.
"""

from __future__ import annotations

import math

from models.errors import DatasetError

BINARY = ("low", "high")
QUADRANTS = ("HVHA", "HVLA", "LVHA", "LVLA")
FIVE = ("neutral", "happy", "sad", "relaxed", "focused")
NEUTRAL_RADIUS = 1.0
"""On the scale of 1 to 9."""
MIDDLE = 5.0
RATED_HEADS = {"valence": BINARY, "arousal": BINARY, "quadrant": QUADRANTS, "emotion": FIVE}


def binary(rating: float) -> str:
    """``high`` above the middle of 1..9, as DEAP's authors split it (Koelstra et al. 2012)."""
    return BINARY[rating > MIDDLE]


def quadrant(valence: float, arousal: float) -> str:
    """High or low valence and arousal: ``HVHA``, ``HVLA``, ``LVHA`` or ``LVLA``."""
    return f"{'HL'[valence <= MIDDLE]}V{'HL'[arousal <= MIDDLE]}A"


def five(valence: float, arousal: float) -> str:
    """One of this product's five labels."""
    if math.hypot(valence - MIDDLE, arousal - MIDDLE) < NEUTRAL_RADIUS:
        return "neutral"
    names = {"HVHA": "happy", "HVLA": "relaxed", "LVHA": "focused", "LVLA": "sad"}
    return names[quadrant(valence, arousal)]


def rated_labels(
    valence: float, arousal: float, *, where: str, low: float = 1, high: float = 9
) -> dict[str, str]:
    """All heads of a rating on a scale ``low`` .. ``high``, stretched to 1..9. Raises ``DatasetError``."""
    for name, value in (("valence", valence), ("arousal", arousal)):
        if not low <= value <= high:
            raise DatasetError(f"{where}: {name} must lie inside {low:g}..{high:g}, got {value!r}")
    v, a = (1 + 8 * (value - low) / (high - low) for value in (valence, arousal))
    return {"valence": binary(v), "arousal": binary(a), "quadrant": quadrant(v, a), "emotion": five(v, a)}
