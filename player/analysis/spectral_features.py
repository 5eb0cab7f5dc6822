"""What the spectrum says of a track's liveliness, frame by frame in bounded memory: plain numpy."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from player.analysis.track_measures import MoodFeatures

Block = NDArray[np.float32]
Floats = NDArray[np.float64]

FRAME = 2048
HOP = 1024
HIGH_HZ = 4_000.0
COMPRESSION = 100.0
BANDS = 40
HIGHEST_HZ = 16_000.0
HEARD_LUFS = -18.0
"""Every track is brought to this loudness as it is played, so arousal is told from how it sounds then."""
FAINTEST_LUFS = -60.0
FAINTEST_ONSET = 0.02
"""A rise of the flux curve below this is the beating of held tones, not a stroke."""
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
        self._power = np.zeros(len(self._hertz))
        self._to_bands = _mel_bands(self._hertz)
        self._bands: list[Block] = []
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
        power = np.square(np.abs(np.fft.rfft(frames * self._window, axis=1)).astype(np.float32) * (2 / FRAME))
        self._power += power.sum(axis=0, dtype=np.float64)
        self._bands.append(power @ self._to_bands)

    def features(self, loudness_lufs: float | None) -> MoodFeatures:
        """What a mood is guessed from, as if the track were as loud as it is played."""
        curve = self._flux_curve(loudness_lufs)
        return MoodFeatures(
            flux=float(curve.mean()) if len(curve) else 0.0,
            onset_rate_hz=self._onset_rate_hz(curve),
            high_share=self._high_share() if loudness_lufs is not None else 0.0,
            centroid_hz=self._centroid_hz(),
            majorness=self._majorness(),
        )

    def _flux_curve(self, loudness_lufs: float | None) -> Floats:
        """Mean rise of the log-compressed bands from frame to frame (Bello et al. 2005), at one loudness."""
        if loudness_lufs is None or not self._bands:
            return np.zeros(0)
        # what is softer than this is the hiss of a room, not music that somebody turned down
        gain_db = HEARD_LUFS - max(loudness_lufs, FAINTEST_LUFS)
        heard = np.sqrt(np.concatenate(self._bands)) * (COMPRESSION * 10 ** (gain_db / 20))
        rise = np.diff(np.log1p(heard), axis=0, prepend=0)
        curve: Floats = np.maximum(rise, 0).mean(axis=1).astype(np.float64)
        return curve

    def _onset_rate_hz(self, curve: Floats) -> float:
        """Peaks of the flux curve that stand out of their neighbourhood, per second."""
        if len(curve) < 32:
            return 0.0
        local = np.convolve(curve, np.full(21, 1 / 21), mode="same")
        inner = curve[1:-1]
        above = np.maximum(1.4 * local[1:-1] + 0.25 * curve.mean(), FAINTEST_ONSET)
        peaks = (inner > curve[:-2]) & (inner >= curve[2:]) & (inner > above)
        return float(peaks.sum() * self._rate_hz / HOP / len(curve))

    def _high_share(self) -> float:
        """Share of the energy above 4 kHz, 0..1."""
        total = self._power.sum()
        return float(self._power[self._hertz > HIGH_HZ].sum() / total) if total > 0 else 0.0

    def _centroid_hz(self) -> float:
        """Centre of the power spectrum in Hz."""
        total = self._power.sum()
        return float((self._power * self._hertz).sum() / total) if total > 0 else 0.0

    def _majorness(self) -> float:
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


def _mel_bands(hertz: Floats) -> Block:
    """Overlapping triangles, evenly spread over the mel scale, shape (n_bins, n_bands)."""
    mel = np.linspace(0, 2595 * math.log10(1 + HIGHEST_HZ / 700), BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    rising = (hertz[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - hertz[:, None]) / np.diff(edges)[1:]
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def _pitch_classes(hertz: Floats) -> NDArray[np.int64]:
    """Pitch class of each bin between 200 Hz and 2.5 kHz, -1 elsewhere."""
    classes = np.full(len(hertz), -1)
    used = (hertz > 200) & (hertz < 2500)
    classes[used] = np.round(12 * np.log2(hertz[used] / 440.0) + 9).astype(int) % 12
    return classes
