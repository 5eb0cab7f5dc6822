"""How long recordings and histories are kept, and how much there is of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from daemon.settings import Settings
from daemon.wearers.wearer import Wearer, wearers_in

DAY_S = 86_400.0
LOOK_EVERY_S = 3600.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Holding:
    """How much is kept of one wearer."""

    wearer: str
    recordings: int
    histories: int
    size_bytes: int


def holdings(state: Path) -> Iterator[Holding]:
    """Of every wearer of whom anything is kept."""
    for wearer in wearers_in(state):
        files = [path for path in wearer.folder.rglob("*") if path.is_file() and not path.is_symlink()]
        if files:
            yield Holding(
                wearer.name,
                sum(path.suffix == ".xdf" for path in files),
                sum(path.parent == wearer.history for path in files),
                sum(path.stat().st_size for path in files),
            )


def drop_old(state: Path, keep_days: float, now_s: float) -> list[Path]:
    """Delete recordings, with what lies beside them, and histories last written so long ago; says which."""
    gone: list[Path] = []
    for wearer in wearers_in(state):
        for paths in _sessions(wearer):
            with contextlib.suppress(OSError):
                if now_s - max(path.lstat().st_mtime for path in paths) > keep_days * DAY_S:
                    for path in paths:
                        path.unlink()
                        gone.append(path)
    return gone


async def drop_old_for_ever(settings: Settings) -> None:
    """Look at once and each hour, where an age is configured; until cancelled."""
    while settings.keep_days is not None:
        gone = await asyncio.to_thread(drop_old, Path(settings.state_dir), settings.keep_days, time.time())
        if gone:
            log.info("%d files older than %g days were deleted", len(gone), settings.keep_days)
        await asyncio.sleep(LOOK_EVERY_S)


def _sessions(wearer: Wearer) -> Iterator[list[Path]]:
    """The files of each session together: what lies beside a recording goes with it, and not before."""
    yield from ([path] for path in wearer.history.glob("*.jsonl"))
    by_stem: dict[str, list[Path]] = {}
    for path in wearer.recordings.glob("*Z-*"):
        by_stem.setdefault(path.name.partition(".")[0], []).append(path)
    yield from by_stem.values()
