"""What every reader asks of a file before it is opened."""

from __future__ import annotations

from pathlib import Path

from acquisition.port import UnknownSourceError

MAX_BYTES = 2_000_000_000
"""Larger files are refused: they would not fit in memory beside everything else."""


def check_file(path: Path, max_bytes: int = MAX_BYTES) -> Path:
    """The path, if it is a regular, non-empty file of a bearable size. Raises ``UnknownSourceError``."""
    if not path.exists():
        raise UnknownSourceError(f"{path}: no such file")
    if not path.is_file():
        raise UnknownSourceError(f"{path}: a recording must be a regular file")
    size = path.stat().st_size
    if size == 0:
        raise UnknownSourceError(f"{path}: the file is empty (0 bytes)")
    if size > max_bytes:
        raise UnknownSourceError(f"{path}: a recording may have {max_bytes} bytes at most, got {size}")
    return path
