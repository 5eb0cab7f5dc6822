"""EBU R128 loudness and true peak of a stream of stereo blocks, in bounded memory."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from player.analysis.k_weighting import KWeighting
from player.mixing.true_peak import TRUE_PEAK_TAPS, true_peak_filter

Floats = NDArray[np.float64]
Block = NDArray[np.float32]
STEP_S = 0.1
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
_OFFSET = -0.691

SPAN = 64
"""Samples that are interpolated at once."""


class LoudnessMeter:
    """Measures as blocks come. ``rate_hz`` must be 48 000, for which the filters are tabulated."""

    def __init__(self, rate_hz: int = 48_000) -> None:
        if rate_hz != 48_000:
            raise ValueError(f"the loudness meter works at 48000 Hz, got {rate_hz}")
        self._step = int(rate_hz * STEP_S)
        self._weighting = KWeighting()
        self._rest = np.zeros((2, 0))
        self._energies: list[Floats] = []
        self._peak = 0.0
        self._tail = np.zeros((2, TRUE_PEAK_TAPS - 1), dtype=np.float32)
        self._interpolator = _span_interpolator()

    def push(self, block: Block) -> None:
        """Take in samples of shape (2, n)."""
        weighted = self._weighting.process(block)
        joined = np.concatenate([self._rest, weighted], axis=1)
        whole = joined.shape[1] // self._step * self._step
        squares = np.square(joined[:, :whole]).reshape(2, -1, self._step)
        self._energies.append(squares.mean(axis=2).sum(axis=0))
        self._rest = joined[:, whole:]
        self._push_peak(block)

    def _push_peak(self, block: Block) -> None:
        """Interpolate only where the samples are high enough for a new true peak between them."""
        self._peak = max(self._peak, float(np.abs(block).max(initial=0.0)))
        joined = np.concatenate([self._tail, block], axis=1)
        count = (joined.shape[1] - TRUE_PEAK_TAPS + 1) // SPAN
        self._tail = joined[:, count * SPAN :]
        for side in joined if count else ():
            spans = np.lib.stride_tricks.sliding_window_view(side, SPAN + TRUE_PEAK_TAPS - 1)[::SPAN]
            # between band-limited samples the curve rises above them by 3 dB in music, hardly by 6
            high = np.maximum(spans.max(axis=1), -spans.min(axis=1)) * 2 >= self._peak
            between = spans[high] @ self._interpolator
            self._peak = max(self._peak, float(between.max(initial=0.0)), -float(between.min(initial=0.0)))

    def integrated_lufs(self, start_s: float = 0.0, stop_s: float = math.inf) -> float | None:
        """Gated loudness of what was pushed, or of a stretch of it; None for silence or less than 400 ms."""
        steps = np.concatenate(self._energies) if self._energies else np.zeros(0)
        stop = len(steps) if math.isinf(stop_s) else round(stop_s / STEP_S)
        steps = steps[round(start_s / STEP_S) : stop]
        if len(steps) < 4:
            return None
        blocks = np.convolve(steps, np.full(4, 0.25), mode="valid")
        blocks = blocks[blocks > 10 ** ((ABSOLUTE_GATE_LUFS - _OFFSET) / 10)]
        if not len(blocks):
            return None
        blocks = blocks[blocks > blocks.mean() * 10 ** (RELATIVE_GATE_LU / 10)]
        return _OFFSET + 10 * math.log10(float(blocks.mean()))

    def true_peak_dbtp(self) -> float | None:
        """Highest point of the curve through the samples, in dB of full scale; None for silence."""
        self._push_peak(np.zeros((2, SPAN), dtype=np.float32))  # for what is left of the last span
        return 20 * math.log10(self._peak) if self._peak > 1e-6 else None


def _span_interpolator() -> NDArray[np.float32]:
    """All points between the samples of a span by one product, shape (span + taps - 1, span * phases)."""
    phases = true_peak_filter()
    product = np.zeros((SPAN + TRUE_PEAK_TAPS - 1, SPAN, phases.shape[1]), dtype=np.float32)
    for k in range(SPAN):
        product[k : k + TRUE_PEAK_TAPS, k] = phases
    return product.reshape(len(product), -1)
