"""What no head gives: noise, tones, copies, an amplifier's own hiss, a heart, a voice. By name."""

from __future__ import annotations

import numpy as np

from acquisition.signal import FloatArray

RATE_HZ = 128.0


def coloured(
    rng: np.random.Generator, n_channels: int, n_samples: int, exponent: float, rate_hz: float
) -> FloatArray:
    """Noise (n_channels, n_samples) of unit variance, its power falling with frequency to ``exponent``."""
    hertz = np.maximum(np.fft.rfftfreq(n_samples, 1 / rate_hz), 0.5)
    white = np.fft.rfft(rng.standard_normal((n_channels, n_samples)))
    noise: FloatArray = np.fft.irfft(white / hertz ** (exponent / 2), n_samples)
    return noise / noise.std(axis=1, keepdims=True)


def not_eeg(real_uv: FloatArray, rate_hz: float, seed: int = 1) -> dict[str, FloatArray]:
    """Every signal, shaped as ``real_uv`` (n_channels, n_samples), which some are made of."""
    rng = np.random.default_rng(seed)
    n, m = real_uv.shape
    t, every = np.arange(m) / rate_hz, np.ones((n, 1))
    white, pink = rng.standard_normal((n, m)), coloured(rng, n, m, 1.0, rate_hz)
    return {
        "white noise, 10 uV": 10 * white,
        "pink noise, 10 uV": 10 * pink,
        "noise falling with f^1.5": 10 * coloured(rng, n, m, 1.5, rate_hz),
        "random walk": 2 * np.cumsum(white, axis=1),
        "one white noise on all": 10 * every * white[:1] + 0.5 * pink,
        "one pink noise on all": 10 * every * pink[:1] + 0.5 * white,
        "sine of 10 Hz": 20 * every * np.sin(2 * np.pi * 10 * t),
        "sine of 25 Hz": 20 * every * np.sin(2 * np.pi * 25 * t),
        "sine of 10 Hz, phases apart": 20 * np.sin(2 * np.pi * 10 * t + rng.uniform(0, 6, (n, 1))),
        "a sine of its own each": np.stack([20 * np.sin(2 * np.pi * (6 + 1.5 * i) * t) for i in range(n)]),
        "square wave of 3 Hz": 20 * every * np.sign(np.sin(2 * np.pi * 3 * t)),
        "triangle of 7 Hz": 30 * every * (2 * np.abs(2 * ((7 * t) % 1) - 1) - 1),
        "rising tone": 20 * every * np.sin(2 * np.pi * t * (2 + 15 * t / t[-1])),
        "one electrode copied to all": every * real_uv[:1],
        "50 Hz of 60 uV on pink noise": 60 * every * np.sin(2 * np.pi * 50 * t) + 10 * pink,
        "50 Hz on one pink noise": every * (60 * np.sin(2 * np.pi * 50 * t) + 10 * pink[:1]),
        "mains with harmonics": every * sum(60 / k * np.sin(2 * np.pi * 50 * k * t) for k in (1, 2, 3))
        + 2 * white,
        "EEG x10": 10 * real_uv,
        "EEG x5": 5 * real_uv,
        "a heart on all": (1 + 0.2 * rng.random((n, 1))) * 60 * _heart(t) + 2 * pink,
        "a voice on all": 15 * every * np.abs(np.sin(2 * np.pi * 2 * t)) * white[:1],
        "a voice, each its own": 15 * np.abs(np.sin(2 * np.pi * 2 * t)) * white,
        "one value": np.full((n, m), 800.0),
        "one value, last bit toggling": 800 + np.round(0.5 * white) * 2,
        "clicks": 50.0 * (rng.random((n, m)) < 0.02),
        "electrodes of different times": np.stack(
            [np.roll(row, (i + 1) * m // (n + 2)) for i, row in enumerate(real_uv)]
        ),
    }


def _heart(t: FloatArray) -> FloatArray:
    phase = (1.2 * t) % 1
    waves = ((0.1, 0.2, 0.025), (-0.15, 0.37, 0.01), (1, 0.4, 0.012), (-0.25, 0.43, 0.01), (0.3, 0.65, 0.04))
    beat: FloatArray = sum(
        (height * np.exp(-((phase - at) ** 2) / 2 / width**2) for height, at, width in waves),
        np.zeros_like(t),
    )
    return beat
