"""The timeline: rising times, exact gaps, windows unmoved by loss, drift, jitter, doubles or clock jumps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquisition.signal import EegChunk, FloatArray, Gap
from acquisition.stream.timeline import BRIDGE_S, Timeline

RATE_HZ = 256.0


def _signal(n: int) -> FloatArray:
    """Two rows that say which sample they are."""
    index = np.arange(n, dtype=np.float64)
    return np.stack([index, -2 * index])


def _chunks(
    keep: FloatArray, stamps_s: FloatArray, size: int = 16, counter_modulo: int | None = None
) -> list[EegChunk]:
    """The samples ``keep`` (numbers into the signal) with their stamps, in chunks."""
    rows = np.stack([keep, -2 * keep])
    counter = None if counter_modulo is None else keep % counter_modulo
    return [
        EegChunk(
            rows[:, i : i + size],
            stamps_s[i : i + size],
            counter=None if counter is None else counter[i : i + size],
        )
        for i in range(0, len(keep), size)
    ]


def _run(
    chunks: Sequence[EegChunk], rate_hz: float = RATE_HZ, modulo: int | None = None
) -> tuple[list[EegChunk], list[Gap]]:
    timeline = Timeline(rate_hz, counter_modulo=modulo)
    items = [item for chunk in chunks for item in timeline.push(chunk)]
    return [i for i in items if isinstance(i, EegChunk)], [i for i in items if isinstance(i, Gap)]


def _joined(chunks: Sequence[EegChunk]) -> tuple[FloatArray, FloatArray]:
    return np.concatenate([c.samples_uv for c in chunks], axis=1), np.concatenate([c.times_s for c in chunks])


def _runs(missing: FloatArray) -> list[tuple[int, int]]:
    """(first, length) of each run of missing sample numbers."""
    if not len(missing):
        return []
    starts = np.flatnonzero(np.diff(missing, prepend=missing[0] - 2) != 1)
    lengths = np.diff(np.append(starts, len(missing)))
    return [(int(missing[s]), int(n)) for s, n in zip(starts, lengths, strict=True)]


def test_a_clean_stream_passes_untouched() -> None:
    keep = np.arange(2560.0)
    chunks, gaps = _run(_chunks(keep, 100 + keep / RATE_HZ))
    samples, times_s = _joined(chunks)
    assert not gaps
    assert np.array_equal(samples, _signal(2560))
    assert np.allclose(times_s, 100 + keep / RATE_HZ, atol=1e-9)
    assert all(chunk.interpolated is None for chunk in chunks)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("modulo", [None, 256])
def test_f08_every_lost_sample_is_counted_where_it_was(share: float, modulo: int | None) -> None:
    rng = np.random.default_rng(8)
    n = 256 * 60
    kept = rng.random(n) >= share
    kept[:320] = kept[-1] = True  # a stream must have shown that it is steady
    keep = np.flatnonzero(kept).astype(np.float64)
    # a counter needs no steady stamps, so there they jitter
    jitter_s = rng.uniform(-0.4, 0.4, len(keep)) / RATE_HZ if modulo else 0.0
    chunks, gaps = _run(_chunks(keep, 5 + keep / RATE_HZ + jitter_s, counter_modulo=modulo), modulo=modulo)
    expected = _runs(np.flatnonzero(~kept))
    assert [gap.missing_samples for gap in gaps] == [length for _, length in expected]
    starts = [round((gap.start_s - 5) * RATE_HZ) + 1 for gap in gaps]
    assert starts == [first for first, _ in expected]
    assert all(gap.bridged for gap in gaps)
    samples, _ = _joined(chunks)
    lost = np.concatenate(
        [np.zeros(c.samples_uv.shape[1], bool) if c.interpolated is None else c.interpolated for c in chunks]
    )
    assert samples.shape[1] == n
    assert np.array_equal(np.flatnonzero(~lost), keep)
    # the signal is a ramp, so what is put between neighbours is the truth
    assert np.allclose(samples, _signal(n), atol=1e-6)


def test_a_long_hole_is_a_gap_and_nothing_is_invented() -> None:
    keep = np.concatenate([np.arange(1000.0), np.arange(1000.0 + 2 * 256, 3000)])
    chunks, gaps = _run(_chunks(keep, keep / RATE_HZ))
    assert [(gap.missing_samples, gap.bridged, gap.reason) for gap in gaps] == [(512, False, "lost")]
    samples, times_s = _joined(chunks)
    assert np.array_equal(samples[0], keep)
    assert np.allclose(times_s, keep / RATE_HZ, atol=1e-6)


def test_a_short_hole_is_bridged_up_to_the_limit() -> None:
    for missing, bridged in ((int(BRIDGE_S * RATE_HZ), True), (int(BRIDGE_S * RATE_HZ) + 1, False)):
        keep = np.concatenate([np.arange(512.0), np.arange(512.0 + missing, 1500)])
        _, gaps = _run(_chunks(keep, keep / RATE_HZ))
        assert [(gap.missing_samples, gap.bridged) for gap in gaps] == [(missing, bridged)]


def test_f09_duplicates_and_disorder_change_nothing() -> None:
    rng = np.random.default_rng(9)
    keep = np.arange(256.0 * 20)
    clean, _ = _run(_chunks(keep, keep / RATE_HZ))
    doubled = np.sort(np.concatenate([keep, rng.choice(keep, 500)]))
    order = np.argsort(doubled + rng.uniform(0, 0.05 * RATE_HZ, len(doubled)), kind="stable")
    mixed = doubled[order]
    timeline = Timeline(RATE_HZ, reorder_s=0.06)
    items = [i for c in _chunks(mixed, mixed / RATE_HZ, size=13) for i in timeline.push(c)]
    assert not [i for i in items if isinstance(i, Gap)]
    samples, _ = _joined([i for i in items if isinstance(i, EegChunk)])
    reference, _ = _joined(clean)
    held = reference.shape[1] - samples.shape[1]
    assert 0 <= held <= 0.06 * RATE_HZ + 1
    assert np.array_equal(samples, reference[:, : samples.shape[1]])


def test_f09_late_samples_teach_the_timeline_to_wait() -> None:
    keep = np.arange(256.0 * 10)
    swapped = keep.copy()
    for i in range(15, len(keep) - 16, 16):
        swapped[i], swapped[i + 1] = swapped[i + 1], swapped[i]
    chunks, gaps = _run(_chunks(swapped, swapped / RATE_HZ))
    assert sum(gap.missing_samples for gap in gaps) <= 2, "only the first late sample may be missed"
    samples, times_s = _joined(chunks)
    assert (np.diff(times_s) > 0).all()
    assert len(set(keep.tolist()) - set(samples[0].tolist())) <= 2 + 0.06 * RATE_HZ, "and what is held back"
    assert (np.diff(samples[0]) > 0).all()


def test_f05_the_same_data_for_ever_is_silence() -> None:
    keep = np.arange(64.0)
    chunk = _chunks(keep, keep / RATE_HZ, size=64)[0]
    timeline = Timeline(RATE_HZ)
    assert timeline.push(chunk)
    assert all(not timeline.push(chunk) for _ in range(100))


@pytest.mark.parametrize("lost", [256, 512, 1024, 300])
def test_f10_whole_turns_of_the_counter_are_counted_by_the_stamps(lost: int) -> None:
    rng = np.random.default_rng(10)
    keep = np.concatenate([np.arange(1000.0), np.arange(1000.0 + lost, 4000)])
    stamps_s = keep / RATE_HZ + rng.uniform(0, 0.02, len(keep))
    stamps_s = np.maximum.accumulate(stamps_s) + 1e-9 * np.arange(len(keep))
    _, gaps = _run(_chunks(keep, stamps_s, counter_modulo=256), modulo=256)
    assert [gap.missing_samples for gap in gaps] == [lost]


def test_a_late_burst_is_no_loss() -> None:
    """Bluetooth stalls for 0.6 s and then delivers at once: the counter says that nothing is missing."""
    keep = np.arange(2560.0)
    stamps_s = keep / RATE_HZ
    late = (keep >= 1000) & (keep < 1154)
    stamps_s[late] = 1154 / RATE_HZ + 1e-6 * np.arange(late.sum()) - 0.001
    chunks, gaps = _run(_chunks(keep, stamps_s, counter_modulo=256), modulo=256)
    assert not gaps
    assert np.array_equal(_joined(chunks)[0], _signal(2560))


@pytest.mark.parametrize(("drift", "counted"), [(200e-6, False), (-200e-6, False), (200e-6, True)])
def test_f11_eight_hours_of_drift_and_jitter_lose_no_window(drift: float, counted: bool) -> None:
    """The device's clock is off by 200 ppm and Bluetooth delivers in bursts of up to 40 ms."""
    rng = np.random.default_rng(11)
    hours, size = 8, 256
    n = int(hours * 3600 * RATE_HZ / size) * size
    timeline = Timeline(RATE_HZ, counter_modulo=256 if counted else None)
    total, last_s, worst_s = 0, -1.0, 0.0
    for begin in range(0, n, size):
        index = np.arange(begin, begin + size)
        true_s = index / (RATE_HZ * (1 + drift))
        arrival_s = true_s[-1] + rng.uniform(0, 0.04)
        stamps_s = np.minimum(true_s + 0.04, arrival_s) + 1e-9 * np.arange(size)
        chunk = EegChunk(np.zeros((1, size)) + index, stamps_s, counter=index % 256.0 if counted else None)
        for item in timeline.push(chunk):
            assert isinstance(item, EegChunk), item
            assert item.times_s[0] > last_s
            last_s = float(item.times_s[-1])
            total += item.samples_uv.shape[1]
            worst_s = max(worst_s, abs(last_s - float(true_s[-1])))
    assert total == n
    assert worst_s < 0.1


