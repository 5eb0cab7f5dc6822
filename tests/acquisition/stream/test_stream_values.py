"""The feed by a clock that is turned by hand, and the timeline by value, each border from both sides."""

from __future__ import annotations

import numpy as np
import pytest

from acquisition.port import AbsentError, EegSource, EndOfStream, SourceError
from acquisition.signal import EegChunk, Gap, HeadsetStatus, StreamInfo
from acquisition.stream.arrival import Arrivals
from acquisition.stream.timeline import Timeline
from support.recordings.scripted_feed import INFO, RATE_HZ, Scripted, World


def test_it_is_a_source() -> None:
    source: EegSource = Scripted(World())
    assert source


def test_silence_is_stale_after_two_seconds_and_lost_after_thirty() -> None:
    world = World(reopen_s=(1e9,), slept_s=1e9)
    world.streaming()
    assert world.step(2.0) == []
    assert world.step(0.1) == ["stale no new sample for 2 s"]
    assert world.step(27.9) == []
    assert world.step(0.1) == ["lost no new sample for 30 s"]
    assert world.step(50.0) == []
    (status, chunk) = world.feed.step() if world.step(1.0) else (None, None)
    assert status is chunk is None
    world.next = world.chunk()
    back = world.feed.step()
    assert isinstance(back[0], HeadsetStatus)
    assert (back[0].state, back[0].gap_s) == ("streaming", pytest.approx(81.1))


def test_before_the_first_sample_nothing_is_stale() -> None:
    world = World(reopen_s=(1e9,), slept_s=1e9)
    world.step()
    assert world.step(100.0) == []


def test_a_silent_source_is_opened_anew_later_each_time() -> None:
    world = World(slept_s=1e9, lost_s=1e9, stale_s=1e9)
    world.streaming()
    for limit_s in (4.0, 8.0, 16.0, 30.0, 30.0):
        assert world.step(limit_s) == []
        closes = world.closes
        world.step(0.1)
        assert world.closes == closes + 1
        assert world.step(0.4) == []
        opens = world.opens
        world.step(0.1)
        assert world.opens == opens + 1, "half a second later"
    world.step(then=world.chunk())
    world.step(4.0)
    closes = world.closes
    world.step(0.1)
    assert world.closes == closes + 1, "a sample begins the limits anew"


def test_a_failing_source_is_tried_again_ever_later() -> None:
    world = World(slept_s=1e9)
    world.streaming()
    world.refusal = SourceError("the dongle is gone")
    world.step(then=world.refusal)
    for wait_s in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0):
        slept_s = world.slept_s
        world.step(wait_s - 0.01)
        assert world.slept_s > slept_s, "not yet"
        slept_s = world.slept_s
        world.step(0.01)
        assert world.slept_s == slept_s, "now it is tried"
    world.refusal = None
    world.step(30.0)
    assert world.step(then=world.chunk())[-1] == "10"
    world.step(then=SourceError("again"))
    world.step(0.5)
    assert world.opens == 3, "after a sample the pauses are short again"


def test_one_that_is_not_there_is_looked_for_each_second() -> None:
    world = World(slept_s=1e9)
    world.refusal = AbsentError("no headset is on")
    assert world.step() == []
    for _ in range(3):
        slept_s = world.slept_s
        world.step(0.99)
        assert world.slept_s > slept_s
        slept_s = world.slept_s
        world.step(0.01)
        assert world.slept_s == slept_s


def test_why_nothing_is_open_is_said_once() -> None:
    world = World(slept_s=1e9)
    world.streaming()
    world.step(2.1)
    assert world.step(then=SourceError("out of reach")) == ["stale out of reach"]
    world.refusal = SourceError("out of reach")
    assert world.step(0.5) == []
    world.refusal = SourceError("still out of reach")
    assert world.step(1.0) == ["stale still out of reach"]


