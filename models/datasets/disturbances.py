"""What changes a recording and is no state of mind: muscles that tense, an electrode that comes off."""

from __future__ import annotations

from typing import Literal

import numpy as np

from acquisition.signal import FloatArray

MuscleShape = Literal["surface", "flat"]
MUSCLE_HZ = (30.0, 45.0)
"""Where added muscle is measured against what an electrode has by itself: above alpha and most of beta."""
SURFACE_HZ = (30.0, 60.0)
FLAT_HZ = (20.0, 62.0)


def with_muscle(
    samples_uv: FloatArray,
    rate_hz: float,
    times: float,
    rng: np.random.Generator,
    shape: MuscleShape = "surface",
) -> FloatArray:
    """Samples (n_channels, n) with muscle at every electrode: noise whose power between 30 and 45 Hz is
    ``times`` the electrode's own.

    ``surface`` has the spectrum of muscle under skin, ``f^2 / ((f^2 + a^2) (f^2 + b^2)^2)`` (Shwedyk,
    Balasubramanian and Scott 1977, *A nonstationary model for the electromyogram*); ``flat`` has the same
    power at all of 20-62 Hz, for asking a network that was shown the other.
    """
    n = samples_uv.shape[1]
    hz = np.fft.rfftfreq(n, 1 / rate_hz)
    if shape == "surface":
        low, high = SURFACE_HZ
        power = hz**2 / ((hz**2 + low**2) * (hz**2 + high**2) ** 2)
    else:
        power = ((hz >= FLAT_HZ[0]) & (hz < FLAT_HZ[1])).astype(np.float64)
    white = np.fft.rfft(rng.normal(size=samples_uv.shape), axis=1)
    noise = np.fft.irfft(white * np.sqrt(power), n, axis=1)
    share = _power_inside(samples_uv, rate_hz) / np.maximum(_power_inside(noise, rate_hz), 1e-12)
    result: FloatArray = samples_uv + noise * np.sqrt(times * share)[:, np.newaxis]
    return result


def _power_inside(samples_uv: FloatArray, rate_hz: float) -> FloatArray:
    """The median second's power between 30 and 45 Hz, (n_channels,): one burst does not count."""
    second = round(rate_hz)
    whole = samples_uv[:, : samples_uv.shape[1] // second * second].reshape(len(samples_uv), -1, second)
    spectrum = np.abs(np.fft.rfft(whole * np.hanning(second), axis=2)) ** 2
    hz = np.fft.rfftfreq(second, 1 / rate_hz)
    inside = (hz >= MUSCLE_HZ[0]) & (hz < MUSCLE_HZ[1])
    power: FloatArray = np.median(spectrum[:, :, inside].sum(axis=2), axis=1)
    return power


def without_electrode(samples_uv: FloatArray, row: int) -> FloatArray:
    """Samples (n_channels, n) with one electrode off the skin: flat, as an amplifier shows it."""
    flat = samples_uv.copy()
    flat[row] = 0.0
    return flat
