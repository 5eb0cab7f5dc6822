"""In which order a large library is read and measured: a little of everything first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import zip_longest

from player.library.store.rows import PendingFile


def spread(files: Iterable[PendingFile]) -> list[PendingFile]:
    """One of each folder in turn, and of each folder within: what is known early stands for the whole."""
    return _spread([(file.path.split("/"), file) for file in files], 0)


def _spread(files: list[tuple[list[str], PendingFile]], depth: int) -> list[PendingFile]:
    here: list[PendingFile] = []
    folders: dict[str, list[tuple[list[str], PendingFile]]] = {}
    for parts, file in files:
        if len(parts) <= depth + 1:
            here.append(file)
        else:
            folders.setdefault(parts[depth], []).append((parts, file))
    if not here and len(folders) == 1:
        return _spread(next(iter(folders.values())), depth + 1)
    here.sort(key=_scattered)  # a flat folder is sorted by artist, too, if its names begin with them
    turns = zip_longest(here, *(_spread(inner, depth + 1) for inner in folders.values()))
    return [file for turn in turns for file in turn if file is not None]


def _scattered(file: PendingFile) -> bytes:
    return hashlib.blake2b(file.path.encode("utf-8", "surrogateescape"), digest_size=8).digest()
