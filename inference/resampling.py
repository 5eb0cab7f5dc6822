"""Causal resampling of any headset rate to the model's rate."""

from __future__ import annotations

import numpy as np

from acquisition.signal import FloatArray
from inference.filter_design import butterworth_lowpass
from inference.filters import CascadeFilter

MIN_RATE_HZ = 100.0
MAX_RATE_HZ = 1000.0
ANTI_ALIAS_HZ = 54.0
ANTI_ALIAS_ORDER = 8
LATENCY_SAMPLES = 2
"""Input samples that must follow an output sample's place before it can be given."""


class Resampler:
    """Anti-alias low-pass, then four-point Lagrange interpolation on the output's own grid.

    Interpolation error after the low-pass stays below 0.3 dB up to 45 Hz for rates from 250 Hz; equal
    rates pass untouched. Raises ``ValueError`` for rates outside 100-1000 Hz.
    """

    def __init__(self, in_rate_hz: float, out_rate_hz: float, n_channels: int) -> None:
        if not MIN_RATE_HZ <= in_rate_hz <= MAX_RATE_HZ:
            raise ValueError(
                f"the sampling rate must lie inside {MIN_RATE_HZ:g}..{MAX_RATE_HZ:g} Hz, got {in_rate_hz:g}"
            )
        self._same = abs(in_rate_hz - out_rate_hz) < 1e-9
        self._step = in_rate_hz / out_rate_hz
        self._in_rate_hz = in_rate_hz
        self._filter: CascadeFilter | None = None
        if in_rate_hz > out_rate_hz and in_rate_hz / 2 - 1 > ANTI_ALIAS_HZ:
            sections = butterworth_lowpass(ANTI_ALIAS_ORDER, ANTI_ALIAS_HZ, in_rate_hz)
            self._filter = CascadeFilter(sections, n_channels)
        self._n_channels = n_channels
        self._tail: FloatArray
        self._tail_s: FloatArray
        self._place: float
        self.reset()

    def process(self, samples: FloatArray, times_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Samples (n_channels, n) and their times (n,) in; the same at the output rate, maybe empty."""
        if self._same:
            return samples, times_s
        filtered = samples if self._filter is None else self._filter.process(samples)
        if self._tail.shape[1] == 0 and filtered.shape[1]:
            self._tail, self._tail_s = filtered[:, :1], times_s[:1] - 1 / self._in_rate_hz
        data = np.concatenate([self._tail, filtered], axis=1)
        times = np.concatenate([self._tail_s, times_s])
        last = data.shape[1] - 1 - LATENCY_SAMPLES
        count = int(np.floor((last - self._place) / self._step + 1e-9)) + 1 if last >= self._place else 0
        places: FloatArray = self._place + self._step * np.arange(max(0, count), dtype=np.float64)
        out = _lagrange(data, places)
        out_s = np.interp(places, np.arange(len(times)), times) if len(places) else np.zeros(0)
        self._place += self._step * len(places)
        drop = max(0, min(int(self._place) - 1, data.shape[1] - 1))
        self._tail, self._tail_s = data[:, drop:], times[drop:]
        self._place -= drop
        return out, out_s

    def reset(self) -> None:
        """Forget the past, as after a gap."""
        self._tail = np.zeros((self._n_channels, 0))
        self._tail_s = np.zeros(0)
        self._place = 1.0
        if self._filter is not None:
            self._filter.reset()


def _lagrange(data: FloatArray, places: FloatArray) -> FloatArray:
    """Cubic Lagrange interpolation of each row at fractional indices."""
    if not len(places):
        return np.zeros((data.shape[0], 0))
    # rounding must not turn an exact place 7.0 into 6.999: the neighbours would differ by chunking
    base = np.floor(places + 1e-9).astype(np.intp)
    x = places - base
    weights = (
        -x * (x - 1) * (x - 2) / 6,
        (x + 1) * (x - 1) * (x - 2) / 2,
        -(x + 1) * x * (x - 2) / 2,
        (x + 1) * x * (x - 1) / 6,
    )
    out = np.zeros((data.shape[0], len(places)))
    for offset, weight in zip((-1, 0, 1, 2), weights, strict=True):
        out += data[:, base + offset] * weight
    return out
