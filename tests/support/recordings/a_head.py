"""EEG-like noise: electrodes share sources and a rhythm stands out, so that it passes for a head."""

from __future__ import annotations

import numpy as np

from acquisition.signal import FloatArray


def head_noise(
    seed: int, n_channels: int, n_samples: int, rate_hz: float, rms_uv: float = 10.0, rhythm: float = 2.0
) -> FloatArray:
    """Noise (n_channels, n_samples) in microvolts that falls with frequency, but for a broad ``rhythm`` at
    10 Hz; each electrode hears a little of its neighbours' sources.
    """
    rng = np.random.default_rng(seed)
    hertz = np.maximum(np.fft.rfftfreq(n_samples, 1 / rate_hz), 0.5)
    shape = hertz**-0.6 * (1 + rhythm * np.exp(-0.5 * ((hertz - 10) / 1.5) ** 2))
    sources = np.fft.irfft(np.fft.rfft(rng.normal(size=(n_channels, n_samples))) * shape, n_samples)
    apart = np.abs(np.subtract.outer(np.arange(n_channels), np.arange(n_channels)))
    heard = 0.5**apart @ sources
    scaled: FloatArray = rms_uv * heard / heard.std(axis=1, keepdims=True)
    return scaled
