"""A limit on the processor time that one file may take, kept by the kernel: waiting costs nothing of it."""

from __future__ import annotations

import math
import resource
import time

BLOCK_S = 60.0
"""Five seconds of music take a few hundredths of one; the slowest machine needs a hundred times that."""
FILE_S = 1800.0
"""Twenty minutes of music take some 5 s, a day of it six minutes."""


class CpuBudget:
    """Ends this process by SIGXCPU where a block, or a file, takes longer than it may."""

    def __init__(self, block_s: float = BLOCK_S, file_s: float = FILE_S) -> None:
        self._block_s = block_s
        self._file_s = file_s
        self._file_until_s = math.inf

    def begin(self) -> None:
        """A file is about to be read."""
        self._file_until_s = time.process_time() + self._file_s
        self.renew()

    def renew(self) -> None:
        """A block of it was decoded."""
        until_s = min(time.process_time() + self._block_s, self._file_until_s)
        self._set(max(1, math.ceil(until_s)))

    def lift(self) -> None:
        """No file is being read."""
        self._file_until_s = math.inf
        self._set(resource.RLIM_INFINITY)

    def _set(self, soft_s: int) -> None:
        _, hard_s = resource.getrlimit(resource.RLIMIT_CPU)
        if hard_s != resource.RLIM_INFINITY:
            soft_s = hard_s if soft_s == resource.RLIM_INFINITY else min(soft_s, hard_s)
        resource.setrlimit(resource.RLIMIT_CPU, (soft_s, hard_s))
