"""Sound files for tests, written by the standard library."""

from __future__ import annotations

import hashlib
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 48_000
Samples = NDArray[np.float64]


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE_HZ))


def sine(seconds: float, hertz: float, level_dbfs: float) -> Samples:
    """A sine whose mean square is ``level_dbfs``."""
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    wave_form: Samples = np.sqrt(2) * 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * hertz * time_s)
    return wave_form


def noise(seconds: float, level_dbfs: float, seed: int = 1) -> Samples:
    values = np.random.default_rng(seed).standard_normal(int(seconds * RATE_HZ))
    return 10 ** (level_dbfs / 20) * values


def write_wav(path: Path, samples: Samples, rate_hz: int = RATE_HZ, channels: int = 2) -> Path:
    columns = samples if samples.ndim == 2 else np.repeat(samples[:, None], channels, axis=1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(columns.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.clip(np.rint(columns * 32767), -32768, 32767).astype("<i2").tobytes())
    return path


def write_tone(
    path: Path, seconds: float, hertz: float, level_dbfs: float, samples: Samples | None = None
) -> Path:
    """A sound of its own in each file, for copies of one are played once: the last samples spell its name."""
    tone = sine(seconds, hertz, level_dbfs) if samples is None else samples.copy()
    spelled = np.frombuffer(hashlib.blake2b(path.name.encode(), digest_size=32).digest(), np.uint8)
    tone[-32:] += np.resize(spelled % 3 - 1.0, min(32, len(tone))) / 32768
    return write_wav(path, tone)