@pytest.mark.parametrize(("late_s", "closes"), [(5.0, 0), (5.1, 1)])
def test_a_turn_five_seconds_late_means_that_the_machine_slept(late_s: float, closes: int) -> None:
    world = World(stale_s=1e9, lost_s=1e9, reopen_s=(1e9,))
    world.streaming()
    said = world.step(late_s, world.chunk())
    assert world.closes == closes
    assert said == (["stale this machine or process slept for 5 s"] if closes else ["10"])


def test_how_late_a_sample_is_counts_from_what_is_usual() -> None:
    world = World(slept_s=1e9)
    world.streaming()
    usual_s = world.now_s - 0.1
    world.step(then=world.chunk())  # nothing waited: the sample of 0.1 s is dealt with now
    assert world.feed.late_s(0.1) == pytest.approx(0.0)
    world.now_s += 0.75
    assert world.feed.late_s(0.1) == pytest.approx(world.now_s - 0.1 - usual_s) == pytest.approx(0.75)
    assert world.feed.late_s(5.0) == 0.0
    world.queued = True
    world.step(then=world.chunk())
    assert world.feed.late_s(0.1) == pytest.approx(0.75), "what waited says nothing of what is usual"


def test_rows_that_are_no_channels_are_a_failure() -> None:
    world = World(slept_s=1e9)
    world.streaming()
    world.step(then=world.chunk(rows=3))
    assert world.closes == 1


def test_a_stream_of_another_layout_waits_four_seconds() -> None:
    world = World(slept_s=1e9, stale_s=1e9, lost_s=1e9)
    world.streaming()
    world.step(then=SourceError("gone"))
    world.info = StreamInfo("test", "headset", ("Fz",), RATE_HZ)
    (said,) = world.step(0.5)
    assert said.startswith("incompatible the stream came back as")
    assert ",.." not in said
    assert world.step(3.99) == []
    slept_s = world.slept_s
    assert world.step(0.01) == [], "known already"
    assert world.slept_s == slept_s, "but it was looked at"
    world.info = INFO
    assert world.step(4.0) == [f"gap reconnect {round(8.5 * RATE_HZ)}"]


def test_the_end_is_told() -> None:
    world = World()
    world.streaming()
    assert world.step(then=EndOfStream()) == ["ended the recording has ended"]  # type: ignore[arg-type]


def _pushed(timeline: Timeline, *stamps_s: float, arrived_s: float | None = None) -> list[EegChunk | Gap]:
    times_s = np.array(stamps_s)
    return timeline.push(EegChunk(np.stack([times_s, -times_s]), times_s), arrived_s)


def _steady(modulo: int | None = None) -> Timeline:
    """Seventeen chunks of ten samples on the grid: single holes are seen from here."""
    timeline = Timeline(RATE_HZ, counter_modulo=modulo)
    for first in range(0, 170, 10):
        _pushed(timeline, *((first + np.arange(10)) / RATE_HZ))
    return timeline


@pytest.mark.parametrize(("missing", "bridged"), [(1, True), (25, True), (26, False)])
def test_a_quarter_of_a_second_is_bridged(missing: int, bridged: bool) -> None:
    first = 170 + missing
    items = _pushed(_steady(), *((first + np.arange(10)) / RATE_HZ))
    gap, chunk = items
    assert isinstance(gap, Gap)
    assert isinstance(chunk, EegChunk)
    assert (gap.missing_samples, gap.bridged, gap.reason) == (missing, bridged, "lost")
    assert gap.end_s - gap.start_s == pytest.approx(missing / RATE_HZ)
    assert chunk.times_s[-1] == pytest.approx((first + 9) / RATE_HZ)
    assert len(chunk.times_s) == 10 + (missing if bridged else 0)
    if bridged:
        assert chunk.interpolated is not None
        assert chunk.interpolated.tolist() == [True] * missing + [False] * 10
        assert chunk.samples_uv[0] == pytest.approx((170 + np.arange(10 + missing)) / RATE_HZ)


