"""Fault F18: an engine too slow for good. The newest window wins, no sample is left out, a replay agrees.

Everything runs on a clock that a test moves: what a window costs is what its classifier adds to the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acquisition.headsets.simulated_source import SimulatedSource
from acquisition.isolation.isolated_source import IsolatedSource
from acquisition.recording.session_recorder import SessionRecorder
from acquisition.signal import EegChunk, FloatArray, Gap, HeadsetStatus, StreamInfo
from acquisition.stream.feed import Feed
from daemon.engine.prepared import PreparedPipeline
from daemon.recording.lines import prepared_words, write_reading
from daemon.recording.session_replay import SessionReplay
from daemon.settings import Settings
from inference.classification.band_power_classifier import BandPowerClassifier
from inference.emotion import Estimate, LeftOut, ModelId
from inference.load_shedding import LatestWins
from inference.pipeline import Pipeline, PipelineSettings, TooLate
from support.moved_clock import MovedClock
from support.waiting import wait_until

MUSE = ("TP9", "AF7", "AF8", "TP10")
HOP_S = 0.5
MINUTES = 2


class _Slow:
    """The band-power rule, for whose answer the machine needs ``costs_s``."""

    labels, sequence_length = BandPowerClassifier.labels, 1

    def __init__(self, clock: MovedClock, costs_s: float) -> None:
        self._rule, self._clock, self.costs_s = BandPowerClassifier(MUSE), clock, costs_s
        self.channels, self.feature_schema = self._rule.channels, self._rule.feature_schema
        self.model_id: ModelId = self._rule.model_id

    def predict(self, features: FloatArray) -> FloatArray:
        self._clock.now_s += self.costs_s
        return self._rule.predict(features)

    def close(self) -> None:
        pass


def _pipeline(clock: MovedClock, costs_s: float, too_late: TooLate) -> Pipeline:
    info = StreamInfo("simulated", "simulated wearer", MUSE, 256.0)
    settings = PipelineSettings(baseline_s=10.0, mains_hz="auto")
    return Pipeline(info, _Slow(clock, costs_s), settings, too_late=too_late)


class _Engine:
    """A feed and a pipeline, as the engine runs them, on a clock of their own."""

    def __init__(self, costs_s: float, *, rule: bool = True, recording: Path | None = None) -> None:
        self.clock = clock = MovedClock()
        self._began_s = clock()
        self.feed = Feed(
            lambda: SimulatedSource(clock=clock, sleep=clock.sleep), clock=clock, sleep=clock.sleep
        )
        self.latest = LatestWins(self.feed.late_s, clock)
        self.pipeline = _pipeline(clock, costs_s, self.latest if rule else lambda _end_s: False)
        self.recorder = (
            SessionRecorder(recording, "2026-01-01T00:00:00Z", {}, on_news=lambda _: None)
            if recording
            else None
        )
        self._words = prepared_words(
            PreparedPipeline(pipeline=self.pipeline, model=self.pipeline.model_id, baseline_s=10.0),
            first=True,
        )
        self.ages_s: list[float] = []
        self.times_s: list[FloatArray] = []
        self.left_out = 0

    def live(self, seconds: float) -> None:
        """Until the clock has gone on for so long."""
        until_s = self.clock() + seconds
        while self.clock() < until_s:
            for item in self.feed.step():
                self._push(item)

    def _push(self, item: HeadsetStatus | EegChunk | Gap) -> None:
        if self.recorder is not None:
            self.recorder.on_item(item)
        if isinstance(item, HeadsetStatus):
            if self.recorder is not None and item.info is not None and item.state == "connecting":
                self.recorder.event("prepared", self._words)
            return
        if isinstance(item, EegChunk):
            self.times_s.append(item.times_s)
        for reading in self.pipeline.push(item):
            if self.recorder is not None:
                write_reading(self.recorder, reading)
            self.left_out += isinstance(reading, LeftOut)
            if isinstance(reading, Estimate):
                self.ages_s.append(self.clock() - self._began_s - reading.at_s)


@pytest.mark.parametrize("costs_s", [0.8, 3.0])
def test_f18_a_window_that_costs_more_than_its_hop_leaves_out_old_ones_and_no_sample(costs_s: float) -> None:
    engine = _Engine(costs_s)
    engine.live(60.0 * MINUTES)
    assert engine.left_out == engine.latest.left_out > 20
    assert max(engine.ages_s) < 4.0 + 4 * costs_s
    assert max(engine.ages_s[20:]) < 1.5 + costs_s, "once it is known, the newest is read"
    assert len(engine.ages_s) > 60.0 * MINUTES / costs_s / 3, "and states are said all the time"
    times_s = np.concatenate(engine.times_s)
    assert np.diff(times_s) == pytest.approx(1 / 256.0, rel=0.05), "no hole, and nothing twice"
    without = _Engine(costs_s, rule=False)
    without.live(60.0 * MINUTES)
    assert without.ages_s[-1] > 30.0, "this is what it is for"


def test_f18_an_engine_that_is_quick_enough_leaves_nothing_out_whatever_holds_it_up() -> None:
    engine = _Engine(0.02)
    engine.live(20.0)
    for stop_s in (
        4.5,
        0.5,
        0.5,
        4.5,
        30.0,
        4.5,
    ):  # the longest is taken for sleep: the source is opened anew
        engine.clock.now_s += stop_s
        engine.live(3.0)
    assert engine.left_out == 0
    assert engine.latest.now_late_s < HOP_S


def test_f18_a_session_that_left_windows_out_is_replayed_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "late.xdf"
    engine = _Engine(0.8, recording=path)
    engine.live(60.0)
    assert engine.left_out > 5
    assert engine.recorder is not None
    engine.recorder.close()

    def make(_settings: Settings, too_late: TooLate) -> Callable[[StreamInfo], PreparedPipeline]:
        quick = _pipeline(MovedClock(), 0.0, too_late)
        return lambda _info: PreparedPipeline(pipeline=quick, model=quick.model_id, baseline_s=10.0)

    replay = SessionReplay(path, make)
    replayed = list(replay.run())
    assert len(replayed) > 40
    assert [one for one in replayed if not one.same] == []
    assert replay.problems == []
    every: Any = SessionReplay(path, lambda settings, _too_late: make(settings, lambda _end_s: False))
    assert not all(one.same for one in every.run()), "the windows left out are what makes them the same"


class _Burst:
    """A radio link that brings a second and a half of samples at once, or holds all back for seconds."""

    def __init__(self, clock: MovedClock) -> None:
        self._clock, self.delay_s = clock, 0.0

    def open(self) -> StreamInfo:
        self._sent, self._begin_s = 0, self._clock()
        return StreamInfo("burst", "burst", MUSE, 256.0, identity="burst")

    def _due(self) -> int:
        return int((self._clock() - self._begin_s - self.delay_s) / 1.5) * 384

    def waiting(self) -> bool:
        return self._due() > self._sent

    def poll(self, timeout_s: float) -> EegChunk | None:
        begin = self._sent
        if not self.waiting():
            self._clock.sleep(timeout_s)
        if self._due() <= begin:
            return None
        self._sent = begin + 384
        return EegChunk(np.ones((4, 384)), (begin + np.arange(384)) / 256.0)

    def close(self) -> None:
        pass


def test_f18_a_slow_radio_link_is_no_lateness_of_the_engine() -> None:
    clock = MovedClock()
    source = _Burst(clock)
    feed = Feed(lambda: source, clock=clock, sleep=clock.sleep)
    rule = LatestWins(feed.late_s, clock)
    asked = 0
    for delay_s in (0.0, 1.9, 3.8, 5.7):  # the link falls further and further behind, and stays there
        source.delay_s = delay_s
        until_s = clock() + 30.0
        while clock() < until_s:
            for item in feed.step():
                if isinstance(item, EegChunk):
                    for end_s in item.times_s[127::128]:
                        asked += 1
                        assert not rule(float(end_s))
    assert asked > 200


def test_what_waits_in_the_process_of_a_driver_is_known() -> None:
    source = IsolatedSource(SimulatedSource)
    try:
        source.open()
        wait_until(source.waiting, "a chunk has come")
        while source.waiting():
            source.poll(0.0)
        wait_until(source.waiting, "and the next")
    finally:
        source.close()
    assert not source.waiting()
