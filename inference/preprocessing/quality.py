"""Whether a window may be believed: a score per electrode with reasons, and whether the headset is worn.

Thresholds were set on recordings of a Muse headband (good contact, and with an electrode off), an OpenBCI
Cyton and 19-electrode caps; all are of the filtered 1-45 Hz signal unless they say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from acquisition.signal import FloatArray
from inference.emotion import NO_HEAD, ChannelQuality, QualityReason, SignalQuality
from inference.features.spectrum import Bands, Spectrum, band_power_of, spectrum_of

FLAT_UV = 0.3
"""Below any living head's 1-45 Hz amplitude (root mean square)."""
LOOSE_UV = (70.0, 140.0)
"""Root mean square where contact begins to be doubtful, and where it is no contact."""
MAD_TO_SD = 1.4826
RAIL_UV = 300.0
RAIL_SHARE = 0.02
BLINK_PEAK_UV = 110.0
BLINK_SLOW_SHARE = 0.6
BLINK_UP_TO_HZ = 8.0
"""Bands that lie below are masked on a frontal channel with a blink: that is where its energy is."""
MUSCLE_SHARE = 0.45
MUSCLE_UV = 12.0
LINE_RATIO = 10.0
LINE_BANDS: Bands = ((1.0, 45.0), (48.0, 52.0), (58.0, 62.0))
GOOD = 0.5
WORN_SHARE = 0.5
LOST_SHARE = 0.2
"""With more than this share of samples interpolated a window says more about the link than the wearer."""
FRONTAL = frozenset({"Fp1", "Fp2", "AF7", "AF8", "AF3", "AF4", "F7", "F8", "Fpz", "AFz"})


@dataclass(frozen=True, slots=True, eq=False)
class GatedWindow:
    """A window's quality; which channels (n_channels,) may be used, 1.0 or 0.0; and which show a blink."""

    quality: SignalQuality
    good: FloatArray
    blink: FloatArray

    @property
    def accepted(self) -> bool:
        """At least half of the channels are good."""
        return bool(self.good.mean() >= WORN_SHARE)

    def usable(self, bands: Bands) -> FloatArray:
        """What features may be computed from, (n_channels, n_bands): bad channels are 0 throughout, and
        frontal ones with a blink are 0 in the bands below 8 Hz.
        """
        slow = np.array([float(high <= BLINK_UP_TO_HZ) for _, high in bands])
        usable: FloatArray = self.good[:, np.newaxis] * (1 - np.outer(self.blink, slow))
        return usable


@dataclass(frozen=True, slots=True, eq=False)
class _Measures:
    """What is measured of one channel of one window: amplitudes, power by band (5,), hum against signal, the
    share of samples on a rail, and whether all were numbers.
    """

    contact_uv: float
    rms_uv: float
    peak_uv: float
    power_uv2: FloatArray
    line: float
    railed: float
    finite: bool


def judge_window(
    channels: tuple[str, ...],
    spectrum: Spectrum,
    raw_uv: FloatArray,
    *,
    raw_rate_hz: float,
    end_s: float,
    finite: FloatArray,
    lost_share: float = 0.0,
) -> GatedWindow:
    """Judge one window.

    ``spectrum`` holds the filtered samples that features are computed from; ``raw_uv`` (n_channels, m) the
    same stretch as the headset gave it; ``finite`` (n_channels,) is 0 where NaN or Inf was replaced;
    ``lost_share`` is the share of samples that never came and were interpolated.
    """
    filtered_uv = spectrum.samples_uv
    rms_uv, peak_uv = filtered_uv.std(axis=1), np.ptp(filtered_uv, axis=1)
    power = band_power_of(spectrum)
    line = _line_ratio(raw_uv, raw_rate_hz)
    railed = _railed_share(raw_uv)
    # most channels of most windows are beyond suspicion: only the others are looked at one by one
    suspect = (rms_uv < FLAT_UV) | (rms_uv > MUSCLE_UV) | (peak_uv > BLINK_PEAK_UV)
    suspect |= (line > LINE_RATIO) | (railed > RAIL_SHARE) | (finite == 0)
    judged = tuple(
        _judge_channel(
            channel,
            _Measures(
                _contact_uv(channel, float(rms_uv[i]), filtered_uv[i], power[i]),
                float(rms_uv[i]),
                float(peak_uv[i]),
                power[i],
                float(line[i]),
                float(railed[i]),
                bool(finite[i]),
            ),
        )
        if suspect[i]
        else ChannelQuality(channel, 1.0)
        for i, channel in enumerate(channels)
    )
    if lost_share > 0:
        judged = tuple(_with_loss(channel, lost_share) for channel in judged)
    good = np.array([float(channel.score >= GOOD) for channel in judged])
    overall = float(np.mean([channel.score for channel in judged]))
    blink = np.array([float("blink" in channel.reasons) for channel in judged])
    worn = bool(good.mean() >= WORN_SHARE)
    return GatedWindow(SignalQuality(end_s, overall, worn, judged), good, blink)


