"""Tables of numbers in text files, as people's recorders leave them: rows cut short, words among numbers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from acquisition.port import UnknownSourceError
from acquisition.signal import FloatArray

LEAST_ROWS = 3


def read_table(path: Path, columns: Sequence[int], skip: int) -> FloatArray:
    """The rows (n_rows, n_columns) below ``skip`` lines. A cell that is no number is NaN; a row that is cut
    short is left out. Raises ``UnknownSourceError`` when nothing is left.
    """
    with warnings.catch_warnings():
        # what is left out shows in what is read; numpy's words on it name neither file nor rule
        warnings.simplefilter("ignore")
        try:
            table: FloatArray = np.genfromtxt(
                path, delimiter=",", skip_header=skip, usecols=columns, invalid_raise=False, ndmin=2
            )
        except (ValueError, IndexError) as error:
            raise UnknownSourceError(f"{path}: damaged table of numbers: {error}") from error
    table = table[np.isfinite(table).any(axis=1)] if table.size else table.reshape(0, len(columns))
    if table.shape[1] != len(columns) or len(table) < LEAST_ROWS:
        raise UnknownSourceError(
            f"{path}: needs at least {LEAST_ROWS} whole rows of numbers below the header, got {len(table)}"
        )
    return table
