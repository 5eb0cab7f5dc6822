"""Tables of numbers in text files, as people's recorders leave them: rows cut short, words among numbers."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from acquisition.port import UnknownSourceError
from acquisition.signal import FloatArray

LEAST_ROWS = 3
MAX_LINE_CHARS = 65_536
MAX_VALUES = 100_000_000
"""800 MB: a text of single digits unfolds to four times its size."""

ParseCell = Callable[[str], float]


def read_table(
    path: Path,
    columns: Sequence[int],
    skip: int,
    fields: int,
    parse: Mapping[int, ParseCell] | None = None,
) -> FloatArray:
    """The rows (n_rows, n_columns) below ``skip`` lines; the header names ``fields`` fields.

    A cell that is no number is NaN; a row that is cut short, or holds no number at all, is left out.
    ``parse`` reads the cells of a column that are no plain numbers.

    Raises ``UnknownSourceError`` for a row with more
    fields than the header names, and when nothing is left.
    """
    values = array("d")
    parsers = [(parse or {}).get(column, float) for column in columns]
    last = max(columns)
    for number, line in _lines(path, skip):
        if len(values) > MAX_VALUES:
            raise UnknownSourceError(f"{path}: a table may hold {MAX_VALUES} numbers at most")
        cells = line.split(",")
        if len(cells) > fields and len(cells := line.rstrip(" \t\r\n,").split(",")) > fields:
            raise UnknownSourceError(
                f"{path}: line {number} has {len(cells)} fields where the header names {fields}: commas part "
                "fields, so decimals need a point"
            )
        if len(cells) <= last:
            continue
        values.extend(_numbers(parsers, [cells[column] for column in columns]))
    table: FloatArray = np.frombuffer(values, dtype=np.float64).reshape(-1, len(columns))
    table = table[np.isfinite(table).any(axis=1)]
    if len(table) < LEAST_ROWS:
        raise UnknownSourceError(
            f"{path}: needs at least {LEAST_ROWS} whole rows of numbers below the header, got {len(table)}"
        )
    return table


def header_fields(line: str) -> list[str]:
    """The names in a header line, without what stands around them."""
    return [name.strip().strip('"') for name in line.lstrip("\ufeff").strip().rstrip(",").split(",")]


def _lines(path: Path, skip: int) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        number = 0
        while line := file.readline(MAX_LINE_CHARS):
            number += 1
            if number > skip and not line.isspace():
                yield number, line


def _numbers(parsers: Sequence[ParseCell], cells: Sequence[str]) -> list[float]:
    try:
        return [read(cell) for read, cell in zip(parsers, cells, strict=True)]
    except ValueError:
        return [_number(read, cell) for read, cell in zip(parsers, cells, strict=True)]


def _number(read: ParseCell, cell: str) -> float:
    try:
        return read(cell)
    except ValueError:
        return float("nan")