def test_the_line_follows_two_hundredths_of_what_is_off() -> None:
    timeline = Timeline(RATE_HZ)
    _pushed(timeline, *(np.arange(10) / RATE_HZ))
    (chunk,) = _pushed(timeline, *((10 + np.arange(10)) / RATE_HZ + 0.1))
    assert isinstance(chunk, EegChunk)
    assert chunk.times_s[-1] == pytest.approx(0.19 + 0.02 * 0.1)
    assert np.diff(chunk.times_s) == pytest.approx(0.01 + 0.02 * 0.1 / 10)


@pytest.mark.parametrize(("off_s", "missing"), [(0.14, 0), (0.16, 16)])
def test_beyond_0_15_seconds_samples_are_missing(off_s: float, missing: int) -> None:
    timeline = Timeline(RATE_HZ)
    _pushed(timeline, *(np.arange(10) / RATE_HZ))
    items = _pushed(timeline, *((10 + np.arange(10)) / RATE_HZ + off_s))
    assert sum(item.missing_samples for item in items if isinstance(item, Gap)) == missing


@pytest.mark.parametrize(("by_s", "jumps"), [(29.9, False), (30.2, True), (-0.5, False), (-1.2, True)])
def test_a_clock_that_was_set_is_no_loss(by_s: float, jumps: bool) -> None:
    timeline = _steady()
    items = _pushed(timeline, *((170 + np.arange(10)) / RATE_HZ + by_s))
    assert any(isinstance(item, Gap) and item.reason == "clock_jump" for item in items) == jumps
    if jumps:
        chunk = items[-1]
        assert isinstance(chunk, EegChunk)
        assert chunk.times_s[0] == pytest.approx(1.70, abs=1e-6)


@pytest.mark.parametrize(("away_s", "missing"), [(0.39, 0), (0.41, 31)])
def test_what_was_lost_in_a_jump_is_known_by_when_it_came(away_s: float, missing: int) -> None:
    timeline = _steady()
    _pushed(timeline, *((170 + np.arange(10)) / RATE_HZ), arrived_s=50.0)
    gap = _pushed(timeline, *(500 + np.arange(10) / RATE_HZ), arrived_s=50.0 + away_s)[0]
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.missing_samples, gap.bridged) == ("clock_jump", missing, missing == 0)


def test_a_reconnection_is_as_long_as_it_was() -> None:
    timeline = Timeline(RATE_HZ)
    assert timeline.reconnected(1.0) is None
    assert np.isnan(timeline.newest_stamp_s)
    _pushed(timeline, *(np.arange(10) / RATE_HZ))
    assert timeline.newest_stamp_s == 0.09
    gap = timeline.reconnected(2.5)
    assert gap == Gap(0.09, pytest.approx(2.59), 250, "reconnect")  # type: ignore[arg-type]
    (chunk,) = _pushed(timeline, 7000.0, 7000.01)
    assert isinstance(chunk, EegChunk)
    assert chunk.times_s == pytest.approx([2.60, 2.61])


def _sorted(arrivals: Arrivals, *stamps_s: float, value: float | None = None) -> list[list[float]]:
    times_s = np.array(stamps_s)
    row = times_s if value is None else np.full(len(times_s), value)
    return [part.raw_s.tolist() for part in arrivals.sort(EegChunk(row[np.newaxis], times_s))]


def test_arrivals_come_in_order_and_once() -> None:
    arrivals = Arrivals(RATE_HZ)
    assert _sorted(arrivals, 0.0, 0.01, 0.02) == [[0.0, 0.01, 0.02]]
    assert _sorted(arrivals, 0.05, 0.03, 0.04) == [[0.03, 0.04, 0.05]]
    assert _sorted(arrivals, 0.05, 0.06) == [[0.06]], "one that came already"
    assert _sorted(arrivals, 0.08, 0.08, 0.07) == [[0.07, 0.08]], "twice in one chunk"
    assert _sorted(arrivals, float("nan"), 0.09, float("inf")) == [[0.09]]
    assert _sorted(arrivals) == []
    assert _sorted(arrivals, 0.10, 0.11, 40.2, 40.21) == [[0.10, 0.11], [40.2, 40.21]]
    arrivals.forget()
    assert _sorted(arrivals, 0.0) == [[0.0]]