@pytest.mark.parametrize(
    ("jump_s", "at"),
    # inside a chunk a small step back cannot be told from disorder
    [(2e5, 1000), (2e5, 1008), (-2e5, 1000), (-2e5, 1008), (3600.0, 1000), (-3600.0, 1000), (-3.0, 1008)],
)
def test_f12_f13_a_jump_of_the_devices_clock_is_anchored_anew(jump_s: float, at: int) -> None:
    keep = np.arange(2560.0)
    stamps_s = 300_000 + keep / RATE_HZ + np.where(keep >= at, jump_s, 0)
    timeline = Timeline(RATE_HZ)
    items = []
    for i, chunk in enumerate(_chunks(keep, stamps_s)):
        items += timeline.push(chunk, arrived_s=50.0 + i * 16 / RATE_HZ)
    gaps = [i for i in items if isinstance(i, Gap)]
    samples, times_s = _joined([i for i in items if isinstance(i, EegChunk)])
    assert [(gap.reason, gap.missing_samples, gap.bridged) for gap in gaps] == [("clock_jump", 0, True)]
    assert np.array_equal(samples, _signal(2560))
    assert np.allclose(np.diff(times_s), 1 / RATE_HZ, rtol=0.02)


def test_f14_samples_lost_during_a_sleep_are_known_from_the_arrival() -> None:
    keep = np.arange(1600.0)
    stamps_s = keep / RATE_HZ + np.where(keep >= 800, 600.0, 0)
    timeline = Timeline(RATE_HZ)
    items = []
    for i, chunk in enumerate(_chunks(keep, stamps_s)):
        items += timeline.push(chunk, arrived_s=i * 16 / RATE_HZ + (600.0 if i >= 50 else 0))
    gaps = [i for i in items if isinstance(i, Gap)]
    assert len(gaps) == 1
    assert not gaps[0].bridged
    assert gaps[0].missing_samples == pytest.approx(600 * RATE_HZ, abs=16)


