"""The whole inference side as one pure object: a chunk in, readings out. No I/O, no clock of its own."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from acquisition.signal import EegChunk, FloatArray, Gap, StreamInfo
from inference.baseline.baseline import Baseline
from inference.baseline.guided_rest import RestCollector
from inference.baseline.keeper import BaselineKeeper
from inference.classification.smoothing import Settler, SettleSettings
from inference.classification.valence import ValenceReader
from inference.classification.with_fallback import ClassifierWithFallback
from inference.emotion import Affect, BaselineProgress, EmotionState, Estimate, LeftOut, ModelId, Reading
from inference.port import Classifier
from inference.preprocessing.eyes import EyesCount
from inference.preprocessing.front_end import FrontEnd, Mains, ReadyWindow
from inference.preprocessing.mains import find_mains_hz
from inference.window_reader import WindowRead, WindowReader

Stopwatch = Callable[[], float]
TooLate = Callable[[float], bool]
"""Whether the window that ends at this stream time is to be left out (``latest_wins``)."""


def never_too_late(end_s: float) -> bool:
    """Every window is read."""
    return False


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """How windows are cut, how long the wearer rests, and how states settle.

    ``population_scale`` and ``population_centre`` (n_features,) are those of rest over people.
    """

    window_s: float = 2.0
    hop_s: float = 0.5
    model_rate_hz: float = 128.0
    baseline_s: float = 60.0
    mains_hz: Mains = 50.0
    temperature: float = 1.0
    population_scale: FloatArray | None = None
    population_centre: FloatArray | None = None
    refresh_s: float = 900.0
    """Time constant with which trusted rest moves the baseline; 0 leaves it as it was measured."""
    settle: SettleSettings = field(default_factory=SettleSettings)


class Pipeline:
    """From chunks to settled emotion states, for one stream and one classifier.

    ``channels`` names the rows of the stream that the classifier's channels are read from, in its order.
    With ``baseline`` given, or ``baseline_s`` of 0, no rest is asked for; a ``stored`` baseline is first
    held against ten seconds of signal, and a new rest is asked for where they differ. ``fallback`` takes
    over, with the same features and baseline, when the classifier gives no usable answer. ``valence`` is the
    wearer's own, where there is one that beats chance; without it valence is null throughout. ``too_late``
    names windows that are not read, the samples of which only pass the filters.
    """

    def __init__(
        self,
        info: StreamInfo,
        classifier: Classifier,
        settings: PipelineSettings,
        baseline: Baseline | None = None,
        *,
        channels: tuple[str, ...] | None = None,
        stored: bool = False,
        fallback: Classifier | None = None,
        valence: ValenceReader | None = None,
        too_late: TooLate = never_too_late,
        stopwatch: Stopwatch = time.perf_counter,
    ) -> None:
        self._info, self._settings, self._stopwatch = info, settings, stopwatch
        wanted = channels if channels is not None else classifier.channels
        missing = [name for name in wanted if name not in info.channels]
        if missing:
            raise ValueError(f"the stream has {', '.join(info.channels)}: {', '.join(missing)} missing")
        self._rows = [info.channels.index(name) for name in wanted]
        self._front = FrontEnd(info.rate_hz, len(wanted), settings)
        self._reader = WindowReader(
            classifier.feature_schema,
            classifier.channels,
            info.rate_hz,
            settings.model_rate_hz,
            electrodes=wanted,
            stopwatch=stopwatch,
        )
        self._valence, self._too_late = valence, too_late
        self._mind = ClassifierWithFallback(classifier, fallback, settings.temperature)
        self._settler = Settler(settings.settle, settings.hop_s, classifier.model_id)
        self._rest = RestCollector(settings, classifier)
        self._rest_eyes = EyesCount()
        given = baseline if baseline is not None else self._rest.without_rest()
        self._keeper = BaselineKeeper(settings, given, stored=stored and baseline is not None)
        self._delay = (self._front.mains_hz, self._front.signal_delay_ms)
        self._latency_ms: dict[str, float] = {}
        self._warm_up()
        self.stored_refused = False
        """The stored baseline did not agree with the signal, so a new rest was asked for."""

    @property
    def state(self) -> EmotionState | None:
        return self._settler.state

    @property
    def baseline(self) -> Baseline | None:
        """The wearer's rest as it was measured; None while it is still asked for."""
        return self._keeper.rest

    @property
    def valence(self) -> ValenceReader | None:
        """What reads valence; None while it stays unknown."""
        return self._valence

    @property
    def model_id(self) -> ModelId:
        return self._mind.model_id

    @property
    def trouble(self) -> str:
        """Why the fallback has taken over, in words; empty while the classifier answers."""
        return self._mind.trouble

    @property
    def signal_delay_ms(self) -> float:
        """Delay of the causal filters and the resampler, as each state tells it."""
        if self._delay[0] != self._front.mains_hz:
            self._delay = (self._front.mains_hz, self._front.signal_delay_ms)
        return self._delay[1]

    @property
    def mains_hz(self) -> float | None:
        return self._front.mains_hz

    @property
    def dwell_s(self) -> float:
        """How long a settled emotion is held before another may follow, in seconds."""
        return self._settler.dwell_s

    @dwell_s.setter
    def dwell_s(self, seconds: float) -> None:
        self._settler.dwell_s = seconds

    def push(self, item: EegChunk | Gap) -> tuple[Reading, ...]:
        """Take what the feed gives; return what it leads to, in order.

        Raises ``ValueError`` for a chunk with other rows than the stream has channels.
        """
        if isinstance(item, Gap):
            if item.bridged:
                return ()
            self._front.reset()
            self._forget()
            return ()
        samples_uv = item.samples_uv
        if samples_uv.ndim != 2 or samples_uv.shape != (len(self._info.channels), len(item.times_s)):
            raise ValueError(
                f"a chunk must be ({len(self._info.channels)} channels, {len(item.times_s)} times), "
                f"got {samples_uv.shape}"
            )
        started = self._stopwatch()
        windows = list(self._front.push(samples_uv[self._rows], item.times_s, item.interpolated))
        if not windows:
            return ()
        filtered = 1e3 * (self._stopwatch() - started)
        self._latency_ms = {"signal_delay": self.signal_delay_ms, "filter": filtered}
        readings: list[Reading] = []
        for window in windows:
            self._window(window, readings)
        return tuple(readings)

    def recalibrate(self) -> None:
        """Ask for a new rest; the old baseline is forgotten."""
        self._keeper.replace(None)
        self._rest.restart()
        self._rest_eyes = EyesCount()
        self._settler.restart()
        self._forget()

    def use_valence(self, valence: ValenceReader | None) -> None:
        """Read valence by another calibration of the wearer's from the next window on, or by none."""
        self._valence = valence

    def use(self, classifier: Classifier, temperature: float = 1.0) -> None:
        """Swap the classifier between two windows; baseline, filters and window go on.

        Raises ``ClassifierError`` for one that reads other electrodes or another feature layout.
        """
        self._mind.use(classifier, temperature)
        self._settler.use(classifier.model_id)
        self._settler.restart()

    def mark_stale(self, at_s: float) -> EmotionState:
        """The signal has stopped: claim nothing."""
        self._settler.restart()
        return self._settler.abstain(at_s, "stale")

    def _warm_up(self) -> None:
        """Fill tables and finish imports now: the first window of a process would pay with tens of ms."""
        settings, n = self._settings, len(self._rows)
        filtered, raw = (
            np.zeros((n, round(settings.window_s * rate_hz)))
            for rate_hz in (settings.model_rate_hz, self._info.rate_hz)
        )
        self._reader.read(ReadyWindow(filtered, raw, 0.0, np.ones(n)))
        find_mains_hz(np.zeros((n, round(self._info.rate_hz))), self._info.rate_hz)

    def _forget(self) -> None:
        self._mind.forget()
        if self._valence is not None:
            self._valence.forget()

    def _window(self, window: ReadyWindow, readings: list[Reading]) -> None:
        if self._too_late(window.end_s):
            self._settler.pass_over()
            readings.append(LeftOut(window.end_s))
            return
        read = self._reader.read(window)
        self._latency_ms |= read.latency_ms
        resting = self._keeper.current
        if read.accepted and resting is not None and resting.too_loud(read.features):
            read = read.refused("level")
        readings.append(replace(read.quality, rest_eyes=self._rest_eyes.most))
        if read.accepted and self._keeper.try_window(read.features) == "differs":
            self.stored_refused = True
            self.recalibrate()
        baseline = self._keeper.current
        if baseline is None:
            self._calibrate(read, readings)
        elif read.foreign:
            readings.append(self._timed(self._settler.disown(read.end_s)))
        elif not read.accepted:
            readings.append(self._timed(self._settler.reject(read.end_s)))
        else:
            self._estimate(read, baseline, readings)

    def _calibrate(self, read: WindowRead, readings: list[Reading]) -> None:
        progress, baseline = self._rest.push(read.features if read.accepted else None)
        self._rest_eyes.add(read.quality.eyes)
        state = self._settler.abstain(read.end_s, "calibrating" if read.accepted else "unreliable")
        if baseline is not None:
            self._keeper.replace(baseline)
            self._settler.restart()
        readings += [progress, self._timed(state)]

    def _estimate(self, read: WindowRead, baseline: Baseline, readings: list[Reading]) -> None:
        started = self._stopwatch()
        at_s, quality = read.end_s, read.quality.overall
        z = baseline.z(read.features)
        opinion = self._mind.read(z)
        pleasant = self._valence.logit(z) if self._valence is not None else None
        classified = self._stopwatch()
        if opinion.model != self._settler.model:
            self._settler.use(opinion.model)
            self._settler.restart()
        if self._keeper.on_trial:
            state = self._settler.abstain(at_s, "warming_up")
        else:
            state = self._settler.push(at_s, opinion.logit, pleasant)
            self._keeper.refresh(read.features, quality, state)
        self._latency_ms |= {
            "classify": 1e3 * (classified - started),
            "settle": 1e3 * (self._stopwatch() - classified),
        }
        affect = Affect(None if pleasant is None else math.tanh(pleasant / 2), 2 * opinion.engaged - 1)
        confidence = max(opinion.engaged, 1 - opinion.engaged) * quality
        readings += [
            Estimate(at_s, opinion.probabilities, affect, confidence, state.status, opinion.model),
            self._timed(state),
        ]

    def _timed(self, state: EmotionState) -> EmotionState:
        return replace(state, latency_ms={name: round(ms, 4) for name, ms in self._latency_ms.items()})


__all__ = ["BaselineProgress", "Pipeline", "PipelineSettings"]
