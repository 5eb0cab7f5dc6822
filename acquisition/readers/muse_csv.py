"""The CSV files of a Muse headband, as muse-lsl and BlueMuse write them, and as the app Mind Monitor does.

The first hold ``timestamps,TP9,AF7,AF8,TP10,Right AUX`` and perhaps markers; the app's ``TimeStamp``, powers
of bands, ``RAW_TP9`` and so on, and ``Elements``. There a sample is a row with the wall-clock time at which
its packet came, so that rows come in bursts of one stamp; rows with an event hold no samples.
https://mind-monitor.com/Technical_Manual.php
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from pathlib import Path

import numpy as np

from acquisition.grid.even_grid import lay_evenly
from acquisition.grid.recording import Measured, Recording
from acquisition.port import UnknownSourceError
from acquisition.readers.table import header_fields, read_table
from acquisition.units import in_uv

RATES_HZ = (220.0, 256.0)
ELECTRODES = ("TP9", "AF7", "AF8", "TP10")
APP_RATES_HZ = (256.0, 220.0, 500.0)
"""Headbands since 2016, that of 2014, and its research setting."""
RAW = "RAW_"
MIDDLE_UV = 841.4
"""Samples are left_out_note as 0..1682.8 microvolts; what rests lies in the middle."""
LEAST_HZ = 100.0
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - the app writes the phone's own time without a zone


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


def is_mind_monitor(first_line: str) -> bool:
    """True for the header that the app writes."""
    line = first_line.lstrip("\ufeff").lower()
    return line.startswith("timestamp,") and RAW.lower() in line


def read_mind_monitor(path: Path) -> Recording:
    """Read one file; raises ``UnknownSourceError``, also for one that holds a few rows a second only."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = header_fields(file.readline(16_384))
    electrodes = tuple(name for name in ELECTRODES if f"{RAW}{name}" in header)
    if not electrodes:
        raise UnknownSourceError(f"{path}: column 'RAW_TP9' is missing, got {', '.join(header[:8])}")
    columns = [0, *(header.index(f"{RAW}{name}") for name in electrodes)]
    table = read_table(path, columns, skip=1, fields=len(header), parse={0: _wall_clock_s})
    table = table[np.isfinite(table[:, 1:]).any(axis=1)]
    times_s = table[:, 0]
    rows_hz = _usual_rows_hz(times_s)
    if rows_hz < LEAST_HZ:
        raise UnknownSourceError(
            f"{path}: {rows_hz:.1f} rows a second: Mind Monitor's recording interval must be 'Constant'"
        )
    measured = Measured(
        path,
        "Muse (Mind Monitor CSV)",
        electrodes,
        APP_RATES_HZ,
        in_uv(table[:, 1:].T - MIDDLE_UV, 1.0),
        times_s=times_s,
        kind="a Muse",
    )
    return lay_evenly(measured)


def _usual_rows_hz(times_s: np.ndarray) -> float:
    """Rows in the usual second: a pause does not make them fewer."""
    whole_s = np.floor(times_s[np.isfinite(times_s)])
    return float(np.median(np.unique(whole_s, return_counts=True)[1])) if len(whole_s) else 0.0


@lru_cache(maxsize=64)
def _wall_clock_s(cell: str) -> float:
    """Seconds of ``2024-01-01 10:00:00.123``, or of a number. Raises ``ValueError``."""
    try:
        return (dt.datetime.fromisoformat(cell.strip()).replace(tzinfo=None) - _EPOCH).total_seconds()
    except ValueError:
        return float(cell)
