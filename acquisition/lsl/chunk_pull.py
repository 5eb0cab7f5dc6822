"""Takes what an inlet holds, into memory that is made once.

``pylsl`` makes memory and arguments anew for each chunk, at three times the cost of liblsl's own work
(docs/decisions/0115-a-stream-wakes-few.md).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np


class ChunkPull:
    """Pulls at most ``max_samples`` of a numeric ``pylsl.StreamInlet``, which must stay open; never waits.

    ``check`` raises what an error's number stands for.
    """

    def __init__(self, inlet: Any, max_samples: int, check: Callable[[ctypes.c_int], None]) -> None:
        self._channels = inlet.channel_count
        self._samples = np.empty((max_samples, self._channels), inlet.np_dtype)
        self._stamps_s = np.empty(max_samples)
        self._error, self._check = ctypes.c_int(), check
        self._call = partial(
            inlet.do_pull_chunk,
            inlet.obj,
            ctypes.c_void_p(self._samples.ctypes.data),
            ctypes.c_void_p(self._stamps_s.ctypes.data),
            ctypes.c_size_t(self._samples.size),
            ctypes.c_size_t(max_samples),
            ctypes.c_double(0.0),
            ctypes.byref(self._error),
        )

    def __call__(self) -> tuple[np.ndarray, np.ndarray]:
        """Samples (n, n_channels) as they were sent, and stamps (n,): views that the next call overwrites.

        Raises what ``check`` does.
        """
        values = self._call()
        if self._error.value:
            self._check(self._error)
        n = values // self._channels
        return self._samples[:n], self._stamps_s[:n]
