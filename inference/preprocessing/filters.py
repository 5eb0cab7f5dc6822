"""Causal, stateful filtering: whatever the sizes of the chunks, the output equals that of one whole pass.

The cascade is written as one state-space system and run in blocks of matrix products, which numpy does for
all channels at once: as exact as the recursion (to rounding) and fast without compiled code of our own.
"""

from __future__ import annotations

import numpy as np

from acquisition.signal import FloatArray
from inference.preprocessing.filter_design import (
    Sections,
    butterworth_highpass,
    butterworth_lowpass,
    notch,
)

BLOCK = 32
LOW_EDGE_HZ = 1.0
HIGH_EDGE_HZ = 45.0
NOTCH_QUALITY = 20.0


class CascadeFilter:
    """Second-order sections with memory, for ``n_channels`` rows.

    It starts in the steady state of the first sample, so that an electrode's large constant offset
    (an OpenBCI Cyton shows tens of millivolts) does not ring through the first seconds.
    """

    def __init__(self, sections: Sections, n_channels: int) -> None:
        self.sections = sections
        a, b, c, d = _state_space(sections)
        self._steady = np.linalg.solve(np.eye(len(a)) - a, b)
        self._matrices = _block_matrices(a, b, c, d)
        self._by_length: dict[int, FloatArray] = {}
        self._n_channels = n_channels
        self._state: FloatArray | None = None

    def process(self, samples: FloatArray) -> FloatArray:
        """Filter shape (n_channels, n_samples), same shape out. Raises ``ValueError`` for other rows."""
        if samples.shape[0] != self._n_channels:
            raise ValueError(f"the filter was made for {self._n_channels} channels, got {samples.shape[0]}")
        out = np.empty_like(samples, dtype=np.float64)
        if samples.shape[1] == 0:
            return out
        if self._state is None:
            self._state = np.outer(samples[:, 0], self._steady)
        state = self._state
        for start in range(0, samples.shape[1], BLOCK):
            block = samples[:, start : start + BLOCK]
            n = block.shape[1]
            matrix = self._by_length.get(n)
            if matrix is None:
                matrix = self._by_length[n] = _joined(*self._matrices, n)
            both = np.concatenate((state, block), axis=1) @ matrix
            out[:, start : start + n], state = both[:, :n], both[:, n:]
        self._state = state
        return out

    def reset(self) -> None:
        """Forget the past: the next sample is a first one."""
        self._state = None


def _state_space(sections: Sections) -> tuple[FloatArray, FloatArray, FloatArray, float]:
    """(A, B, C, D) of the cascade, each section in transposed direct form II."""
    a = np.zeros((0, 0))
    b, c, d = np.zeros(0), np.zeros(0), 1.0
    for b0, b1, b2, _, a1, a2 in sections:
        section_a = np.array([[-a1, 1.0], [-a2, 0.0]])
        section_b = np.array([b1 - a1 * b0, b2 - a2 * b0])
        section_c = np.array([1.0, 0.0])
        n = len(a)
        joined = np.zeros((n + 2, n + 2))
        joined[:n, :n] = a
        joined[n:, :n] = np.outer(section_b, c)
        joined[n:, n:] = section_a
        a, b = joined, np.concatenate([b, section_b * d])
        c, d = np.concatenate([b0 * c, section_c]), b0 * d
    return a, b, c, d


def _block_matrices(
    a: FloatArray, b: FloatArray, c: FloatArray, d: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    powers = [np.eye(len(a))]
    for _ in range(BLOCK):
        powers.append(a @ powers[-1])
    reach = np.array([powers[BLOCK - 1 - k] @ b for k in range(BLOCK)])
    observe = np.array([c @ powers[k] for k in range(BLOCK)])
    taps = np.concatenate([[d], observe[:-1] @ b])
    impulse = np.zeros((BLOCK, BLOCK))
    for row in range(BLOCK):
        impulse[row, : row + 1] = taps[: row + 1][::-1]
    return np.array(powers), reach, observe, impulse


def _joined(
    powers: FloatArray, reach: FloatArray, observe: FloatArray, impulse: FloatArray, n: int
) -> FloatArray:
    """For a block of ``n`` samples: what turns (state, samples) into (output, next state) in one product.

    Of chunks of 1/16 s most of the time would go into the calls, not into the arithmetic.
    """
    above = np.concatenate([observe[:n].T, powers[n].T], axis=1)
    below = np.concatenate([impulse[:n, :n].T, reach[BLOCK - n :]], axis=1)
    return np.ascontiguousarray(np.concatenate([above, below]))


def band_sections(rate_hz: float, mains_hz: float | None) -> Sections:
    """1-45 Hz band-pass (4th-order Butterworth at each edge) and, where mains is known, its notch:
    (n_sections, 6).
    """
    parts = [butterworth_highpass(4, LOW_EDGE_HZ, rate_hz), butterworth_lowpass(4, HIGH_EDGE_HZ, rate_hz)]
    if mains_hz is not None and mains_hz < rate_hz / 2 - 1:
        parts.append(notch(mains_hz, NOTCH_QUALITY, rate_hz))
    return np.concatenate(parts)
