"""The whole inference side as one pure object: a chunk in, readings out. No I/O, no clock of its own."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from acquisition.signal import EegChunk, FloatArray, Gap, StreamInfo
from inference.baseline import Baseline
from inference.emotion import Affect, BaselineProgress, EmotionState, Estimate, Reading
from inference.features import FeatureExtractor, schema_named
from inference.front_end import FrontEnd, Mains, ReadyWindow
from inference.port import Classifier
from inference.quality import judge_window
from inference.rest import RestCollector
from inference.settle import Settler, SettleSettings

Stopwatch = Callable[[], float]


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """How windows are cut, how long the wearer rests, and how states settle."""

    window_s: float = 2.0
    hop_s: float = 0.5
    model_rate_hz: float = 128.0
    baseline_s: float = 60.0
    mains_hz: Mains = 50.0
    temperature: float = 1.0
    population_scale: FloatArray | None = None
    population_centre: FloatArray | None = None
    settle: SettleSettings = field(default_factory=SettleSettings)


class Pipeline:
    """From chunks to settled emotion states, for one stream and one classifier.

    ``channels`` names the rows of the stream that the classifier's channels are read from, in its order.
    With ``baseline`` given, or ``baseline_s`` of 0, no rest is asked for.
    """

    def __init__(
        self,
        info: StreamInfo,
        classifier: Classifier,
        settings: PipelineSettings,
        baseline: Baseline | None = None,
        *,
        channels: tuple[str, ...] | None = None,
        stopwatch: Stopwatch = time.perf_counter,
    ) -> None:
        self._info, self._settings, self._stopwatch = info, settings, stopwatch
        wanted = channels if channels is not None else classifier.channels
        self._rows = [info.channels.index(name) for name in wanted]
        self._channels = wanted
        self._front = FrontEnd(info.rate_hz, len(wanted), settings)
        self._classifier = classifier
        schema = schema_named(classifier.feature_schema)
        self._extract = FeatureExtractor(schema, classifier.channels, settings.model_rate_hz)
        self._sequence: deque[FloatArray] = deque(maxlen=classifier.sequence_length)
        self._settler = Settler(settings.settle, settings.hop_s, classifier.model_id)
        self._rest = RestCollector(settings, classifier)
        self.baseline = baseline if baseline is not None else self._rest.without_rest()
        self._latency_ms: dict[str, float] = {}

    @property
    def state(self) -> EmotionState | None:
        return self._settler.state

    def push(self, item: EegChunk | Gap) -> tuple[Reading, ...]:
        """Take what the feed gives; return what it leads to, in order."""
        if isinstance(item, Gap):
            self._front.reset()
            self._sequence.clear()
            return ()
        started = self._stopwatch()
        windows = self._front.push(item.samples_uv[self._rows], item.times_s)
        self._latency_ms = {"filter": 1e3 * (self._stopwatch() - started)}
        readings: list[Reading] = []
        for window in windows:
            readings.extend(self._window(window))
        return tuple(readings)

    def recalibrate(self) -> None:
        """Ask for a new rest; the old baseline is forgotten."""
        self.baseline = None
        self._rest.restart()
        self._settler.restart()
        self._sequence.clear()

    def mark_stale(self, at_s: float) -> EmotionState:
        """The signal has stopped: claim nothing."""
        self._settler.restart()
        return self._settler.say(at_s, "stale")

    def _window(self, window: ReadyWindow) -> list[Reading]:
        clock = self._stopwatch
        begun = clock()
        gate = judge_window(
            self._channels,
            window.filtered_uv,
            window.raw_uv,
            rate_hz=self._settings.model_rate_hz,
            raw_rate_hz=self._info.rate_hz,
            end_s=window.end_s,
            finite=window.finite,
        )
        judged = clock()
        features = self._extract(window.filtered_uv, gate.usable(self._extract.schema.bands))
        extracted = clock()
        self._latency_ms |= {"quality": 1e3 * (judged - begun), "features": 1e3 * (extracted - judged)}
        readings: list[Reading] = [gate.quality]
        if self.baseline is None:
            readings += self._calibrate(window.end_s, features, gate.accepted)
        elif gate.accepted:
            readings += self._estimate(window.end_s, self.baseline.z(features), float(gate.quality.overall))
        else:
            readings.append(self._timed(self._settler.reject(window.end_s)))
        return readings

    def _calibrate(self, at_s: float, features: FloatArray, accepted: bool) -> list[Reading]:
        progress, self.baseline = self._rest.hear(features if accepted else None)
        state = self._settler.say(at_s, "calibrating" if accepted else "unreliable")
        if progress.done:
            self._settler.restart()
        return [progress, self._timed(state)]

    def _estimate(self, at_s: float, z: FloatArray, quality: float) -> list[Reading]:
        started = self._stopwatch()
        self._sequence.append(z)
        while len(self._sequence) < self._classifier.sequence_length:
            self._sequence.appendleft(z)
        probabilities = self._classifier.predict(np.stack(self._sequence))
        classified = self._stopwatch()
        engaged = float(np.clip(probabilities[-1], 1e-6, 1 - 1e-6))
        logit = math.log(engaged / (1 - engaged)) / self._settings.temperature
        state = self._settler.hear(at_s, logit)
        self._latency_ms |= {
            "classify": 1e3 * (classified - started),
            "settle": 1e3 * (self._stopwatch() - classified),
        }
        named = {label: float(p) for label, p in zip(self._classifier.labels, probabilities, strict=True)}
        affect = Affect(None, 2 * engaged - 1)
        confidence = max(engaged, 1 - engaged) * quality
        estimate = Estimate(at_s, named, affect, confidence, state.status, self._classifier.model_id)
        return [estimate, self._timed(state)]

    def _timed(self, state: EmotionState) -> EmotionState:
        return replace(state, latency_ms={name: round(ms, 4) for name, ms in self._latency_ms.items()})


__all__ = ["BaselineProgress", "Pipeline", "PipelineSettings"]
