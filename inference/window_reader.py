"""The one way a window is read, live, in training and in scoring: its spectrum, the gates, its features."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from acquisition.signal import FloatArray
from inference.emotion import QualityReason, SignalQuality
from inference.features.schemas import FeatureExtractor, schema_named
from inference.features.spectrum import spectrum_of
from inference.preprocessing.eyes import EyeReader
from inference.preprocessing.front_end import ReadyWindow
from inference.preprocessing.plausibility import Plausibility
from inference.preprocessing.quality import judge_window, refused_quality


@dataclass(frozen=True, slots=True, eq=False)
class WindowRead:
    """``features`` (n_features,), NaN where every electrode is masked; ``accepted`` by the gates or not.
    ``foreign`` is true where contact was good but the last seconds are no head's.
    """

    end_s: float
    features: FloatArray
    quality: SignalQuality
    accepted: bool
    latency_ms: dict[str, float]
    foreign: bool = False

    def refused(self, reason: QualityReason) -> WindowRead:
        """The same window as not to be believed, with contact as good as it is."""
        return replace(self, quality=refused_quality(self.quality, reason), accepted=False)


class WindowReader:
    """For one montage and one stream, whose windows it is given in order.

    ``electrodes`` are what sits where ``channels``, the network's own names, are read.
    """

    def __init__(
        self,
        schema: str,
        channels: Sequence[str],
        raw_rate_hz: float,
        model_rate_hz: float,
        *,
        electrodes: Sequence[str] | None = None,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._extract = FeatureExtractor(schema_named(schema), channels, model_rate_hz)
        self._electrodes = tuple(channels if electrodes is None else electrodes)
        self._plausibility = Plausibility()
        self._eyes = EyeReader(self._electrodes)
        self._raw_rate_hz, self._model_rate_hz, self._stopwatch = raw_rate_hz, model_rate_hz, stopwatch

    def read(self, window: ReadyWindow) -> WindowRead:
        """Judge the window and compute features from what the gate lets through."""
        begun = self._stopwatch()
        spectrum = spectrum_of(window.filtered_uv, self._model_rate_hz)
        gate = judge_window(
            self._electrodes,
            spectrum,
            window.raw_uv,
            raw_rate_hz=self._raw_rate_hz,
            end_s=window.end_s,
            finite=window.finite,
            lost_share=window.lost_share,
        )
        quality = gate.quality
        reason: QualityReason | None = None
        if gate.accepted:
            reason = self._plausibility.judge(spectrum, gate.good, window.end_s)
            quality = replace(quality, eyes=self._eyes.read(spectrum, gate.good, gate.blink, window.end_s))
        judged = self._stopwatch()
        features = self._extract.of(spectrum, gate.usable(self._extract.schema.bands))
        latency_ms = {"quality": 1e3 * (judged - begun), "features": 1e3 * (self._stopwatch() - judged)}
        read = WindowRead(window.end_s, features, quality, gate.accepted, latency_ms)
        return read if reason is None else replace(read.refused(reason), foreign=True)
