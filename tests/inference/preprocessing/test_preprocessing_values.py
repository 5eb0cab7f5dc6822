"""Filters, resampling, windows and the ear for mains by value, each held against a closed form or scipy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import signal

from inference.pipeline import PipelineSettings
from inference.preprocessing.filter_design import (
    butterworth_highpass,
    butterworth_lowpass,
    group_delay_s,
    notch,
    response,
)
from inference.preprocessing.filters import BLOCK, CascadeFilter, band_sections
from inference.preprocessing.front_end import FrontEnd
from inference.preprocessing.mains import find_mains_hz
from inference.preprocessing.resampling import Resampler
from inference.preprocessing.windows import RecentSamples, SlidingWindows

RATE_HZ = 128.0


@pytest.mark.parametrize("order", [2, 4, 8])
@pytest.mark.parametrize(("make", "kind"), [(butterworth_lowpass, "low"), (butterworth_highpass, "high")])
@pytest.mark.parametrize("edge_hz", [1.0, 45.0])
def test_butterworth_is_scipys(order: int, make: object, kind: str, edge_hz: float) -> None:
    ours = make(order, edge_hz, RATE_HZ)  # type: ignore[operator]
    theirs = signal.butter(order, edge_hz, kind, fs=RATE_HZ, output="sos")
    grid = np.linspace(0.1, 63.9, 200)
    assert response(ours, grid, RATE_HZ) == pytest.approx(
        signal.freqz_sos(theirs, grid, fs=RATE_HZ)[1], abs=1e-9
    )
    assert abs(response(ours, np.array([edge_hz]), RATE_HZ)[0]) == pytest.approx(np.sqrt(0.5))
    assert ours.shape == (order // 2, 6)
    assert (ours[:, 3] == 1).all()


def test_a_notch_is_scipys() -> None:
    ours = notch(50.0, 20.0, RATE_HZ)
    b, a = signal.iirnotch(50.0, 20.0, RATE_HZ)
    assert ours[0] == pytest.approx([*b, *a])


@pytest.mark.parametrize("frequency_hz", [5.0, 10.0, 40.0])
def test_the_group_delay_is_scipys(frequency_hz: float) -> None:
    sections = butterworth_lowpass(8, 54.0, 256.0)
    b, a = signal.butter(8, 54.0, fs=256.0)
    _, samples = signal.group_delay((b, a), w=[frequency_hz], fs=256.0)
    assert group_delay_s(sections, frequency_hz, 256.0) == pytest.approx(samples[0] / 256.0, rel=1e-4)


@pytest.mark.parametrize(("order", "edge_hz"), [(0, 1), (1, 1), (3, 1), (2, 0), (2, 64), (2, -1)])
def test_edges_and_orders_that_cannot_be(order: int, edge_hz: float) -> None:
    for make in (butterworth_lowpass, butterworth_highpass):
        with pytest.raises(ValueError, match="filter"):
            make(order, edge_hz, RATE_HZ)
    assert len(butterworth_lowpass(2, 63.99, RATE_HZ)) == 1


@pytest.mark.parametrize("sizes", [[200], [1] * 200, [31, 32, 33, 104], [BLOCK, 168]])
def test_a_cascade_filters_as_scipy_whatever_the_chunks(sizes: list[int]) -> None:
    sections = band_sections(RATE_HZ, 50.0)
    samples = np.random.default_rng(0).normal(size=(2, 200)) + 1e4
    steady = signal.sosfilt_zi(sections)[:, np.newaxis, :] * samples[np.newaxis, :, :1]
    expected, _ = signal.sosfilt(sections, samples, zi=steady)
    cascade = CascadeFilter(sections, 2)
    places = np.cumsum([0, *sizes])
    parts = [cascade.process(samples[:, a:b]) for a, b in pairwise(places)]
    assert np.concatenate(parts, axis=1) == pytest.approx(expected, abs=1e-6)
    cascade.reset()
    assert cascade.process(samples[:, :50]) == pytest.approx(expected[:, :50], abs=1e-6)


def test_the_band_is_1_to_45_hz_and_the_notch_where_it_fits() -> None:
    edges = np.array([1.0, 45.0])
    assert abs(response(band_sections(RATE_HZ, None), edges, RATE_HZ)) == pytest.approx(
        np.sqrt(0.5), abs=2e-3
    )
    assert len(band_sections(RATE_HZ, None)) == 4
    assert len(band_sections(RATE_HZ, 62.9)) == 5
    assert len(band_sections(RATE_HZ, 63.0)) == 4
    sections = band_sections(RATE_HZ, 50.0)
    width = abs(response(sections[4:], np.array([50.0, 48.78, 51.28]), RATE_HZ))
    assert width == pytest.approx([0, np.sqrt(0.5), np.sqrt(0.5)], abs=0.03)


@pytest.mark.parametrize("in_rate_hz", [100, 125, 160, 200, 250, 256, 300, 500, 512, 1000])
def test_a_resampled_tone_stands_where_it_stood(in_rate_hz: int) -> None:
    """Each output sample is the tone at its own time, later by the low-pass's delay and no more."""
    resampler = Resampler(in_rate_hz, RATE_HZ, 2)
    times_s = 100 + np.arange(round(6 * in_rate_hz)) / in_rate_hz
    tone = np.stack([np.sin(2 * np.pi * 10 * times_s), np.cos(2 * np.pi * 10 * times_s)])
    parts = [resampler.process(tone[:, a : a + 37], times_s[a : a + 37]) for a in range(0, len(times_s), 37)]
    out = np.concatenate([part for part, _ in parts], axis=1)
    out_s = np.concatenate([at_s for _, at_s in parts])
    assert out_s[0] == pytest.approx(100.0)
    assert np.diff(out_s) == pytest.approx(1 / RATE_HZ, abs=1e-9)
    assert out_s[-1] == pytest.approx(times_s[-1] - resampler.wait_s, abs=1 / RATE_HZ)
    phase = 2 * np.pi * 10 * out_s[256:]
    if in_rate_hz > RATE_HZ:
        phase += np.angle(response(butterworth_lowpass(8, 54.0, in_rate_hz), np.array([10.0]), in_rate_hz))
    assert np.abs(out[:, 256:] - np.stack([np.sin(phase), np.cos(phase)])).max() < 1e-3


