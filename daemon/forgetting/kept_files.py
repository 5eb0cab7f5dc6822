"""Deletes what is known of a wearer, and nothing of anybody else: EEG, and everything derived from it."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from daemon.processes.locks import drop_free_locks
from daemon.wearers.moving import unwrite_moves
from daemon.wearers.wearer import Wearer, wearers_in
from player.library.store.database import wipe_free_pages

EVERYBODYS = ("nicegui",)
"""What is kept of no one wearer; it goes where all are forgotten."""


@dataclass
class ForgetReport:
    """What was deleted, who confirmed, and what could not be done."""

    files: list[tuple[Path, int]] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        """Of the files that were deleted."""
        return sum(size for _, size in self.files)


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of a wearer's. ``kind`` is where in the wearer's folder it lies."""

    path: Path
    kind: str
    size_bytes: int
    changed: datetime


def what_is_kept(wearer: Wearer) -> list[Kept]:
    """Every file of the wearer's, in order. A link is a file: what it leads to is not the wearer's."""
    return [kept for path in _files(wearer.folder) if (kept := _look(path, wearer.folder)) is not None]


def everybodys(state: Path) -> list[Kept]:
    """What is kept of no one wearer, and what the training side has stored of people."""
    from models.files.folders import personalized

    found = [path for name in EVERYBODYS for path in _files(state / name)]
    found += _files(personalized())
    return [kept for path in found if (kept := _look(path, path.parents[1])) is not None]


def summary(kept: Sequence[Kept]) -> Iterator[str]:
    """How many files there are of each kind, how large, and from when to when."""
    kinds: dict[str, list[Kept]] = {}
    for one in kept:
        kinds.setdefault(one.kind, []).append(one)
    for kind, found in sorted(kinds.items()):
        size_bytes = sum(one.size_bytes for one in found)
        dates = sorted(f"{one.changed:%Y-%m-%d}" for one in found)
        span = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
        yield f"{kind}: {len(found)} file{'s' * (len(found) != 1)}, {size_bytes} bytes, {span}"


def forget_files(wearer: Wearer, done: ForgetReport) -> None:
    """Delete the wearer's folder, and every other trace of the name. A recording in progress notices."""
    _delete(what_is_kept(wearer), done)
    if wearer.folder.is_symlink():
        wearer.folder.unlink()
    elif wearer.folder.is_dir():
        shutil.rmtree(wearer.folder, ignore_errors=True)
    if os.path.lexists(wearer.folder):
        done.failures.append(f"{wearer.name}: the folder is still there")
    unwrite_moves(wearer)
    drop_free_locks(wearer.state, wearer.name)
    with contextlib.suppress(OSError):
        (wearer.state / f"eeg-{wearer.name}.sock").unlink()


def forget_everybodys(state: Path, done: ForgetReport) -> None:
    """Delete what is kept of no one wearer."""
    _delete(everybodys(state), done)
    for name in EVERYBODYS:
        shutil.rmtree(state / name, ignore_errors=True)


def wipe_databases(folders: Sequence[Path], done: ForgetReport) -> None:
    """Overwrite what databases still hold of what was deleted from them."""
    for folder in folders:
        for path in sorted(folder.glob("*.sqlite")):
            if not wipe_free_pages(path):
                done.failures.append(f"{path.name}: in use, so its free pages were not overwritten")


def everybody(state: Path) -> list[Wearer]:
    """All of whom something is kept."""
    return list(wearers_in(state))


def _delete(kept: Sequence[Kept], done: ForgetReport) -> None:
    for one in kept:
        try:
            one.path.unlink()
            done.files.append((one.path, one.size_bytes))
        except FileNotFoundError:
            continue
        except OSError as error:
            done.failures.append(f"{one.path.name}: {error.strerror or error}")


def _look(path: Path, folder: Path) -> Kept | None:
    try:
        facts = path.lstat()
    except OSError:
        return None
    changed = datetime.fromtimestamp(facts.st_mtime, UTC)
    return Kept(path, path.relative_to(folder).parts[0], facts.st_size, changed)


def _files(folder: Path) -> list[Path]:
    if folder.is_symlink() or not folder.is_dir():
        return []
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(path for path in found if path.name != ".gitkeep")
