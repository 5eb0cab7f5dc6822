"""Which mains frequency hums in the signal: 50 Hz, 60 Hz, or none that can be seen."""

from __future__ import annotations

import numpy as np

from acquisition.signal import FloatArray

MAINS_HZ = (50.0, 60.0)
LISTEN_S = 4.0
"""Signal that is heard before a decision: a resolution of a quarter of a hertz."""
PROMINENCE = 5.0
"""Density within 1 Hz of the mains frequency against that 2-5 Hz beside it, from which it counts as hum."""


def find_mains_hz(raw_uv: FloatArray, rate_hz: float) -> float | None:
    """The more prominent of 50 and 60 Hz in unfiltered samples (n_channels, n), or None without hum.

    The median over channels decides, so that one loose electrode does not. Frequencies within 2 Hz of
    half the rate cannot be judged and never win.
    """
    finite = np.isfinite(raw_uv).all(axis=1)
    if not finite.any() or raw_uv.shape[1] < rate_hz:
        return None
    samples = raw_uv[finite]
    samples = samples - samples.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(samples * np.hanning(samples.shape[1]), axis=1)
    density: FloatArray = spectrum.real**2 + spectrum.imag**2
    frequencies_hz: FloatArray = np.fft.rfftfreq(samples.shape[1], 1 / rate_hz).astype(np.float64)
    scores = {
        mains_hz: _prominence(density, frequencies_hz, mains_hz)
        for mains_hz in MAINS_HZ
        if mains_hz + 2 < rate_hz / 2
    }
    best = max(scores, key=lambda mains_hz: scores[mains_hz], default=None)
    return best if best is not None and scores[best] >= PROMINENCE else None


def _prominence(density: FloatArray, frequencies_hz: FloatArray, mains_hz: float) -> float:
    away = np.abs(frequencies_hz - mains_hz)
    beside = (away >= 2) & (away <= 5)
    ratio = density[:, away <= 1].max(axis=1) / np.maximum(density[:, beside].mean(axis=1), 1e-12)
    return float(np.median(ratio))
