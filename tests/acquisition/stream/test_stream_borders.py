"""What the feed says and does at each turn, and where timeline and arrivals draw their lines: by value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acquisition.port import SourceError, UnknownSourceError
from acquisition.signal import EegChunk, FloatArray, Gap, HeadsetStatus, StreamInfo
from acquisition.stream.arrival import Arrivals
from acquisition.stream.credible import credible
from acquisition.stream.feed_settings import FeedSettings
from acquisition.stream.timeline import Timeline
from acquisition.units import MOST_UV
from support.recordings.scripted_feed import INFO, RATE_HZ, Scripted, World

EVEN_HZ = 128.0
"""Its period is a number that floats hold exactly: what lies on a border lies on it."""


# the feed


def test_how_patient_it_is() -> None:
    settings = FeedSettings()
    assert (settings.stale_s, settings.lost_s, settings.slept_s) == (2.0, 30.0, 5.0)
    assert (settings.absent_s, settings.incompatible_s, settings.jitter) == (1.0, 4.0, 0.25)
    assert settings.reopen_s == (4.0, 8.0, 16.0, 30.0)
    assert settings.backoff_s == (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)


def _status(world: World, chunk: EegChunk) -> HeadsetStatus:
    world.next = chunk
    first = world.feed.step()[0]
    assert isinstance(first, HeadsetStatus)
    return first


def test_the_first_samples_are_told_with_stream_and_battery_and_no_pause() -> None:
    world = World()
    world.step()
    status = _status(world, replace(world.chunk(), battery_percent=71.0))
    assert status == HeadsetStatus("streaming", INFO, "", None, 71.0)


@pytest.mark.parametrize(("channels", "names"), [(8, "0,1,2,3,4,5,6,7"), (9, "0,1,2,3,4,5,6,7,..")])
def test_another_layout_is_told_by_its_first_eight_names(channels: int, names: str) -> None:
    world = World(slept_s=1e9, stale_s=1e9, lost_s=1e9)
    world.streaming()
    world.step(then=SourceError("gone"))
    world.info = StreamInfo("test", "headset", tuple(str(n) for n in range(channels)), 250.0)
    (said,) = world.step(0.5)
    came_back, began = said.split("; ")
    assert came_back == f"incompatible the stream came back as {channels} channels ({names}) at 250 Hz"
    assert began == "the session began with 2 channels (Fz,Cz) at 100 Hz"


def test_another_rate_is_another_layout() -> None:
    world = World(slept_s=1e9, stale_s=1e9, lost_s=1e9)
    world.streaming()
    world.step(then=SourceError("gone"))
    world.info = replace(INFO, rate_hz=200.0)
    closes = world.closes
    assert world.step(0.5)[0].startswith("incompatible")
    assert world.closes == closes + 1, "it is let go"


def test_what_cannot_be_there_ends_the_first_open_and_no_later_one() -> None:
    world = World(slept_s=1e9)
    world.refusal = UnknownSourceError("no such board")
    with pytest.raises(UnknownSourceError, match="no such board"):
        world.feed.step()
    world = World(slept_s=1e9)
    world.streaming()
    world.step(then=SourceError("gone"))
    world.refusal = UnknownSourceError("no such board")
    assert world.step(3.0) == ["stale no new sample for 2 s", "stale no such board"]


def test_a_chunk_without_samples_is_silence() -> None:
    world = World(reopen_s=(1e9,), slept_s=1e9)  # type: ignore[arg-type]
    world.streaming()
    assert world.step(2.1, then=EegChunk(np.empty((2, 0)), np.empty(0))) == ["stale no new sample for 2 s"]


def test_samples_that_came_before_are_silence() -> None:
    world = World(reopen_s=(1e9,), slept_s=1e9)  # type: ignore[arg-type]
    world.streaming()
    world.sample -= 10
    assert world.step(2.1, then=world.chunk()) == ["stale no new sample for 2 s"]


def test_after_a_sleep_the_source_is_opened_at_once() -> None:
    world = World(slept_s=5.0)
    world.streaming()
    assert world.step(7.6) == ["stale this machine or process slept for 8 s"]
    assert world.step(7.6) == [], "once is enough"
    opens = world.opens
    world.step()
    assert world.opens == opens + 1
    assert world.slept_s == 0.0


def test_what_is_silent_for_long_is_said_to_be_opened_anew() -> None:
    world = World(slept_s=1e9)
    world.streaming()
    assert world.step(2.5) == ["stale no new sample for 2 s"]
    assert world.step(2.0) == ["stale no new sample for 4 s: the source is opened anew"]


def test_listening_begins_when_the_source_is_open_again() -> None:
    """What was silent before does not count against the source that is open now."""
    world = World(slept_s=1e9)
    world.streaming()
    world.step(10.0, then=SourceError("gone"))
    world.step(0.5)
    closes = world.closes
    world.step(4.0)
    assert world.closes == closes
    world.step(0.1)
    assert world.closes == closes + 1


def test_pauses_are_spread_by_a_quarter() -> None:
    world = World(slept_s=1e9, jitter=0.25)
    world.refusal = SourceError("gone")
    world.step()
    shares = []
    for expected_s in (0.5, 1.0, 2.0, 4.0, 8.0):
        since_s, slept_s = world.now_s, -1.0
        while world.slept_s != slept_s:
            slept_s = world.slept_s
            world.step(0.01)
        shares.append((world.now_s - since_s) / expected_s)
    assert min(shares) >= 0.75
    assert max(shares) <= 1.25 + 0.02
    assert max(shares) - min(shares) > 0.1


class Returning(Scripted):
    """Is told what was open before."""

    told: list[tuple[StreamInfo, float, float]]

    def resume(self, previous: StreamInfo, silent_s: float, last_stamp_s: float) -> None:
        Returning.told.append((previous, silent_s, last_stamp_s))


def test_a_source_is_told_what_was_open_before() -> None:
    Returning.told = []
    world = World(Returning, slept_s=1e9)
    world.streaming()
    assert Returning.told == []
    world.step(1.25, then=SourceError("gone"))
    world.step(0.5)
    assert Returning.told == [(INFO, 1.75, 0.09)]


class Slow(Scripted):
    """Opens in steps."""

    opened_as: StreamInfo | SourceError | None = None
    absence = ""
    begun = 0

    def begin(self) -> None:
        Slow.begun += 1

    def opened(self, timeout_s: float) -> StreamInfo | None:
        if isinstance(Slow.opened_as, SourceError):
            raise Slow.opened_as
        return Slow.opened_as


def test_a_source_that_opens_slowly_is_waited_for() -> None:
    Slow.opened_as, Slow.absence, Slow.begun = None, "", 0
    world = World(Slow, slept_s=1e9)
    assert world.step() == []
    assert world.feed.step() == []
    assert Slow.begun == 1, "once"
    Slow.opened_as = INFO
    assert world.step() == ["connecting opened headset"]
    assert world.step(then=world.chunk()) == ["streaming ", "10"]
    world.step(2.1)
    world.step(then=SourceError("gone"))
    Slow.opened_as, Slow.absence = None, "no headset is on"
    assert world.step(0.5) == []
    assert Slow.begun == 2
    assert world.step() == ["stale no headset is on"]
    assert world.step() == []
    Slow.opened_as = SourceError("it broke")
    closes = world.closes
    assert world.step() == ["stale it broke"]
    assert world.closes == closes + 1
    Slow.opened_as, Slow.absence = INFO, ""
    world.step(1.0)
    assert Slow.begun == 3, "a second's pause after the second failure"


def test_music_is_told_to_whom_it_moves() -> None:
    heard = []

    class Moved(Scripted):
        def on_music(self, valence: float | None, arousal: float | None) -> None:
            heard.append((valence, arousal))

    world = World(Moved)
    world.feed.on_music(0.1, 0.2)
    world.streaming()
    world.feed.on_music(0.5, -0.5)
    assert heard == [(0.5, -0.5)]


def test_impossible_numbers_are_none() -> None:
    samples_uv = np.array([[MOST_UV, -MOST_UV, MOST_UV * 1.001, -np.inf, 1.0]])
    chunk = EegChunk(samples_uv, np.arange(5.0), extras=np.array([[0.0, 1.0, np.inf, 3.0, 4.0]]))
    cleaned = credible(chunk)
    assert np.isnan(cleaned.samples_uv[0]).tolist() == [False, False, True, True, False]
    assert cleaned.extras is not None
    assert np.isnan(cleaned.extras[0]).tolist() == [False, False, True, False, False]
    fine = EegChunk(np.array([[MOST_UV, -MOST_UV]]), np.arange(2.0))
    assert credible(fine) is fine


# the timeline


def _push(
    timeline: Timeline,
    stamps_s: FloatArray,
    arrived_s: float | None = None,
    counter: FloatArray | None = None,
    extras: FloatArray | None = None,
) -> list[EegChunk | Gap]:
    rows = np.stack([stamps_s, -stamps_s])
    return timeline.push(EegChunk(rows, stamps_s, 50.0, counter=counter, extras=extras), arrived_s)


def _of(first: int, count: int = 8, rate_hz: float = EVEN_HZ) -> FloatArray:
    return (first + np.arange(count)) / rate_hz


def _missing(items: list[EegChunk | Gap]) -> list[int]:
    return [item.missing_samples for item in items if isinstance(item, Gap)]


def _chunk(items: list[EegChunk | Gap]) -> EegChunk:
    (chunk,) = (item for item in items if isinstance(item, EegChunk))
    return chunk


@pytest.mark.parametrize(("chunks", "seen"), [(15, []), (16, [1])])
def test_a_single_hole_is_seen_once_sixteen_chunks_were_steady(chunks: int, seen: list[int]) -> None:
    timeline = Timeline(EVEN_HZ)
    for number in range(chunks):
        _push(timeline, _of(8 * number))
    assert _missing(_push(timeline, _of(8 * chunks + 1))) == seen


@pytest.mark.parametrize(("off_periods", "seen"), [(0.119, [1]), (0.121, []), (-0.119, [1]), (-0.121, [])])
@pytest.mark.parametrize("within", [False, True], ids=["between-chunks", "within-a-chunk"])
def test_how_even_a_steady_stream_is(off_periods: float, seen: list[int], within: bool) -> None:
    timeline = Timeline(EVEN_HZ)
    for number in range(20):
        _push(timeline, _of(8 * number))
    stamps_s = _of(160)
    stamps_s[4 if within else 0 :] += off_periods / EVEN_HZ
    _push(timeline, stamps_s)
    assert _missing(_push(timeline, _of(169) + off_periods / EVEN_HZ)) == seen


def test_a_whole_number_of_periods_is_steady_too() -> None:
    timeline = Timeline(EVEN_HZ)
    for number in range(20):
        _push(timeline, _of(8 * number))
    stamps_s = np.concatenate([_of(160, 3), _of(165, 3)])
    items = _push(timeline, stamps_s)
    assert _missing(items) == [2]
    chunk = _chunk(items)
    assert chunk.samples_uv[0] == pytest.approx(_of(160, 8)), "filled on a straight line"
    assert chunk.times_s == pytest.approx(_of(160, 8))
    assert chunk.interpolated is not None
    assert chunk.interpolated.tolist() == [False, False, False, True, True, False, False, False]
    assert chunk.battery_percent == 50.0
    assert _missing(_push(timeline, _of(169))) == [1]


def test_a_hole_within_a_chunk_that_is_not_bridged_parts_it() -> None:
    timeline = Timeline(EVEN_HZ)
    for number in range(20):
        _push(timeline, _of(8 * number))
    first, gap, second = _push(timeline, np.concatenate([_of(160, 4), _of(160 + 4 + 33, 4)]))
    assert isinstance(first, EegChunk)
    assert isinstance(second, EegChunk)
    assert first.times_s == pytest.approx(_of(160, 4))
    assert gap == Gap(pytest.approx(163 / EVEN_HZ), pytest.approx(196 / EVEN_HZ), 33, "lost")  # type: ignore[arg-type]
    assert second.times_s == pytest.approx(_of(197, 4))
    assert second.samples_uv[0] == pytest.approx(_of(197, 4))


def test_a_slow_stream_has_one_sample_bridged() -> None:
    timeline = Timeline(1.0)
    for number in range(20):
        _push(timeline, np.array([float(number)]))
    (gap, chunk) = _push(timeline, np.array([21.0]))
    assert isinstance(gap, Gap)
    assert isinstance(chunk, EegChunk)
    assert (gap.missing_samples, gap.bridged) == (1, True)
    assert chunk.samples_uv[0] == pytest.approx([20.0, 21.0])
    gap = _push(timeline, np.array([24.0]))[0]
    assert isinstance(gap, Gap)
    assert (gap.missing_samples, gap.bridged) == (2, False)


def test_what_is_beside_the_eeg_is_bridged_with_it() -> None:
    timeline = Timeline(EVEN_HZ)
    for number in range(20):
        _push(timeline, _of(8 * number), extras=_of(8 * number)[np.newaxis])
    stamps_s = np.concatenate([_of(160, 3), _of(165, 3)])
    chunk = _chunk(_push(timeline, stamps_s, extras=stamps_s[np.newaxis]))
    assert chunk.extras is not None
    assert chunk.extras[0] == pytest.approx(_of(160, 8))


@pytest.mark.parametrize(("by_s", "reason"), [(30.0, "lost"), (30.0078125, "clock_jump")])
def test_thirty_seconds_ahead_are_lost_and_more_is_a_clock_that_was_set(by_s: float, reason: str) -> None:
    timeline = Timeline(EVEN_HZ)
    _push(timeline, _of(0))
    gap = _push(timeline, np.array([7 / EVEN_HZ + by_s]))[0]
    assert isinstance(gap, Gap)
    assert gap.reason == reason


@pytest.mark.parametrize(("counted", "missing"), [(False, [20]), (True, [])])
def test_what_a_counter_says_is_there_is_late_and_not_lost(counted: bool, missing: list[int]) -> None:
    timeline = Timeline(EVEN_HZ, counter_modulo=256)
    _push(timeline, _of(0), counter=np.arange(8.0) if counted else None)
    items = _push(timeline, _of(8) + 20 / EVEN_HZ, counter=np.arange(8.0, 16.0) if counted else None)
    assert _missing(items) == missing
    if counted:
        step_s = (1 + 0.02 * 0.15 * EVEN_HZ / 8) / EVEN_HZ
        assert np.diff(_chunk(items).times_s) == pytest.approx(step_s), "no more than 0.15 s is followed"


def test_a_counter_tells_what_is_missing_through_its_turn() -> None:
    timeline = Timeline(EVEN_HZ, counter_modulo=16)
    _push(timeline, _of(6), counter=np.arange(6.0, 14.0))
    items = _push(timeline, _of(17), counter=(np.arange(17.0, 25.0) % 16))
    assert _missing(items) == [3]
    (gap, _chunk_after) = items
    assert isinstance(gap, Gap)
    assert (gap.start_s, gap.end_s) == (pytest.approx(13 / EVEN_HZ), pytest.approx(16 / EVEN_HZ))


def test_a_counter_that_repeats_itself_is_a_turn_alone_and_one_step_in_company() -> None:
    alone = Timeline(EVEN_HZ, counter_modulo=16)
    _push(alone, _of(0), counter=np.arange(8.0))
    assert _missing(_push(alone, np.array([23 / EVEN_HZ]), counter=np.array([7.0]))) == [15]
    together = Timeline(EVEN_HZ, counter_modulo=16)
    _push(together, _of(0), counter=np.arange(8.0))
    assert _missing(_push(together, _of(8, 2), counter=np.array([7.0, 8.0]))) == []


@pytest.mark.parametrize("turns", [1, 2])
def test_whole_turns_are_told_by_the_stamps(turns: int) -> None:
    timeline = Timeline(EVEN_HZ, counter_modulo=64)
    _push(timeline, _of(0), counter=np.arange(8.0))
    lost = turns * 64
    assert _missing(_push(timeline, _of(8 + lost), counter=np.arange(8.0, 16.0))) == [lost]


def test_most_of_a_turn_is_a_late_burst() -> None:
    timeline = Timeline(EVEN_HZ, counter_modulo=64)
    _push(timeline, _of(0), counter=np.arange(8.0))
    assert _missing(_push(timeline, _of(8 + 64 - 20), counter=np.arange(8.0, 16.0))) == []


def test_the_line_is_followed_backwards_by_no_more_than_0_15_seconds() -> None:
    timeline = Timeline(EVEN_HZ, counter_modulo=256)
    _push(timeline, _of(0) + 1.0, counter=np.arange(8.0))
    items = _push(timeline, _of(8) + 1.0, counter=np.arange(108.0, 116.0))
    chunk = items[-1]
    assert isinstance(chunk, EegChunk)
    assert np.diff(chunk.times_s) == pytest.approx(1 / EVEN_HZ - 0.02 * 0.15 / 108)


def test_after_a_jump_the_stream_must_be_steady_anew() -> None:
    timeline = Timeline(EVEN_HZ)
    for number in range(20):
        _push(timeline, _of(8 * number))
    (gap, chunk) = _push(timeline, _of(0) + 500.0)
    assert gap == Gap(159 / EVEN_HZ, 159 / EVEN_HZ, 0, "clock_jump", bridged=True)
    assert isinstance(chunk, EegChunk)
    assert chunk.times_s == pytest.approx(_of(160))
    assert _missing(_push(timeline, _of(9) + 500.0)) == []


def test_a_reconnection_of_no_time_at_all_loses_nothing() -> None:
    timeline = Timeline(EVEN_HZ)
    _push(timeline, _of(0))
    gap = timeline.reconnected(-3.0)
    assert gap == Gap(7 / EVEN_HZ, 7 / EVEN_HZ, 0, "reconnect")
    assert _chunk(_push(timeline, _of(0))).times_s == pytest.approx(_of(8)), "what came before may come again"


# the arrivals


def _sorted(
    arrivals: Arrivals, stamps_s: list[float], values: list[float] | None = None
) -> list[list[float]]:
    rows = np.array([stamps_s if values is None else values])
    return [part.raw_s.tolist() for part in arrivals.sort(EegChunk(rows, np.array(stamps_s)))]


def test_once_one_was_late_samples_are_held_for_0_06_seconds() -> None:
    arrivals = Arrivals(RATE_HZ)
    assert _sorted(arrivals, [1.0, 1.01, 1.03]) == [[1.0, 1.01, 1.03]]
    assert _sorted(arrivals, [1.02]) == [], "too late this time"
    assert _sorted(arrivals, [1.04, 1.06]) == []
    assert _sorted(arrivals, [1.05, 1.1015]) == [[1.04]]
    assert _sorted(arrivals, [1.2]) == [[1.05, 1.06, 1.1015]]
    assert _sorted(arrivals, [1.26]) == [[1.2]], "0.06 s behind the newest are ready"


def test_how_long_is_held_can_be_said_from_the_beginning() -> None:
    arrivals = Arrivals(EVEN_HZ, 0.125)
    assert _sorted(arrivals, [1.0, 1.125, 1.25]) == [[1.0, 1.125]]
    assert _sorted(arrivals, [1.1875, 1.5]) == [[1.1875, 1.25]]


@pytest.mark.parametrize(("back_s", "parts"), [(1.0, []), (1.25, [[4.75]])])
def test_a_second_behind_is_late_and_more_is_a_clock_set_back(
    back_s: float, parts: list[list[float]]
) -> None:
    arrivals = Arrivals(EVEN_HZ)
    _sorted(arrivals, [5.0, 6.0])
    assert _sorted(arrivals, [6.0 - back_s]) == parts


def test_a_new_value_of_a_stamp_that_was_seen_is_no_repetition() -> None:
    arrivals = Arrivals(EVEN_HZ)
    assert _sorted(arrivals, [1.0, 1.0, 1.0], [5.0, 5.0, 6.0]) == [[1.0, 1.0]]
    arrivals = Arrivals(EVEN_HZ)
    assert _sorted(arrivals, [1.0, 1.0], [float("nan"), float("nan")]) == [[1.0]]


def test_samples_of_one_stamp_are_told_apart_by_any_row_and_by_the_counter() -> None:
    rows = np.array([[5.0, 5.0], [1.0, 2.0]])
    (part,) = Arrivals(EVEN_HZ).sort(EegChunk(rows, np.array([1.0, 1.0])))
    assert part.raw_s.tolist() == [1.0, 1.0]
    for counter, count in (([3.0, 3.0], 1), ([3.0, 4.0], 2)):
        chunk = EegChunk(np.ones((1, 2)), np.array([1.0, 1.0]), counter=np.array(counter))
        (part,) = Arrivals(EVEN_HZ).sort(chunk)
        assert len(part.raw_s) == count
        assert part.counter is not None
        assert part.counter.tolist() == counter[:count]


def test_thirty_seconds_are_remembered() -> None:
    """What was delivered thirty seconds ago is known again; what is older is a clock set back."""
    arrivals = Arrivals(1.0)
    for second in range(61):
        _sorted(arrivals, [float(second)])
    assert _sorted(arrivals, [31.0]) == [], "known"
    assert _sorted(arrivals, [29.0]) == [[29.0]]


@pytest.mark.parametrize(("apart_s", "parts"), [(30.0, 1), (30.5, 2)])
def test_a_jump_within_a_chunk_parts_it(apart_s: float, parts: int) -> None:
    assert len(_sorted(Arrivals(EVEN_HZ), [1.0, 1.5, 1.5 + apart_s, 2.0 + apart_s])) == parts


def test_what_is_held_and_what_comes_thirty_seconds_later_are_not_joined() -> None:
    arrivals = Arrivals(EVEN_HZ, 0.5)
    assert _sorted(arrivals, [1.0, 1.25]) == []
    assert _sorted(arrivals, [31.25, 32.0]) == [[1.0, 1.25, 31.25]]
    arrivals = Arrivals(EVEN_HZ, 0.5)
    assert _sorted(arrivals, [1.0, 1.25]) == []
    assert _sorted(arrivals, [31.5, 32.25]) == [[31.5]]
