"""The loudness of a track that nobody has measured yet, from what is decoded of it when it begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from player.analysis.loudness import LoudnessMeter

WINDOW_S = 3.0
LOUD_ABOVE_LU = 2.0
"""What is loud for three seconds is at most so much above the rest of most music."""


def first_loudness_lufs(sound: NDArray[np.float32]) -> float | None:
    """Of interleaved stereo (n_frames, 2) at 48 kHz: of the whole, or of a louder part in a quiet beginning.

    None for silence and for less than 400 ms.
    """
    meter = LoudnessMeter()
    meter.push(np.ascontiguousarray(sound.T))
    seconds = len(sound) / 48_000
    starts = np.arange(0.0, max(0.0, seconds - WINDOW_S) + 1e-9, WINDOW_S / 2)
    windows = [meter.integrated_lufs(start_s, start_s + WINDOW_S) for start_s in starts]
    loudest = max((lufs - LOUD_ABOVE_LU for lufs in windows if lufs is not None), default=None)
    whole = meter.integrated_lufs()
    return whole if whole is None or loudest is None else max(whole, loudest)
