"""A chart of two values over time in braille dots: where the wearer was, and where the music was."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a braille cell, by row and column (Unicode block U+2800)."""
BLANK = 0x2800

Point = tuple[float, float | None]
"""Seconds, and a value from -1 to 1 or None where it was not known."""


class Trail:
    """The last ``span_s`` seconds of a value; older points are forgotten."""

    def __init__(self, span_s: float) -> None:
        self.span_s = span_s
        self._points: deque[Point] = deque(maxlen=4096)

    def add(self, at_s: float, value: float | None) -> None:
        """Note a value, or that there is none."""
        self._points.append((at_s, value))

    def columns(self, now_s: float, width: int) -> list[float | None]:
        """The value at each of ``width`` moments up to now, held between points; None where unknown."""
        column: list[float | None] = [None] * width
        step_s = self.span_s / width
        points = list(self._points)
        for (at_s, value), (until_s, _) in zip(points, [*points[1:], (now_s, None)], strict=False):
            first = int((at_s - (now_s - self.span_s)) / step_s)
            last = int((until_s - (now_s - self.span_s)) / step_s)
            for index in range(max(0, first), min(width, last + 1)):
                column[index] = value
        return column


def rows_of_dots(values: Sequence[float | None], height: int) -> list[str]:
    """Lines of braille, the highest value first; two values and four levels a character.

    ``values`` holds two entries for each character of a line; neighbours are joined by a vertical stroke.
    """
    cells = [[BLANK] * (len(values) // 2) for _ in range(height)]
    levels = 4 * height
    before: int | None = None
    for index, value in enumerate(values[: 2 * (len(values) // 2)]):
        level = None if value is None else round((1 - max(-1.0, min(1.0, value))) / 2 * (levels - 1))
        for at in _stroke(before, level):
            cells[at // 4][index // 2] |= DOTS[at % 4][index % 2]
        before = level
    return ["".join(map(chr, row)) for row in cells]


def _stroke(before: int | None, level: int | None) -> Iterable[int]:
    if level is None:
        return ()
    if before is None or abs(level - before) < 2:
        return (level,)
    return range(before + 1, level + 1) if level > before else range(level, before)
