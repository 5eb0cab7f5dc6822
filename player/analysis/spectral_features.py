"""What the spectrum says of a track's liveliness, frame by frame in bounded memory: plain numpy."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float32]
Floats = NDArray[np.float64]

FRAME = 2048
HOP = 1024
HIGH_HZ = 4_000.0
COMPRESSION = 100.0
MIN_BPM = 55.0
MAX_BPM = 190.0
MAJOR_PROFILE = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR_PROFILE = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
"""Key profiles of Krumhansl and Kessler (1982)."""


class SpectralFeatures:
    """Accumulates spectral flux, onsets, high-frequency share, centroid and chroma of stereo blocks."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._window = np.hanning(FRAME).astype(np.float32)
        self._hertz: Floats = np.fft.rfftfreq(FRAME, 1 / rate_hz).astype(np.float64)
        self._rest = np.zeros(0, dtype=np.float32)
        self._last = np.zeros((1, len(self._hertz)), dtype=np.float32)
        self._flux: list[Floats] = []
        self._power = np.zeros(len(self._hertz))
        self._pitch_class = _pitch_classes(self._hertz)

    def push(self, block: Block) -> None:
        """Take in samples of shape (2, n)."""
        mono = np.concatenate([self._rest, block.mean(axis=0)])
        count = (len(mono) - FRAME) // HOP + 1
        if count <= 0:
            self._rest = mono
            return
        frames = np.lib.stride_tricks.sliding_window_view(mono, FRAME)[::HOP][:count]
        self._rest = mono[count * HOP :]
        magnitude = np.abs(np.fft.rfft(frames * self._window, axis=1)).astype(np.float32) * (2 / FRAME)
        self._power += np.square(magnitude, dtype=np.float64).sum(axis=0)
        compressed = np.log1p(COMPRESSION * magnitude)
        rise = np.diff(np.concatenate([self._last, compressed]), axis=0)
        self._last = compressed[-1:]
        self._flux.append(np.maximum(rise, 0).mean(axis=1).astype(np.float64))

    def flux(self) -> float:
        """Mean rise of the log-compressed spectrum from frame to frame (Bello et al. 2005)."""
        curve = self._curve()
        return float(curve.mean()) if len(curve) else 0.0

    def onset_rate_hz(self) -> float:
        """Peaks of the flux curve that stand out of their neighbourhood, per second."""
        curve = self._curve()
        if len(curve) < 32:
            return 0.0
        local = np.convolve(curve, np.full(21, 1 / 21), mode="same")
        inner = curve[1:-1]
        peaks = (
            (inner > curve[:-2]) & (inner >= curve[2:]) & (inner > 1.4 * local[1:-1] + 0.25 * curve.mean())
        )
        return float(peaks.sum() * self._rate_hz / HOP / len(curve))

    def high_share(self) -> float:
        """Share of the energy above 4 kHz, 0..1."""
        total = self._power.sum()
        return float(self._power[self._hertz > HIGH_HZ].sum() / total) if total > 0 else 0.0

    def centroid_hz(self) -> float:
        """Centre of the power spectrum in Hz."""
        total = self._power.sum()
        return float((self._power * self._hertz).sum() / total) if total > 0 else 0.0

    def tempo_bpm(self) -> float | None:
        """Tempo by autocorrelation with a preference near 120 (Ellis 2007); None where nothing pulses."""
        curve = self._curve()
        frames_a_second = self._rate_hz / HOP
        longest = int(frames_a_second * 60 / MIN_BPM) + 2
        if len(curve) < 4 * longest:
            return None
        curve = curve - curve.mean()
        size = 1 << (2 * len(curve) - 1).bit_length()
        spectrum = np.fft.rfft(curve, size)
        correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: longest + 1]
        if correlation[0] <= 0:
            return None
        lags = np.arange(int(frames_a_second * 60 / MAX_BPM), longest)
        beats = 60 * frames_a_second / lags
        weight = np.exp(-0.5 * (np.log2(beats / 120) / 0.9) ** 2)
        best = int(lags[np.argmax(correlation[lags] * weight)])
        if correlation[best] / correlation[0] < 0.06:
            return None
        left, middle, right = correlation[best - 1 : best + 2]
        bend = left - 2 * middle + right
        shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
        return float(60 * frames_a_second / (best + np.clip(shift, -0.5, 0.5)))

    def majorness(self) -> float:
        """Best fit to a major key less the best fit to a minor one, about -0.3..0.3 (correlations)."""
        chroma = np.bincount(
            self._pitch_class[self._pitch_class >= 0],
            weights=np.sqrt(self._power[self._pitch_class >= 0]),
            minlength=12,
        )
        if not math.isfinite(chroma.sum()) or chroma.std() <= 0:
            return 0.0
        fits = [
            max(float(np.corrcoef(np.roll(profile, shift), chroma)[0, 1]) for shift in range(12))
            for profile in (MAJOR_PROFILE, MINOR_PROFILE)
        ]
        return fits[0] - fits[1]

    def _curve(self) -> Floats:
        return np.concatenate(self._flux) if self._flux else np.zeros(0)


def _pitch_classes(hertz: Floats) -> NDArray[np.int64]:
    """Pitch class of each bin between 200 Hz and 2.5 kHz, -1 elsewhere."""
    classes = np.full(len(hertz), -1)
    used = (hertz > 200) & (hertz < 2500)
    classes[used] = np.round(12 * np.log2(hertz[used] / 440.0) + 9).astype(int) % 12
    return classes
