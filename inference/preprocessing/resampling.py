"""Causal resampling of any headset rate to the model's rate."""

from __future__ import annotations

import numpy as np

from acquisition.signal import FloatArray
from inference.preprocessing.filter_design import butterworth_lowpass, group_delay_s
from inference.preprocessing.filters import CascadeFilter

MIN_RATE_HZ = 100.0
MAX_RATE_HZ = 1000.0
ANTI_ALIAS_HZ = 54.0
ANTI_ALIAS_ORDER = 8
SLOW_RATE_HZ = 200.0
HALF_WIDTH, HALF_WIDTH_SLOW = 8, 16
"""Input samples either side of a place that its value is made of; more where 45 Hz nears half the rate."""
KAISER_BETA = 6.0


class UnreadableRateError(ValueError):
    """A stream is too slow or too fast to be read."""


class Resampler:
    """Anti-alias low-pass, then interpolation by a Kaiser-windowed sinc on the output's own grid.

    (Smith and Gossett 1984, *A flexible sampling-rate conversion method*.) A value needs ``half_width`` input
    samples after its place: 31 ms at 256 Hz. Equal rates pass untouched, and where the input rate is a whole
    multiple of the output's, samples are picked and nothing is waited for. Raises ``UnreadableRateError``
    outside 100-1000 Hz.
    """

    def __init__(self, in_rate_hz: float, out_rate_hz: float, n_channels: int) -> None:
        if not MIN_RATE_HZ <= in_rate_hz <= MAX_RATE_HZ:
            raise UnreadableRateError(
                f"the sampling rate must lie inside {MIN_RATE_HZ:g}..{MAX_RATE_HZ:g} Hz, got {in_rate_hz:g}"
            )
        self._same = abs(in_rate_hz - out_rate_hz) < 1e-9
        self._step = in_rate_hz / out_rate_hz
        self._in_rate_hz = in_rate_hz
        whole = self._step == round(self._step)
        slow = in_rate_hz < SLOW_RATE_HZ
        self.half_width = 0 if whole else HALF_WIDTH_SLOW if slow else HALF_WIDTH
        self._filter: CascadeFilter | None = None
        if in_rate_hz > out_rate_hz and in_rate_hz / 2 - 1 > ANTI_ALIAS_HZ:
            sections = butterworth_lowpass(ANTI_ALIAS_ORDER, ANTI_ALIAS_HZ, in_rate_hz)
            self._filter = CascadeFilter(sections, n_channels)
        self._n_channels = n_channels
        self._tail: FloatArray
        self._tail_s: FloatArray
        self._place: float
        self.reset()

    @property
    def wait_s(self) -> float:
        """Time that must pass after an output sample's place before it can be given."""
        return self.half_width / self._in_rate_hz

    def group_delay_s(self, frequency_hz: float) -> float:
        """Delay of the anti-alias low-pass; 0 where there is none."""
        if self._filter is None:
            return 0.0
        return group_delay_s(self._filter.sections, frequency_hz, self._in_rate_hz)

    def process(self, samples: FloatArray, times_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Samples (n_channels, n) and their times (n,) in; the same at the output rate, maybe empty."""
        if self._same or samples.shape[1] == 0:
            return samples, times_s
        filtered = samples if self._filter is None else self._filter.process(samples)
        if self.half_width == 0:
            return self._picked(filtered, times_s)
        if self._tail.shape[1] == 0 and filtered.shape[1]:
            before = np.arange(-self.half_width, 0)
            self._tail = np.repeat(filtered[:, :1], self.half_width, axis=1)
            self._tail_s = times_s[0] + before / self._in_rate_hz
        data = np.concatenate([self._tail, filtered], axis=1)
        times = np.concatenate([self._tail_s, times_s])
        last = data.shape[1] - 1 - self.half_width
        count = int(np.floor((last - self._place) / self._step + 1e-9)) + 1 if last >= self._place else 0
        places: FloatArray = self._place + self._step * np.arange(max(0, count), dtype=np.float64)
        out = _interpolate(data, places, self.half_width)
        out_s = np.interp(places, np.arange(len(times)), times) if len(places) else np.zeros(0)
        self._place += self._step * len(places)
        drop = max(0, min(int(self._place) - self.half_width, data.shape[1]))
        self._tail, self._tail_s = data[:, drop:], times[drop:]
        self._place -= drop
        return out, out_s

    def _picked(self, filtered: FloatArray, times_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Every step-th sample, counted over all chunks."""
        step, n = round(self._step), filtered.shape[1]
        first = int(self._place)
        self._place = float((first - n) % step if n > first else first - n)
        return filtered[:, first::step], times_s[first::step]

    def reset(self) -> None:
        """Forget the past, as after a gap."""
        self._tail = np.zeros((self._n_channels, 0))
        self._tail_s = np.zeros(0)
        self._place = float(self.half_width)
        if self._filter is not None:
            self._filter.reset()


def _interpolate(data: FloatArray, places: FloatArray, half_width: int) -> FloatArray:
    """Each row at fractional indices ``places``, from ``half_width`` neighbours on either side."""
    if not len(places):
        return np.zeros((data.shape[0], 0))
    # rounding must not turn an exact place 7.0 into 6.999: the neighbours would differ by chunking
    base = np.floor(places + 1e-9).astype(np.intp)
    offsets = np.arange(1 - half_width, half_width + 1)
    away = offsets - (places - base)[:, np.newaxis]
    kaiser = np.i0(KAISER_BETA * np.sqrt(np.clip(1 - (away / half_width) ** 2, 0, 1))) / np.i0(KAISER_BETA)
    weights = np.sinc(away) * kaiser
    weights /= weights.sum(axis=1, keepdims=True)
    neighbours = data[:, base[:, np.newaxis] + offsets]
    out: FloatArray = np.einsum("cok,ok->co", neighbours, weights)
    return out
