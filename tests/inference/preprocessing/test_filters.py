"""Filters: equal to scipy.signal's, and the same whatever the chunks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from inference.preprocessing.filter_design import (
    butterworth_highpass,
    butterworth_lowpass,
    group_delay_s,
    notch,
    response,
)
from inference.preprocessing.filters import CascadeFilter, band_sections
from inference.preprocessing.resampling import Resampler

RATES_HZ = (128.0, 200.0, 250.0, 256.0, 500.0, 1000.0)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_designs_equal_scipys(rate_hz: float) -> None:
    frequencies_hz = np.linspace(0.1, rate_hz / 2 - 0.1, 400)
    pairs = (
        (butterworth_lowpass(4, 45, rate_hz), signal.butter(4, 45, fs=rate_hz, output="sos")),
        (butterworth_highpass(4, 1, rate_hz), signal.butter(4, 1, "high", fs=rate_hz, output="sos")),
        (notch(50, 20, rate_hz), signal.tf2sos(*signal.iirnotch(50, 20, fs=rate_hz))),
    )
    for ours, theirs in pairs:
        expected = signal.freqz_sos(theirs, frequencies_hz, fs=rate_hz)[1]
        assert np.abs(response(ours, frequencies_hz, rate_hz) - expected).max() < 1e-9


def test_the_cascade_equals_sosfilt_from_its_steady_state() -> None:
    samples = np.random.default_rng(0).normal(size=(3, 2000)).cumsum(axis=1) + 60_000.0
    sections = band_sections(128.0, 50.0)
    start = signal.sosfilt_zi(sections)[:, np.newaxis] * samples[:, 0][np.newaxis, :, np.newaxis]
    expected, _ = signal.sosfilt(sections, samples, zi=start)
    assert np.abs(CascadeFilter(sections, 3).process(samples) - expected).max() < 1e-5


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(0, 300), min_size=1, max_size=30), seed=st.integers(0, 2**32 - 1))
def test_chunked_equals_whole(sizes: list[int], seed: int) -> None:
    samples = np.random.default_rng(seed).normal(size=(4, sum(sizes) + 1)) * 30
    whole = CascadeFilter(band_sections(128.0, 50.0), 4).process(samples)
    chunked = CascadeFilter(band_sections(128.0, 50.0), 4)
    edges = np.cumsum([0, *sizes, 1])
    parts = [chunked.process(samples[:, a:b]) for a, b in pairwise(edges)]
    assert np.abs(np.concatenate(parts, axis=1) - whole).max() < 1e-9


@settings(max_examples=40, deadline=None)
@given(
    rate_hz=st.sampled_from((100.0, 200.0, 250.0, 256.0, 300.0, 512.0, 1000.0)),
    sizes=st.lists(st.integers(0, 200), min_size=1, max_size=20),
)
def test_resampling_does_not_depend_on_chunks(rate_hz: float, sizes: list[int]) -> None:
    n = sum(sizes) + 1
    samples = np.random.default_rng(n).normal(size=(2, n))
    times_s = np.arange(n) / rate_hz
    whole, whole_s = Resampler(rate_hz, 128.0, 2).process(samples, times_s)
    resampler = Resampler(rate_hz, 128.0, 2)
    edges = np.cumsum([0, *sizes, 1])
    parts = [resampler.process(samples[:, a:b], times_s[a:b]) for a, b in pairwise(edges)]
    got = np.concatenate([part for part, _ in parts], axis=1)
    got_s = np.concatenate([at_s for _, at_s in parts])
    assert got.shape == whole.shape
    assert np.allclose(got, whole, atol=1e-9)
    assert np.allclose(got_s, whole_s, atol=1e-9)


@pytest.mark.parametrize("rate_hz", [200.0, 250.0, 256.0, 500.0, 1000.0])
@pytest.mark.parametrize("tone_hz", [2.0, 10.0, 40.0])
def test_resampling_keeps_a_tone(rate_hz: float, tone_hz: float) -> None:
    times_s = np.arange(round(8 * rate_hz)) / rate_hz
    tone = np.sin(2 * np.pi * tone_hz * times_s)[np.newaxis]
    out, out_s = Resampler(rate_hz, 128.0, 1).process(tone, times_s)
    level = np.sqrt(2) * out[0, len(out_s) // 2 :].std()
    assert np.diff(out_s) == pytest.approx(1 / 128, abs=1e-6)
    assert level == pytest.approx(1.0, abs=0.12)


def test_what_would_alias_is_gone() -> None:
    times_s = np.arange(8 * 256) / 256.0
    tone = np.sin(2 * np.pi * 100.0 * times_s)[np.newaxis]
    out, _ = Resampler(256.0, 128.0, 1).process(tone, times_s)
    assert out[0, 256:].std() < 0.01


@pytest.mark.parametrize("rate_hz", [0.0, 50.0, 2000.0])
def test_a_rate_out_of_range_is_refused_by_name(rate_hz: float) -> None:
    with pytest.raises(ValueError, match=r"sampling rate must lie inside 100\.\.1000"):
        Resampler(rate_hz, 128.0, 2)


def test_the_group_delay_at_alpha_is_stated_and_small() -> None:
    assert 0 < group_delay_s(band_sections(128.0, 50.0), 10.0, 128.0) < 0.05
