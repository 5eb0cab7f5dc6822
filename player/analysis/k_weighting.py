"""The K-weighting of ITU-R BS.1770-5 by fast convolution: no second of importing scipy for one filter."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SECTIONS_48K = np.array(
    [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
)
"""Second-order sections (b0 b1 b2 a0 a1 a2) of ITU-R BS.1770-5, tables 1 and 2, for 48 kHz."""
TAPS = 4096
"""The slowest pole has radius 0.995: what comes later is 150 dB down."""
SPAN = 1 << 15


class KWeighting:
    """Weights a stream at 48 kHz, block after block, each of any length."""

    def __init__(self, n_channels: int = 2) -> None:
        self._late = np.zeros((n_channels, TAPS - 1), dtype=np.float32)

    def process(self, block: NDArray[np.float32]) -> Floats:
        """The weighted samples of a block of shape (n_channels, n), of the same shape; exact to -110 dB."""
        parts = []
        for at in range(0, block.shape[1], SPAN - TAPS + 1):
            part = block[:, at : at + SPAN - TAPS + 1]
            spectrum = np.fft.rfft(part, SPAN, axis=1)
            spectrum *= _response()
            sound = np.fft.irfft(spectrum, SPAN, axis=1).astype(np.float32, copy=False)
            n_frames = part.shape[1]
            sound[:, : TAPS - 1] += self._late
            parts.append(sound[:, :n_frames])
            self._late = sound[:, n_frames : n_frames + TAPS - 1]
        return np.concatenate(parts, axis=1) if parts else np.zeros(block.shape, dtype=np.float32)


@lru_cache(maxsize=1)
def _response() -> NDArray[np.complex64]:
    """The spectrum, over ``SPAN`` samples, of the first ``TAPS`` samples of the impulse response."""
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(2 * SPAN))
    powers = np.stack([np.ones_like(turn), turn, turn * turn])
    exact = np.ones_like(turn)
    for section in SECTIONS_48K:
        exact *= (section[:3] @ powers) / (section[3:] @ powers)
    return np.fft.rfft(np.fft.irfft(exact)[:TAPS], SPAN).astype(np.complex64)
