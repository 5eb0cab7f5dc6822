"""The text files that the OpenBCI GUI writes (versions 2 to 6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acquisition.grid.even_grid import lay_evenly
from acquisition.grid.recording import Measured, Recording
from acquisition.montage import LAYOUTS
from acquisition.port import UnknownSourceError
from acquisition.readers.table import header_fields, read_table
from acquisition.units import in_uv

MAX_HEADER_LINES = 20
MAX_HEADER_CHARS = 4096
MAX_CHANNELS = 64
BOARDS = (4, 8, 16)
"""Channels of a Ganglion, a Cyton, and one with a Daisy: the GUI draws them at the first of one layout."""
BESIDE = (5, 6)
"""Columns beside the channels where none is named: index, accelerometer (3), one or two times."""
_PARTED = re.compile(r"\d,\d")


@dataclass(frozen=True, slots=True)
class _Layout:
    """Lines of header, fields of a row, and columns of channels and of the time (-1: there is none)."""

    skip: int
    fields: int
    channels: tuple[int, ...]
    time: int


def is_openbci_txt(first_line: str) -> bool:
    """True for the banner the GUI writes."""
    return first_line.lstrip("\ufeff").startswith("%OpenBCI")


def read_openbci_txt(path: Path) -> Recording:
    """Read one file; raises ``UnknownSourceError``.

    Channels get the usual places of the board's electrodes. Rows that are cut short are left out; what the
    radio lost is seen by the board's own count.
    """
    header, row = _header(path)
    layout = _layout(path, header, row)
    rate_hz = float(_field(path, header, r"Sample Rate\s*=\s*([\d.]+)"))
    columns = [0, *layout.channels] + ([layout.time] if layout.time > 0 else [])
    table = read_table(path, columns, layout.skip, layout.fields, {layout.time: _time_s})
    counts = np.isfinite(table[:, 0])
    table = table[counts] if counts.mean() > 0.5 else table
    n_channels = len(layout.channels)
    measured = Measured(
        path,
        "OpenBCI (GUI text file)",
        LAYOUTS["daisy"][:n_channels]
        if n_channels in BOARDS
        else tuple(f"ch{i + 1}" for i in range(n_channels)),
        (rate_hz,),
        in_uv(table[:, 1 : n_channels + 1].T, 1.0),
        times_s=_known(table[:, -1], rate_hz) if layout.time > 0 else None,
        counter=table[:, 0],
    )
    return lay_evenly(measured)


def _header(path: Path) -> tuple[list[str], str]:
    """The lines above the samples, and the first line of them."""
    lines: list[str] = []
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        while line := file.readline(MAX_HEADER_CHARS):
            if len(lines) >= MAX_HEADER_LINES or (line[:1].isdigit() and lines):
                return lines, line
            lines.append(line)
    return lines, ""


def _layout(path: Path, header: list[str], row: str) -> _Layout:
    left_out_note = re.search(r"Number of channels\s*=\s*(\d+)", "".join(header))
    n_channels = int(left_out_note[1]) if left_out_note is not None else 0
    if left_out_note is not None and not 1 <= n_channels <= MAX_CHANNELS:
        raise UnknownSourceError(
            f"{path}: the number of channels must lie inside 1..{MAX_CHANNELS}, got {n_channels}"
        )
    names = header_fields(header[-1]) if header and not header[-1].startswith("%") else []
    if names:
        return _named(path, names, n_channels, len(header))
    fields = len(row.split(","))
    if ", " in row and _PARTED.search(row):
        raise UnknownSourceError(
            f"{path}: decimals are written with commas, which part the fields: a point is needed"
        )
    known = [beside for beside in BESIDE if fields - beside in BOARDS]
    n_channels = n_channels or (fields - known[0] if known else 0)
    if not 0 < n_channels < fields:
        raise UnknownSourceError(
            f"{path}: the header line 'Number of channels' is missing, {fields} fields are no known board's"
        )
    return _Layout(len(header), fields, tuple(range(1, n_channels + 1)), _time_column(row, n_channels))


def _named(path: Path, names: list[str], n_channels: int, skip: int) -> _Layout:
    """Columns by what the line above the samples calls them; by their order where it does not."""
    found = tuple(i for i, name in enumerate(names) if re.match(r"E[XE]G Channel", name))
    channels = found if found else tuple(range(1, n_channels + 1))
    if not channels or n_channels not in (0, len(channels)):
        raise UnknownSourceError(
            f"{path}: the header names {len(found)} channels, and 'Number of channels' says {n_channels}"
        )
    fields = len(names) if len(names) > max(channels) else max(channels) + 2
    time = names.index("Timestamp") if "Timestamp" in names else -1
    return _Layout(skip, fields, channels, time)


def _time_column(row: str, n_channels: int) -> int:
    """The last column that holds a time: seconds or milliseconds since 1970, or a time of day."""
    cells = row.split(",")
    for place in range(len(cells) - 1, n_channels, -1):
        try:
            if ":" in cells[place] or float(cells[place]) > 1e9:
                return place
        except ValueError:
            continue
    return -1


def _time_s(cell: str) -> float:
    """A number, or the seconds of a time of day. Raises ``ValueError``."""
    if ":" not in cell:
        return float(cell)
    seconds = 0.0
    for part in cell.strip().split(" ")[-1].split(":"):
        seconds = 60 * seconds + float(part)
    return seconds


def _known(times: np.ndarray, rate_hz: float) -> np.ndarray | None:
    """Stamps, unless the file has none that could be read."""
    return times if np.isfinite(times).mean() > 0.5 else None


def _field(path: Path, header: list[str], pattern: str) -> str:
    found = re.search(pattern, "".join(header))
    if found is None:
        raise UnknownSourceError(f"{path}: the header line {pattern.split(chr(92))[0]!r} is missing")
    return found.group(1)
