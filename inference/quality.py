"""Whether a window may be believed: a score per electrode with reasons, and whether the headset is worn.

Thresholds were set on recordings of a Muse headband (good contact, and with an electrode off), an OpenBCI
Cyton and 19-electrode caps; all are of the filtered 1-45 Hz signal unless they say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from acquisition.signal import FloatArray
from inference.emotion import ChannelQuality, QualityReason, SignalQuality
from inference.features import band_power_uv2

FLAT_UV = 0.3
"""Below any living head's 1-45 Hz amplitude (root mean square)."""
LOOSE_UV = (70.0, 140.0)
"""Root mean square where contact begins to be doubtful, and where it is no contact."""
RAIL_UV = 300.0
RAIL_SHARE = 0.02
BLINK_PEAK_UV = 110.0
MUSCLE_SHARE = 0.45
MUSCLE_UV = 12.0
LINE_RATIO = 10.0
GOOD = 0.5
WORN_SHARE = 0.5
FRONTAL = frozenset({"Fp1", "Fp2", "AF7", "AF8", "AF3", "AF4", "F7", "F8", "Fpz", "AFz"})


@dataclass(frozen=True, slots=True)
class GatedWindow:
    """A window's quality, and which channels (n_channels,) may be used: 1.0 or 0.0."""

    quality: SignalQuality
    good: FloatArray

    @property
    def accepted(self) -> bool:
        """At least half of the channels are good."""
        return bool(self.good.mean() >= WORN_SHARE)


def judge_window(
    channels: tuple[str, ...],
    filtered_uv: FloatArray,
    raw_uv: FloatArray,
    *,
    rate_hz: float,
    raw_rate_hz: float,
    end_s: float,
    finite: FloatArray,
) -> GatedWindow:
    """Judge one window.

    ``filtered_uv`` (n_channels, n) is what features are computed from; ``raw_uv`` (n_channels, m) the same
    stretch as the headset gave it; ``finite`` (n_channels,) is 0 where NaN or Inf was replaced.
    """
    rms_uv = filtered_uv.std(axis=1)
    power = band_power_uv2(filtered_uv, rate_hz)
    line = _line_ratio(raw_uv, raw_rate_hz)
    railed = _railed_share(raw_uv)
    judged = tuple(
        _judge_channel(
            channel,
            float(rms_uv[i]),
            float(np.ptp(filtered_uv[i])),
            power[i],
            float(line[i]),
            float(railed[i]),
            bool(finite[i]),
        )
        for i, channel in enumerate(channels)
    )
    good = np.array([float(channel.score >= GOOD) for channel in judged])
    overall = float(np.mean([channel.score for channel in judged]))
    worn = bool(good.mean() >= WORN_SHARE)
    return GatedWindow(SignalQuality(end_s, overall, worn, judged), good)


def _judge_channel(
    channel: str,
    rms_uv: float,
    peak_uv: float,
    power_uv2: FloatArray,
    line: float,
    railed: float,
    finite: bool,
) -> ChannelQuality:
    reasons: list[QualityReason] = []
    score = 1.0
    fast = float(power_uv2[4] / max(power_uv2.sum(), 1e-9))
    slow = float(power_uv2[:2].sum() / max(power_uv2.sum(), 1e-9))
    if not finite:
        reasons.append("not_finite")
        score = 0.0
    if rms_uv < FLAT_UV:
        reasons.append("flat")
        score = 0.0
    if railed > RAIL_SHARE:
        reasons.append("railed")
        score = 0.0
    if rms_uv > LOOSE_UV[0]:
        reasons.append("loose")
        score *= float(np.interp(rms_uv, LOOSE_UV, (0.6, 0.0)))
    elif channel in FRONTAL and peak_uv > BLINK_PEAK_UV and slow > 0.6:
        reasons.append("blink")
        score *= 0.7
    if fast > MUSCLE_SHARE and rms_uv > MUSCLE_UV:
        reasons.append("muscle")
        score *= 0.45
    if line > LINE_RATIO:
        reasons.append("line_noise")
        score *= float(np.interp(line, (LINE_RATIO, 100 * LINE_RATIO), (0.9, 0.4)))
    return ChannelQuality(channel, round(score, 3), tuple(reasons))


def _line_ratio(raw_uv: FloatArray, rate_hz: float) -> FloatArray:
    """Power at 50 or 60 Hz against that of 1-45 Hz, shape (n_channels,)."""
    if rate_hz < 125 or raw_uv.shape[1] < rate_hz / 2:
        return np.zeros(len(raw_uv))
    power = band_power_uv2(raw_uv, rate_hz, ((1.0, 45.0), (48.0, 52.0), (58.0, 62.0)))
    ratio: FloatArray = power[:, 1:].max(axis=1) / np.maximum(power[:, 0], 1e-6)
    return ratio


def _railed_share(raw_uv: FloatArray) -> FloatArray:
    """Share of samples that sit exactly on the window's extreme, where that is far from rest."""
    if raw_uv.shape[1] == 0:
        return np.zeros(len(raw_uv))
    middle = np.median(raw_uv, axis=1, keepdims=True)
    shares = []
    for extreme in (raw_uv.max(axis=1, keepdims=True), raw_uv.min(axis=1, keepdims=True)):
        stuck = (np.abs(raw_uv - extreme) < 1e-9) & (np.abs(extreme) >= RAIL_UV)
        # one sample is always the extreme; a rail is a run of them
        away = (np.abs(extreme - middle) >= RAIL_UV / 2) | (stuck.mean(axis=1, keepdims=True) > 0.5)
        shares.append(np.where((stuck.sum(axis=1) > 2) & away[:, 0], stuck.mean(axis=1), 0.0))
    result: FloatArray = np.maximum(shares[0], shares[1])
    return result
