"""Measures the sounds of a library on every idle core: an excerpt of each first, then all of each."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial

from player.analysis.track_analysis import analyse
from player.analysis.track_measures import Analysis
from player.library.music_folder import is_source
from player.library.sounds.measuring_order import spread
from player.library.sources.servers.source_errors import MusicServerError, TrackMissingError
from player.library.store.rows import PendingFile
from player.library.store.track_cache import TrackCache
from player.library.track_opening import open_in

MAX_THREADS = 8
"""Decoding and transforms let other threads run; what is left of the interpreter feeds no more than these."""

Task = tuple[PendingFile, bool]


def idle_cores() -> int:
    """How many files may be measured at once: at the lowest priority, that takes nothing from others."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MAX_THREADS, here)


class Measuring:
    """The work at one library.

    ``busy`` hears the path that is opened, and from the threads that measure each block of it; ``done`` the
    path that is closed, ``refuse`` what went wrong with a file.
    """

    def __init__(
        self,
        cache: TrackCache,
        busy: Callable[[str], None],
        done: Callable[[str], None],
        refuse: Callable[[PendingFile, Exception], None],
        threads: int,
    ) -> None:
        self._cache = cache
        self._busy, self._done, self._refuse = busy, done, refuse
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: deque[Task] = deque()
        self._running: dict[Future[Analysis], Task] = {}
        self._settled: set[str | None] = set()

    def plan(self, roots: Sequence[str]) -> None:
        """Take up what is pending under the roots now; what is being measured is finished."""
        files = spread(self._cache.without_analysis(roots))
        excerpts = [(file, True) for file in files if file.analyser is None]
        # of what lies on a server an excerpt has to do: to fetch all of it would keep the line busy for days
        self._waiting = deque([*excerpts, *((file, False) for file in files if not is_source(file.root))])
        self._settled = set()

    def next(self) -> bool:
        """Wait until a file is measured and store what was found; False when all are done."""
        while self._waiting and len(self._running) < self._threads:
            file, excerpt = self._waiting[0]
            if any(file.path == running.path for running, _ in self._running.values()):
                break  # what is found in it now may settle it
            self._waiting.popleft()
            if file.sound in self._settled:
                continue
            self._busy(file.path)
            on_block = partial(self._busy, file.path)
            self._pool = self._pool or ThreadPoolExecutor(self._threads, thread_name_prefix="measuring")
            self._running[self._pool.submit(_measure, file, excerpt, on_block)] = (file, excerpt)
        if not self._running:
            self._end_threads()
            return False
        for future in wait(self._running, return_when=FIRST_COMPLETED).done:
            file, _ = self._running.pop(future)
            self._done(file.path)
            self._store(file, future)
        return True

    def _end_threads(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()

    def _store(self, file: PendingFile, future: Future[Analysis]) -> None:
        """A short file needs no second look; one that cannot be read gets none."""
        try:
            analysis = future.result()
        except MusicServerError as error:
            self._put_off(file, error)
            return
        except Exception as error:  # noqa: BLE001 - told apart by whom it tells
            self._refuse(file, error)
            self._settled.add(file.sound)
            return
        if analysis.whole:
            self._settled.add(file.sound)
        if file.sound is not None:
            self._cache.set_analysis(file.sound, analysis)

    def _put_off(self, file: PendingFile, error: MusicServerError) -> None:
        """A server that is away says nothing of its tracks: they are measured after another look."""
        self._settled.add(file.sound)
        if isinstance(error, TrackMissingError):
            self._refuse(file, error)
        else:
            self._waiting = deque(task for task in self._waiting if task[0].root != file.root)


def _measure(file: PendingFile, excerpt: bool, on_block: Callable[[], None]) -> Analysis:
    with open_in(file.root, file.path) as opened:
        return analyse(opened, on_block, excerpt=excerpt)
