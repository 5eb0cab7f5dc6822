"""Covers of tracks: taken from the files by a child process, kept small and few, never fetched."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from daemon.processes.child_patience import within
from daemon.web.state.track_library import TrackLibrary

MAX_KEPT = 64
MAX_BYTES = 256 * 1024
PATIENCE_S = 45.0
"""The child bounds its own processor time; on a busy machine it is merely late."""


class Artwork:
    """Looks for a track's cover once, and remembers also that there was none; not that it came too late."""

    def __init__(self, library: TrackLibrary, roots: Sequence[Path]) -> None:
        self._library, self._roots = library, tuple(roots)
        self._kept: OrderedDict[str, bytes | None] = OrderedDict()
        self._one_at_a_time = asyncio.Semaphore(1)

    async def picture(self, track_id: str) -> bytes | None:
        """The cover as JPEG, or None."""
        async with self._one_at_a_time:
            if track_id in self._kept:
                self._kept.move_to_end(track_id)
                return self._kept[track_id]
            try:
                found = await self._look(track_id)
            except TimeoutError:
                return None
            self._kept[track_id] = found
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
            return found

    async def _look(self, track_id: str) -> bytes | None:
        """The cover, if the track has one. Raises ``TimeoutError``."""
        track = await asyncio.to_thread(self._library.find, track_id)
        if track is None:
            return None
        root = next((r for r in self._roots if Path(track.location).is_relative_to(r)), None)
        if root is None:
            return None
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "player.library.artwork", str(root), track.location),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            out, _ = await within(process.communicate(), process.pid, PATIENCE_S)
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return out if process.returncode == 0 and 0 < len(out) <= MAX_BYTES else None