def test_a_reconnect_is_one_gap_and_the_line_goes_on() -> None:
    keep = np.arange(640.0)
    timeline = Timeline(RATE_HZ)
    before = [i for c in _chunks(keep, keep / RATE_HZ) for i in timeline.push(c)]
    gap = timeline.reconnected(12.0)
    assert gap is not None
    assert gap.missing_samples == round(12 * RATE_HZ)
    after = [i for c in _chunks(keep, 9e5 + keep / RATE_HZ) for i in timeline.push(c)]
    times_s = _joined([i for i in (*before, *after) if isinstance(i, EegChunk)])[1]
    assert (np.diff(times_s) > 0).all()
    assert times_s[640] - times_s[639] == pytest.approx(12.0, abs=0.1)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whatever_comes_times_rise_and_samples_are_neither_made_up_nor_doubled(data: st.DataObject) -> None:
    """Any mix of loss, doubling, disorder, jitter, NaN and infinite stamps and jumps."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    n = data.draw(st.integers(1, 1500))
    keep = np.flatnonzero(rng.random(n) >= data.draw(st.sampled_from([0.0, 0.01, 0.1, 0.5, 0.9]))).astype(
        float
    )
    stamps_s = data.draw(st.sampled_from([0.0, 1.7e9, -50.0])) + keep / RATE_HZ
    stamps_s += rng.uniform(0, data.draw(st.sampled_from([0.0, 0.002, 0.04, 0.5])), len(keep))
    if data.draw(st.booleans()) and len(keep):
        stamps_s[rng.integers(len(keep)) :] += data.draw(st.sampled_from([2e5, -2e5, 3.0, -3.0, 0.2]))
    if data.draw(st.booleans()):
        stamps_s[rng.random(len(keep)) < 0.05] = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    modulo = data.draw(st.sampled_from([None, 256, 100]))
    chunks = _chunks(keep, stamps_s, size=data.draw(st.integers(1, 70)), counter_modulo=modulo)
    if data.draw(st.booleans()):
        chunks = [c for chunk in chunks for c in ([chunk] * int(rng.integers(1, 3)))]
    timeline = Timeline(RATE_HZ, counter_modulo=modulo)
    last_s, real = -np.inf, []
    for chunk in chunks:
        for item in timeline.push(chunk, arrived_s=0.0):
            if isinstance(item, Gap):
                assert item.missing_samples >= 0
                assert item.end_s >= item.start_s
                continue
            assert item.samples_uv.shape[1] == len(item.times_s) > 0
            assert np.isfinite(item.times_s).all()
            assert item.times_s[0] > last_s
            assert (np.diff(item.times_s) > 0).all()
            last_s = float(item.times_s[-1])
            came = slice(None) if item.interpolated is None else ~item.interpolated
            real += item.samples_uv[0, came].tolist()
    assert len(real) == len(set(real)), "a sample came twice"
    assert set(real) <= set(keep.tolist()), "a sample was made up"