@pytest.mark.parametrize(
    ("in_rate_hz", "half_width"), [(128, 0), (256, 0), (512, 0), (125, 16), (199.9, 16), (200, 8), (250, 8)]
)
def test_how_long_a_resampler_waits(in_rate_hz: float, half_width: int) -> None:
    resampler = Resampler(in_rate_hz, RATE_HZ, 1)
    assert resampler.half_width == half_width
    assert resampler.wait_s == half_width / in_rate_hz
    assert (resampler.group_delay_s(10.0) > 0) == (in_rate_hz > RATE_HZ)
    assert in_rate_hz > RATE_HZ or resampler.group_delay_s(10.0) == 0


@pytest.mark.parametrize("rate_hz", [99.9, 1000.1])
def test_rates_that_cannot_be(rate_hz: float) -> None:
    with pytest.raises(ValueError, match=r"inside 100\.\.1000 Hz"):
        Resampler(rate_hz, RATE_HZ, 1)


def test_windows_are_cut_every_hop() -> None:
    windows = SlidingWindows(1, 4, 2)
    ready = [
        one
        for a, b in ((0, 3), (3, 5), (5, 11))
        for one in windows.push(np.arange(11.0)[np.newaxis, a:b], np.arange(11.0)[a:b])
    ]
    assert [one.samples_uv[0].tolist() for one in ready] == [
        [0, 1, 2, 3],
        [2, 3, 4, 5],
        [4, 5, 6, 7],
        [6, 7, 8, 9],
    ]
    assert [one.end_s for one in ready] == [3, 5, 7, 9]
    windows.reset()
    assert list(windows.push(np.zeros((1, 3)), np.arange(3.0))) == []
    for length, hop in ((4, 0), (4, 5)):
        with pytest.raises(ValueError, match=r"inside 1\.\.4"):
            SlidingWindows(1, length, hop)
    assert SlidingWindows(1, 4, 4)


def test_what_was_lost_is_a_share_of_what_is_asked_for() -> None:
    recent = RecentSamples(1, 4)
    for at in range(30):
        recent.push(np.array([[float(at)]]), np.array([float(at)]), np.array([at in (27, 28)]))
    samples, share = recent.until(29.5, 4)
    assert samples[0].tolist() == [26, 27, 28, 29]
    assert share == 0.5
    samples, share = recent.until(27.0, 2)
    assert (samples[0].tolist(), share) == ([25, 26], 0.0)
    assert RecentSamples(2, 4).until(1.0, 4)[0].shape == (2, 0)


def _hum(hertz: float, level: float, rate_hz: float = 250.0) -> np.ndarray:
    times_s = np.arange(round(4 * rate_hz)) / rate_hz
    noise = np.random.default_rng(1).normal(size=(3, len(times_s)))
    return 100.0 + noise + level * np.sin(2 * np.pi * hertz * times_s)


