"""Where electrodes of the 10-10 system (Oostenveld & Praamstra 2001) sit, seen from above, nose up."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from acquisition.montage import canonical

ROWS: tuple[tuple[str, float], ...] = (
    ("Fp", 0.80),
    ("AF", 0.62),
    ("F", 0.42),
    ("FC", 0.21),
    ("C", 0.0),
    ("CP", -0.21),
    ("P", -0.42),
    ("PO", -0.62),
    ("O", -0.80),
    ("I", -0.97),
)
"""Height of each row on the midline; its outer electrodes lie on the circle of the 10 % line."""
OUTER = {"FT": "FC", "T": "C", "TP": "CP"}
"""Rows whose outer half has a name of its own: T7 is C's row at the side."""
RIM = 0.82
BELOW_RIM = 0.98
_NAME = re.compile(r"([A-Z][A-Za-z]?)(z|\d{1,2})")


@dataclass(frozen=True, slots=True)
class ElectrodePlace:
    """An electrode's place in a head of radius 1; ``placed`` False: a name nobody knows, put beneath."""

    channel: str
    x: float
    y: float
    placed: bool = True


def place(channel: str) -> tuple[float, float] | None:
    """Place of an electrode by name; None for names outside the system."""
    match = _NAME.fullmatch(canonical(channel))
    if match is None:
        return None
    letters, number = match[1], match[2]
    heights = dict(ROWS)
    row = OUTER.get(letters, letters)
    if row not in heights:
        return None
    height = heights[row]
    if number == "z":
        return 0.0, height
    step = (int(number) + 1) // 2
    if step > 5:
        return None
    side = -1 if int(number) % 2 else 1
    return _on_row(height, step, side, row)


def _on_row(height: float, step: int, side: int, row: str) -> tuple[float, float]:
    if row in ("Fp", "O", "I"):
        return side * 0.26, height * 0.96
    radius = BELOW_RIM if step == 5 else RIM
    reach = min(step, 4) / 4
    angle = math.asin(max(-1.0, min(1.0, height / RIM)))
    rim_x, rim_y = radius * math.cos(angle * 0.92), radius * math.sin(angle * 0.92)
    bow = height + (rim_y - height) * reach**2
    return side * rim_x * reach, bow


def places(channels: Sequence[str]) -> tuple[ElectrodePlace, ...]:
    """All electrodes of a stream; unknown names stand in a row beneath the head."""
    strangers = [channel for channel in channels if place(channel) is None]
    found = []
    for channel in channels:
        known = place(channel)
        if known is not None:
            found.append(ElectrodePlace(channel, *known))
            continue
        spot = (strangers.index(channel) + 1) / (len(strangers) + 1)
        found.append(ElectrodePlace(channel, 2 * spot - 1, -1.25, placed=False))
    return tuple(found)
