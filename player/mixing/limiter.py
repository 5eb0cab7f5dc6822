"""Keeps peaks between the samples, too, under the ceiling: a look-ahead limiter on true peaks."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from player.deck import MIX_RATE_HZ, PcmBlock, silence
from player.mixing.fades import scale
from player.mixing.true_peak import true_peak_filter

CEILING_DB = -1.0
TAPS = 128
"""Taps a phase: sound that is full up to 24 kHz (clipped bursts) peaks where fewer taps see nothing."""
MARGIN_DB = 1.15
"""Of this, 0.69 dB (cos pi/8) is what the highest tone may rise between points of a fourfold curve; the rest
is the filter's end and the moving gain, measured on clipped white noise, squares and sines."""
STEP = 32
LOOK_STEPS = 4
RELEASE_S = 0.15

Floats = NDArray[np.float64]


class Limiter:
    """Blocks in, blocks out, the same frames later by ``delay_frames``; ``flush`` gives the last.

    The gain is found for steps of 32 frames, falls at most a quarter a step ahead of a peak, recovers with
    a time constant of 150 ms and is joined by straight lines, so it makes no clicks. Quiet music passes
    through untouched, bit for bit.
    """

    def __init__(self, ceiling_db: float = CEILING_DB) -> None:
        self._ceiling = 10 ** ((ceiling_db - MARGIN_DB) / 20)
        self._filter = true_peak_filter(TAPS)
        self._half = TAPS // 2
        # no curve between samples rises above them by more than this
        self._quiet = self._ceiling / float(np.abs(self._filter).sum(axis=0).max())
        self._before = silence(self._half)
        self._held = silence(0)
        self._wanted: Floats = np.zeros(0)
        self._last_wanted = 1.0
        self._gain = 1.0
        self._release = 1.0 - math.exp(-STEP / (RELEASE_S * MIX_RATE_HZ))

    @property
    def delay_frames(self) -> int:
        """Frames that are held back at most, between blocks whose length is a multiple of 32."""
        return STEP * (LOOK_STEPS + math.ceil(self._half / STEP))

    def process(self, block: PcmBlock) -> PcmBlock:
        """The frames (n, 2) whose gain is now known; as many as went in, but for the first ones."""
        self._held = np.concatenate([self._held, block])
        known = len(self._wanted)
        steps = max(known, (len(self._held) - self._half) // STEP)
        if steps > known:
            self._wanted = np.concatenate([self._wanted, self._measure(known, steps)])
        return self._release_steps(max(0, steps - LOOK_STEPS))

    def flush(self) -> PcmBlock:
        """The rest, (n, 2), at the end of everything."""
        left = len(self._held)
        padded = silence((LOOK_STEPS + 2) * STEP + self._half)
        return self.process(padded)[:left]

    def _measure(self, first: int, last: int) -> Floats:
        """The gain that each step alone would need, shape (last - first,)."""
        start, stop = first * STEP, last * STEP
        around = np.concatenate([self._before, self._held[: stop + self._half]])[start:]
        # without a copy of them all, as np.abs would make
        if around.max() < self._quiet and around.min() > -self._quiet:
            return np.ones(last - first)
        samples = np.abs(around[self._half : -self._half]).max(axis=1)
        highest = np.maximum(samples, self._between(around)).reshape(-1, STEP).max(axis=1)
        return np.asarray(np.minimum(1.0, self._ceiling / np.maximum(highest, 1e-9)), dtype=np.float64)

    def _between(self, around: PcmBlock) -> NDArray[np.float32]:
        """The highest of the curve just before each sample, shape (n - TAPS,), by fast convolution."""
        size = 1 << (len(around) - 1).bit_length()
        spectrum = np.fft.rfft(around, size, axis=0)
        phases = np.fft.rfft(self._filter, size, axis=0).conj()
        curves = np.fft.irfft(spectrum[:, :, None] * phases[:, None, :], size, axis=0)
        highest: NDArray[np.float32] = np.abs(curves[: len(around) - TAPS]).max(axis=(1, 2))
        return highest

    def _release_steps(self, count: int) -> PcmBlock:
        if count == 0:
            return silence(0)
        out = self._held[: count * STEP]
        self._before = np.concatenate([self._before, out])[-self._half :]
        self._held = self._held[count * STEP :]
        wanted, self._wanted = self._wanted, self._wanted[count:]
        if self._gain >= 1.0 and self._last_wanted >= 1.0 and wanted.min() >= 1.0:
            return out
        nodes = self._nodes(wanted, count)
        self._last_wanted = float(wanted[count - 1])
        self._gain = float(nodes[-1])
        slope = np.arange(STEP) / STEP
        gains = (nodes[:-1, None] + np.diff(nodes)[:, None] * slope).ravel().astype(np.float32)
        limited = out.copy()
        scale(limited, gains)
        return limited

    def _nodes(self, wanted: Floats, count: int) -> Floats:
        """Gains at the step borders, shape (count + 1,): never above what either side needs."""
        previous = np.concatenate([[self._last_wanted], wanted])
        floor = np.minimum(previous[:-1], wanted)
        floor = np.concatenate([floor, np.full(LOOK_STEPS, wanted[-1])])
        ahead = np.lib.stride_tricks.sliding_window_view(floor, LOOK_STEPS)[1 : count + 1]
        attacks = (ahead + np.arange(LOOK_STEPS) / LOOK_STEPS).min(axis=1).tolist()
        gain = min(self._gain, float(wanted[0]))
        nodes = [gain]
        for attack in attacks:
            gain += (1.0 - gain) * self._release
            gain = min(attack, 1.0 if gain > 0.9999 else gain)
            nodes.append(gain)
        return np.array(nodes)