def test_mains_are_heard_by_the_median_electrode() -> None:
    assert find_mains_hz(_hum(50, 2), 250.0) == 50.0
    assert find_mains_hz(_hum(60, 2), 250.0) == 60.0
    assert find_mains_hz(_hum(50, 0), 250.0) is None
    both = _hum(50, 5)
    both[0] = _hum(60, 500)[0]
    assert find_mains_hz(both, 250.0) == 50.0
    both[1] = np.nan
    both[2, 0] = np.inf
    assert find_mains_hz(both, 250.0) == 60.0, "what is no number is left out"
    both[0, 0] = np.nan
    assert find_mains_hz(both, 250.0) is None
    assert find_mains_hz(_hum(50, 9)[:, :249], 250.0) is None, "less than a second"
    assert find_mains_hz(_hum(50, 9)[:, :250], 250.0) == 50.0
    assert find_mains_hz(_hum(60, 9, 124.0), 124.0) is None, "too near half the rate"
    assert find_mains_hz(_hum(50, 9, 124.0), 124.0) == 50.0


def _front_end(mains: object = None, rate_hz: float = RATE_HZ) -> FrontEnd:
    return FrontEnd(rate_hz, 2, PipelineSettings(mains_hz=mains))  # type: ignore[arg-type]


def test_a_window_is_two_seconds_each_half_second() -> None:
    front = _front_end()
    samples = np.random.default_rng(0).normal(size=(2, 512))
    lost = np.zeros(512, dtype=bool)
    lost[128:192] = True
    ready = list(front.push(samples, np.arange(512) / RATE_HZ, lost))
    assert [one.end_s for one in ready] == [(256 + 64 * i - 1) / RATE_HZ for i in range(5)]
    assert [one.lost_share for one in ready] == [0.25, 0.25, 0.25, 0.0, 0.0]
    expected, _ = signal.sosfilt(
        band_sections(RATE_HZ, None), samples,
        zi=signal.sosfilt_zi(band_sections(RATE_HZ, None))[:, np.newaxis, :] * samples[np.newaxis, :, :1],
    )  # fmt: skip
    for i, one in enumerate(ready):
        assert one.raw_uv.tolist() == samples[:, 64 * i : 64 * i + 256].tolist()
        assert one.filtered_uv == pytest.approx(expected[:, 64 * i : 64 * i + 256], abs=1e-9)
        assert one.finite.tolist() == [1, 1]


def test_above_a_volt_the_last_good_value_is_held_and_marked() -> None:
    samples = np.full((2, 256), 5.0)
    samples[0, 100:103] = [1.1e6, np.nan, -np.inf]
    samples[1, 0] = 1e6  # a volt is still a value
    (window,) = _front_end().push(samples, np.arange(256) / RATE_HZ)
    assert window.finite.tolist() == [0, 1]
    assert window.raw_uv[0, 99:104].tolist() == [5, 0, 0, 0, 5]
    assert window.filtered_uv[0] == pytest.approx(0, abs=1e-9), "as if it had never been"
    front = _front_end()
    list(front.push(np.full((2, 10), 7.0), np.arange(10) / RATE_HZ))
    broken = np.full((2, 256), np.nan)
    ready = list(front.push(broken, np.arange(10, 266) / RATE_HZ))
    assert ready[0].filtered_uv == pytest.approx(0, abs=1e-9), "also over the border of two chunks"


def test_auto_listens_four_seconds_and_then_notches_what_it_heard() -> None:
    front = _front_end("auto", 250.0)
    assert front.mains_hz == 50.0
    heard = _hum(60, 9)[:2]
    before = list(front.push(heard[:, :999], np.arange(999) / 250.0))
    assert front.mains_hz == 50.0
    assert len(before) == 4
    list(front.push(heard[:, 999:1000], np.array([999 / 250.0])))
    assert front.mains_hz == 60.0
    assert len(list(front.push(heard[:, :520], np.arange(1000, 1520) / 250.0))) == 1, "windows begin anew"
    assert _front_end(None).mains_hz is None
    assert _front_end(60.0).mains_hz == 60.0


def test_what_delays_is_told_in_milliseconds() -> None:
    front = _front_end(rate_hz=250.0)
    assert front.wait_ms == pytest.approx(32.0)
    band_s = group_delay_s(band_sections(RATE_HZ, None), 10.0, RATE_HZ)
    low_s = group_delay_s(butterworth_lowpass(8, 54.0, 250.0), 10.0, 250.0)
    assert front.signal_delay_ms == pytest.approx(1e3 * (band_s + low_s) + 32.0)
