"""Moves what earlier versions kept of one wearer, flat in the state folder, to the folder of that wearer.

Nothing is copied, overwritten or deleted: each file is renamed, and every rename is written down first, in
``wearers/moved.jsonl``. The way back is to rename them again (docs/features.md).
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from daemon.places import LOG_FILE
from daemon.wearers.wearer import FOLDER, Wearer

log = logging.getLogger(__name__)

MOVED = "moved.jsonl"
FLAT = (
    *("baselines", "labels.jsonl", "taste.json", "player-place.json", LOG_FILE),
    *("models/valence.json", "models/selected.json", "models/personalized"),
)
"""What bears nobody's name: it goes to the wearer of the first start."""
_RECORDED = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-([a-z0-9_-]{1,64}?)(-\d{1,2})?\.(xdf|consent|decis)")
_UNDER_WAY = re.compile(r"([a-z0-9_-]{1,64})\.under-way\.")
_LETTER = re.compile(r"[a-z0-9]")


class _Begin(msgspec.Struct, frozen=True):
    node: str


class _Move(msgspec.Struct, frozen=True):
    """One rename, both relative to the state folder."""

    source: str
    to: str


def move_in(first: Wearer) -> int:
    """Bring the flat layout into the wearers' folders; returns how many files were moved.

    Recordings and histories go to whom they name, all else to ``first``. A file whose place is taken stays.
    """
    state, moved = first.state, 0
    try:
        for source, wearer in _flat(first):
            target = wearer.folder / source.relative_to(state)
            moved += _moved(state, source, target)
        for folder in ("recordings", "history", "baselines", "models/personalized"):
            _drop_empty(state / folder)
    except OSError as error:
        log.warning("what earlier versions kept could not be moved (%s): it stays", error.strerror)
    return moved


def _flat(first: Wearer) -> Iterator[tuple[Path, Wearer]]:
    state = first.state
    for name in FLAT:
        if os.path.lexists(state / name):
            for path in _files(state / name):
                yield path, first
    for path in _files(state / "recordings"):
        yield path, _named(first, _node_of_recording(path))
    for path in _files(state / "history"):
        yield path, _named(first, _node_of_history(path))


def _named(first: Wearer, node: str | None) -> Wearer:
    return first if node is None or _LETTER.search(node) is None else Wearer(node, first.state)


def _files(path: Path) -> list[Path]:
    if not path.is_dir() or path.is_symlink():
        return [path] if os.path.lexists(path) else []
    return sorted(found for found in path.rglob("*") if found.is_symlink() or not found.is_dir())


def _node_of_recording(path: Path) -> str | None:
    """``...Z-room-2.xdf`` is of node ``room-2``, unless it goes on with ``...Z-room.xdf``."""
    if (mark := _UNDER_WAY.match(path.name)) is not None:
        return mark[1]
    found = _RECORDED.match(path.name)
    if found is None:
        return None
    if found[2] is None:
        return found[1]
    begun = path.name[: found.start(2)]
    goes_on = any(
        os.path.lexists(path.with_name(begun + end)) for end in (".xdf", ".xdf.part", ".consent.json")
    )
    return found[1] if goes_on else found[1] + found[2]


def _node_of_history(path: Path) -> str | None:
    with contextlib.suppress(OSError, msgspec.MsgspecError), path.open("rb") as file:
        node = msgspec.json.decode(file.readline(4096), type=_Begin).node
        return node if re.fullmatch(r"[a-z0-9_-]{1,64}", node) else None
    return None


def _moved(state: Path, source: Path, target: Path) -> bool:
    """Rename, unless something is there already. Two starts at once move each file once."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.path.lexists(target):
        log.warning("%s stays where it is: %s has one already", source.name, target.parent.name)
        return False
    move = _Move(str(source.relative_to(state)), str(target.relative_to(state)))
    handle = os.open(state / FOLDER / MOVED, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "ab") as file:
        file.write(msgspec.json.encode(move) + b"\n")
    with contextlib.suppress(FileNotFoundError):
        source.rename(target)
        return True
    return False


def _drop_empty(folder: Path) -> None:
    if not folder.is_dir() or folder.is_symlink():
        return
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            with contextlib.suppress(OSError):
                path.rmdir()
    with contextlib.suppress(OSError):
        folder.rmdir()


def unwrite_moves(wearer: Wearer) -> None:
    """Strike out what was moved to this wearer: it cannot go back, and the list names them."""
    path = wearer.state / FOLDER / MOVED
    with contextlib.suppress(FileNotFoundError):
        lines = path.read_bytes().splitlines(keepends=True)
        theirs = f'"to":"{FOLDER}/{wearer.name}/'.encode()
        left = [line for line in lines if theirs not in line]
        if len(left) != len(lines):
            path.write_bytes(b"".join(left))
        if not left:
            path.unlink()
