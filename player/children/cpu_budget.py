"""A limit on the processor time that one file may take, kept by the kernel: waiting costs nothing of it."""

from __future__ import annotations

import math
import resource
import threading
import time

BLOCK_S = 60.0
"""Five seconds of music take a few hundredths of one; the slowest machine needs a hundred times that."""
FILE_S = 1800.0
"""Twenty minutes of music take some 5 s, a day of it six minutes."""


class CpuBudget:
    """Ends this process by SIGXCPU where a block of a file, or all of it, takes longer than it may.

    The kernel counts what all threads use together: where several read files, each has as many times the
    seconds.
    """

    def __init__(self, block_s: float = BLOCK_S, file_s: float = FILE_S, threads: int = 1) -> None:
        self._block_s = block_s * threads
        self._file_s = file_s * threads
        self._lock = threading.Lock()
        self._until_s: dict[str, tuple[float, float]] = {}
        """Of each file that is being read: until when its block, and all of it, may take."""

    def begin(self, file: str = "") -> None:
        """A file is about to be read."""
        now_s = time.process_time()
        with self._lock:
            self._until_s[file] = (now_s + self._block_s, now_s + self._file_s)
            self._set()

    def renew(self, file: str = "") -> None:
        """A block of it was decoded."""
        with self._lock:
            if file in self._until_s:
                self._until_s[file] = (time.process_time() + self._block_s, self._until_s[file][1])
                self._set()

    def end(self, file: str = "") -> None:
        """It is read no more."""
        with self._lock:
            self._until_s.pop(file, None)
            self._set()

    def _set(self) -> None:
        until_s = min((min(both) for both in self._until_s.values()), default=math.inf)
        soft_s = resource.RLIM_INFINITY if until_s == math.inf else max(1, math.ceil(until_s))
        _, hard_s = resource.getrlimit(resource.RLIMIT_CPU)
        if hard_s != resource.RLIM_INFINITY:
            soft_s = hard_s if soft_s == resource.RLIM_INFINITY else min(soft_s, hard_s)
        resource.setrlimit(resource.RLIMIT_CPU, (soft_s, hard_s))
