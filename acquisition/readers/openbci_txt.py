"""The text files that the OpenBCI GUI writes (versions 4 to 6)."""

from __future__ import annotations

import re
from pathlib import Path

from acquisition.montage import LAYOUTS
from acquisition.port import UnknownSourceError
from acquisition.readers.recording import Recording, make_recording
from acquisition.readers.table import read_table

MAX_HEADER_LINES = 20
MAX_HEADER_CHARS = 4096


def is_openbci_txt(first_line: str) -> bool:
    """True for the banner the GUI writes."""
    return first_line.startswith("%OpenBCI")


def read_openbci_txt(path: Path) -> Recording:
    """Read one file; raises ``UnknownSourceError``.

    Electrodes of eight-channel files get the Cyton's usual places. Rows that are cut short are left out.
    """
    header, skip = _header(path)
    n_channels = int(_field(path, header, r"Number of channels\s*=\s*(\d+)"))
    rate_hz = float(_field(path, header, r"Sample Rate\s*=\s*([\d.]+)"))
    if not 1 <= n_channels <= 64:
        raise UnknownSourceError(f"{path}: the number of channels must lie inside 1..64, got {n_channels}")
    table = read_table(path, range(1, n_channels + 1), skip)
    names = LAYOUTS["cyton"] if n_channels == 8 else tuple(f"ch{i}" for i in range(1, n_channels + 1))
    return make_recording(path, "OpenBCI (GUI text file)", names, rate_hz, table.T)


def _header(path: Path) -> tuple[str, int]:
    lines: list[str] = []
    with path.open(encoding="utf-8", errors="replace") as file:
        while line := file.readline(MAX_HEADER_CHARS):
            if len(lines) >= MAX_HEADER_LINES or (line[:1].isdigit() and lines):
                break
            lines.append(line)
    return "".join(lines), len(lines)


def _field(path: Path, header: str, pattern: str) -> str:
    found = re.search(pattern, header)
    if found is None:
        raise UnknownSourceError(f"{path}: the header line {pattern.split(chr(92))[0]!r} is missing")
    return found.group(1)
