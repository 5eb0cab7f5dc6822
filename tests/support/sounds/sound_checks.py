"""What a recorded WAV is asked: is there a gap, and does the level hold?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

Samples = NDArray[np.float32]
SILENT = 10 ** (-66 / 20)
"""Below this a frame counts as silent: dither and nothing else."""


def read_wav(path: Path) -> tuple[Samples, int]:
    """Samples of shape (n_frames, n_channels), and the rate in Hz."""
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    return samples, int(rate_hz)


def sounding(samples: Samples) -> Samples:
    """From the first frame that is not silent to the last one."""
    loud = np.flatnonzero(np.abs(samples).max(axis=1) > SILENT)
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples[:0]


def longest_gap_s(samples: Samples, rate_hz: int) -> float:
    """The longest run of silent frames."""
    loud = np.flatnonzero(np.abs(samples).max(axis=1) > SILENT)
    return float(np.diff(loud).max() - 1) / rate_hz if len(loud) > 1 else len(samples) / rate_hz


def levels_db(samples: Samples, rate_hz: int, window_s: float) -> NDArray[np.float64]:
    """RMS of consecutive windows in dBFS."""
    n = round(window_s * rate_hz)
    windows = samples[: len(samples) // n * n].astype(np.float64).reshape(-1, n * samples.shape[1])
    result: NDArray[np.float64] = 10 * np.log10(np.mean(windows**2, axis=1) + 1e-12)
    return result
