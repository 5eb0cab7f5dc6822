"""From raw chunks to filtered windows at the model's rate, with the raw stretch kept for the quality gate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from acquisition.signal import BoolArray, FloatArray
from inference.preprocessing.filter_design import group_delay_s
from inference.preprocessing.filters import CascadeFilter, band_sections
from inference.preprocessing.mains import LISTEN_S, find_mains_hz
from inference.preprocessing.resampling import Resampler
from inference.preprocessing.windows import RecentSamples, SlidingWindows

Mains = float | Literal["auto"] | None
"""The mains frequency to notch, ``auto`` to listen for it, or None for no notch."""
USUAL_MAINS_HZ = 50.0
"""Notched while ``auto`` listens, and kept where no hum is heard."""


MOST_UV = 1e6
"""A volt: no headset measures more. Beyond it a number is taken for NaN, or it would ring for minutes."""
REFERENCE_HZ = 10.0
"""Where the group delay is stated: the alpha rhythm."""


class FrontEndSettings(Protocol):
    """What of the settings is used here."""

    @property
    def window_s(self) -> float: ...
    @property
    def hop_s(self) -> float: ...
    @property
    def model_rate_hz(self) -> float: ...
    @property
    def mains_hz(self) -> Mains: ...


@dataclass(frozen=True, slots=True, eq=False)
class ReadyWindow:
    """A window (n_channels, n) for features, the same stretch (n_channels, m) as it came, which channels
    (n_channels,) were finite throughout, 1.0 or 0.0, and the share of samples that were interpolated.
    """

    filtered_uv: FloatArray
    raw_uv: FloatArray
    end_s: float
    finite: FloatArray
    lost_share: float = 0.0


class FrontEnd:
    """Resample, filter and cut. NaN, Inf and more than a volt are held at the last good value and
    marked.

    With ``mains_hz`` of ``auto`` the first unbroken seconds are listened to, once; a notch at another
    frequency then takes over, and windows begin anew, at a sample that no chunk size can move.
    """

    def __init__(self, rate_hz: float, n_channels: int, settings: FrontEndSettings) -> None:
        self._rate_hz, self._n_channels, self._settings = rate_hz, n_channels, settings
        model_rate_hz = settings.model_rate_hz
        self._listen = round(LISTEN_S * rate_hz) if settings.mains_hz == "auto" else 0
        self._heard = 0
        self.mains_hz = USUAL_MAINS_HZ if settings.mains_hz == "auto" else settings.mains_hz
        self._resampler = Resampler(rate_hz, model_rate_hz, n_channels)
        self._filter = CascadeFilter(band_sections(model_rate_hz, self.mains_hz), n_channels)
        self._windows = SlidingWindows(
            n_channels, round(settings.window_s * model_rate_hz), round(settings.hop_s * model_rate_hz)
        )
        self._raw_length = round(settings.window_s * rate_hz)
        self._recent: RecentSamples
        self._last: FloatArray
        self._forget()

    @property
    def wait_ms(self) -> float:
        """What the resampler waits for after a window's last sample."""
        return 1e3 * self._resampler.wait_s

    @property
    def signal_delay_ms(self) -> float:
        """How much later than in the head an alpha wave stands in a window: the group delay of the causal
        filters at 10 Hz, and the resampler's wait.
        """
        rate_hz = self._settings.model_rate_hz
        band_s = group_delay_s(self._filter.sections, REFERENCE_HZ, rate_hz)
        return 1e3 * (band_s + self._resampler.group_delay_s(REFERENCE_HZ)) + self.wait_ms

    def push(
        self, samples_uv: FloatArray, times_s: FloatArray, lost: BoolArray | None = None
    ) -> Iterator[ReadyWindow]:
        """Yield every window these samples complete. ``lost`` (n_samples,) marks interpolated ones."""
        if lost is None:
            lost = np.zeros(len(times_s), dtype=np.bool_)
        before = self._listen - self._heard
        if 0 < before <= samples_uv.shape[1]:
            yield from self._push(samples_uv[:, :before], times_s[:before], lost[:before])
            self._choose_notch()
            samples_uv, times_s, lost = samples_uv[:, before:], times_s[before:], lost[before:]
        yield from self._push(samples_uv, times_s, lost)

    def _push(self, samples_uv: FloatArray, times_s: FloatArray, lost: BoolArray) -> Iterator[ReadyWindow]:
        self._heard += samples_uv.shape[1]
        clean = self._hold(samples_uv)
        self._recent.push(samples_uv, times_s, lost)
        resampled, at_s = self._resampler.process(clean, times_s)
        ready = list(self._windows.push(self._filter.process(resampled), at_s))
        for window in ready:
            raw, lost_share = self._recent.until(window.end_s + 0.5 / self._rate_hz, self._raw_length)
            credible = np.abs(raw) <= MOST_UV
            finite: FloatArray = np.asarray(credible.all(axis=1), dtype=np.float64)
            shown = raw if finite.all() else np.where(credible, raw, 0.0)
            yield ReadyWindow(window.samples_uv, shown, window.end_s, finite, lost_share)

    def _choose_notch(self) -> None:
        heard_uv, _ = self._recent.until(np.inf, self._listen)
        found_hz = find_mains_hz(heard_uv, self._rate_hz)
        self._listen = 0
        if found_hz is None or found_hz == self.mains_hz:
            return
        self.mains_hz = found_hz
        sections = band_sections(self._settings.model_rate_hz, found_hz)
        self._filter = CascadeFilter(sections, self._n_channels)
        self._windows.reset()

    def reset(self) -> None:
        """Begin anew, as after a gap."""
        self._resampler.reset()
        self._filter.reset()
        self._windows.reset()
        self._forget()

    def _forget(self) -> None:
        keep = max(self._raw_length + round(self._rate_hz), self._listen)
        self._recent = RecentSamples(self._n_channels, keep)
        self._heard = 0
        self._last = np.zeros(self._n_channels)

    def _hold(self, samples_uv: FloatArray) -> FloatArray:
        finite = np.abs(samples_uv) <= MOST_UV
        if not finite.all():
            samples_uv = samples_uv.copy()
            for row in range(self._n_channels):
                last = self._last[row]
                for column in np.flatnonzero(~finite[row]):
                    before = samples_uv[row, column - 1] if column else last
                    samples_uv[row, column] = before
        if samples_uv.shape[1]:
            self._last = samples_uv[:, -1]
        return samples_uv
