"""The CSV files that muse-lsl writes: ``timestamps,TP9,AF7,AF8,TP10,Right AUX`` and perhaps markers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from acquisition.port import UnknownSourceError
from acquisition.readers.recording import Recording, make_recording
from acquisition.readers.table import read_table

KNOWN_RATES_HZ = (220.0, 256.0)
ELECTRODES = ("TP9", "AF7", "AF8", "TP10")


def is_muse_csv(first_line: str) -> bool:
    """True for the header muse-lsl writes."""
    return first_line.lstrip("\ufeff").lower().startswith("timestamps,")


def read_muse_csv(path: Path) -> Recording:
    """Read one file. A cell that is no number becomes NaN; raises ``UnknownSourceError`` for other faults.

    muse-lsl stamps whole packets, so single time stamps jitter: the rate is that of the device nearest to
    what the stamps give, and samples are laid on its even grid.
    """
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = [name.strip() for name in file.readline(4096).split(",")]
    missing = [name for name in ELECTRODES if name not in header]
    if missing:
        raise UnknownSourceError(f"{path}: column {missing[0]!r} is missing, got {', '.join(header[:8])}")
    columns = [header.index(name) for name in ("timestamps", *ELECTRODES)]
    table = read_table(path, columns, skip=1)
    stamps_s = table[np.isfinite(table[:, 0]), 0]
    if len(stamps_s) < 3:
        raise UnknownSourceError(f"{path}: no rows with time stamps below the header")
    span_s = float(stamps_s[-1] - stamps_s[0])
    if span_s <= 0:
        raise UnknownSourceError(f"{path}: time stamps must rise, got {stamps_s[0]:g} .. {stamps_s[-1]:g}")
    measured_hz = (len(stamps_s) - 1) / span_s
    rate_hz = min(KNOWN_RATES_HZ, key=lambda known: abs(known - measured_hz))
    if abs(rate_hz - measured_hz) / rate_hz > 0.1:
        raise UnknownSourceError(
            f"{path}: a Muse samples at 220 or 256 Hz, the stamps give {measured_hz:.1f}"
        )
    return make_recording(path, "Muse (muse-lsl CSV)", ELECTRODES, rate_hz, table[:, 1:].T)
