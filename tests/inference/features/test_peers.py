"""Features held against mne-features (the group ``peers``) to 1e-6, where both define the same thing."""

from __future__ import annotations

import numpy as np
import pytest

from inference.features import blocks
from inference.features.schemas import BANDS, band_power_uv2
from inference.features.spectrum import spectrum_of

univariate = pytest.importorskip("mne_features.univariate", reason="mne-features is not installed (peers)")

RATE_HZ = 128.0
N = 256
SAMPLES_UV = np.random.default_rng(4).normal(size=(8, N)).cumsum(axis=1)


def test_statistics() -> None:
    four = blocks.four_statistics(spectrum_of(SAMPLES_UV, RATE_HZ))
    assert np.abs(four[:, 0] - univariate.compute_mean(SAMPLES_UV)).max() < 1e-6
    sd = univariate.compute_std(SAMPLES_UV) * np.sqrt((N - 1) / N)  # theirs divides by n - 1
    assert np.abs(four[:, 1] - sd).max() < 1e-6
    assert np.abs(four[:, 2] - univariate.compute_skewness(SAMPLES_UV)).max() < 1e-6
    excess = univariate.compute_kurtosis(SAMPLES_UV) - 3  # theirs is 3 for a Gaussian
    assert np.abs(four[:, 3] - excess).max() < 1e-6


def test_first_differences() -> None:
    six = blocks.six_statistics(spectrum_of(SAMPLES_UV, RATE_HZ))
    assert np.abs(six[:, 2] - univariate.compute_line_length(SAMPLES_UV)).max() < 1e-6


def test_band_power() -> None:
    """Theirs has no Hann taper, so it is given tapered samples; its bands include both edges."""
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N) / N)
    tapered = (SAMPLES_UV - SAMPLES_UV.mean(axis=1, keepdims=True)) * taper
    edges = np.array([[low, high - 0.1] for low, high in BANDS])
    theirs = univariate.compute_pow_freq_bands(
        RATE_HZ, tapered, freq_bands=edges, normalize=False, psd_method="fft"
    ).reshape(8, len(BANDS))
    ours = band_power_uv2(SAMPLES_UV, RATE_HZ)
    assert np.abs(ours / (theirs * N / np.sum(taper**2)) - 1).max() < 1e-6


def test_hjorth_mobility() -> None:
    """Theirs puts a zero before the samples and divides by n - 1."""
    padded = np.insert(SAMPLES_UV, 0, 0, axis=1)
    ours = blocks.hjorth(spectrum_of(padded, RATE_HZ))[:, 1]
    theirs = univariate.compute_hjorth_mobility(SAMPLES_UV)
    assert np.abs(ours * np.sqrt(N / (N - 1) * N / (N + 1)) / theirs - 1).max() < 1e-6
