"""The CSV files that muse-lsl and BlueMuse write: ``timestamps,TP9,AF7,AF8,TP10,Right AUX``, and markers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from acquisition.port import UnknownSourceError
from acquisition.readers.even_grid import lay_evenly
from acquisition.readers.recording import Measured, Recording
from acquisition.readers.table import header_fields, read_table
from acquisition.units import in_uv

RATES_HZ = (220.0, 256.0)
ELECTRODES = ("TP9", "AF7", "AF8", "TP10")


def is_muse_csv(first_line: str) -> bool:
    """True for the header muse-lsl writes."""
    return first_line.lstrip("\ufeff").lower().startswith("timestamps,")


def read_muse_csv(path: Path) -> Recording:
    """Read one file. A cell that is no number becomes NaN; raises ``UnknownSourceError`` for other faults."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = header_fields(file.readline(4096))
    header[0] = header[0].lower()
    missing = [name for name in ELECTRODES if name not in header]
    if missing:
        raise UnknownSourceError(f"{path}: column {missing[0]!r} is missing, got {', '.join(header[:8])}")
    columns = [header.index(name) for name in ("timestamps", *ELECTRODES)]
    table = read_table(path, columns, skip=1, fields=len(header))
    times_s = table[:, 0]
    if not np.isfinite(times_s).sum() >= 3:
        raise UnknownSourceError(f"{path}: no rows with time stamps below the header")
    measured = Measured(
        path,
        "Muse (muse-lsl CSV)",
        ELECTRODES,
        RATES_HZ,
        in_uv(table[:, 1:].T, 1.0),
        times_s=times_s,
        kind="a Muse",
    )
    return lay_evenly(measured)