def refused_quality(quality: SignalQuality, reason: QualityReason) -> SignalQuality:
    """Nothing of a window is believed, for one reason that all of its electrodes share."""
    channels = tuple(ChannelQuality(c.channel, 0.0, (*c.reasons, reason)) for c in quality.channels)
    return replace(quality, overall=0.0, worn=reason not in NO_HEAD, channels=channels, eyes="unknown")


def _with_loss(channel: ChannelQuality, lost_share: float) -> ChannelQuality:
    """Flagged while little is missing, refused above ``LOST_SHARE``."""
    score = 0.0 if lost_share > LOST_SHARE else channel.score * (1 - lost_share)
    return ChannelQuality(channel.channel, round(score, 3), (*channel.reasons, "lost"))


def _contact_uv(channel: str, rms_uv: float, filtered_uv: FloatArray, power_uv2: FloatArray) -> float:
    """The amplitude that tells of contact. Blinks are large but brief, so they are left out of it on the
    forehead (median absolute deviation in the place of the root mean square).
    """
    if rms_uv <= LOOSE_UV[0] or channel not in FRONTAL or _slow_share(power_uv2) <= BLINK_SLOW_SHARE:
        return rms_uv
    return MAD_TO_SD * float(np.median(np.abs(filtered_uv)))


def _slow_share(power_uv2: FloatArray) -> float:
    return float(power_uv2[:2].sum() / max(power_uv2.sum(), 1e-9))


def _judge_channel(channel: str, of: _Measures) -> ChannelQuality:
    reasons: list[QualityReason] = []
    score = 1.0
    fast = float(of.power_uv2[4] / max(of.power_uv2.sum(), 1e-9))
    if not of.finite:
        reasons.append("not_finite")
        score = 0.0
    if of.rms_uv < FLAT_UV:
        reasons.append("flat")
        score = 0.0
    if of.railed > RAIL_SHARE:
        reasons.append("railed")
        score = 0.0
    if of.contact_uv > LOOSE_UV[0]:
        reasons.append("loose")
        score *= float(np.interp(of.contact_uv, LOOSE_UV, (0.6, 0.0)))
    elif channel in FRONTAL and of.peak_uv > BLINK_PEAK_UV and _slow_share(of.power_uv2) > BLINK_SLOW_SHARE:
        reasons.append("blink")
        score *= 0.7
    if fast > MUSCLE_SHARE and of.rms_uv > MUSCLE_UV:
        reasons.append("muscle")
        score *= 0.45
    if of.line > LINE_RATIO:
        reasons.append("line_noise")
        score *= float(np.interp(of.line, (LINE_RATIO, 100 * LINE_RATIO), (0.9, 0.4)))
    return ChannelQuality(channel, round(score, 3), tuple(reasons))


def _line_ratio(raw_uv: FloatArray, rate_hz: float) -> FloatArray:
    """Power at 50 or 60 Hz against that of 1-45 Hz, shape (n_channels,)."""
    if rate_hz < 125 or raw_uv.shape[1] < rate_hz / 2:
        return np.zeros(len(raw_uv))
    power = band_power_of(spectrum_of(raw_uv, rate_hz), LINE_BANDS)
    ratio: FloatArray = power[:, 1:].max(axis=1) / np.maximum(power[:, 0], 1e-6)
    return ratio


def _railed_share(raw_uv: FloatArray) -> FloatArray:
    """Share of samples that sit exactly on the window's extreme, where that is far from rest."""
    shares: FloatArray = np.zeros(len(raw_uv))
    if raw_uv.shape[1] == 0:
        return shares
    for extreme in (raw_uv.max(axis=1), raw_uv.min(axis=1)):
        for row in np.flatnonzero(np.abs(extreme) >= RAIL_UV):
            stuck = int((np.abs(raw_uv[row] - extreme[row]) < 1e-9).sum())
            share = stuck / raw_uv.shape[1]
            if stuck <= 2:  # one sample is always the extreme; a rail is a run of them
                continue
            if share > 0.5 or abs(extreme[row] - np.median(raw_uv[row])) >= RAIL_UV / 2:
                shares[row] = max(shares[row], share)
    return shares
