"""Features held against mne-features, where both define the same thing (the group ``peers``)."""

from __future__ import annotations

import numpy as np
import pytest

from inference import feature_blocks as blocks
from inference.features import BANDS, band_power_uv2
from inference.spectrum import spectrum_of

univariate = pytest.importorskip("mne_features.univariate", reason="mne-features is not installed (peers)")

RATE_HZ = 128.0
SAMPLES_UV = np.random.default_rng(4).normal(size=(8, 256)).cumsum(axis=1)


def test_statistics() -> None:
    four = blocks.four_statistics(spectrum_of(SAMPLES_UV, RATE_HZ))
    assert np.abs(four[:, 0] - univariate.compute_mean(SAMPLES_UV)).max() < 1e-6
    sd = univariate.compute_std(SAMPLES_UV) * np.sqrt(255 / 256)  # theirs divides by n - 1
    assert np.abs(four[:, 1] - sd).max() < 1e-6
    assert np.abs(four[:, 2] - univariate.compute_skewness(SAMPLES_UV)).max() < 1e-6
    assert np.abs(four[:, 3] - univariate.compute_kurtosis(SAMPLES_UV)).max() < 1e-6


def test_band_power() -> None:
    edges = np.array([1.0, 4.0, 8.0, 13.0, 30.0, 45.0])
    theirs = univariate.compute_pow_freq_bands(
        RATE_HZ,
        SAMPLES_UV,
        freq_bands=edges,
        normalize=False,
        psd_method="welch",
        psd_params={"welch_n_fft": 256, "welch_n_per_seg": 256},
    ).reshape(8, 5)
    # theirs sums the density over bins, of a Hamming taper unless told otherwise: compare the shares
    ours = band_power_uv2(SAMPLES_UV, RATE_HZ, BANDS)
    assert np.corrcoef(np.log(ours).ravel(), np.log(theirs).ravel())[0, 1] > 0.99


def test_hjorth() -> None:
    """Theirs uses no gradient but first differences, as ours does."""
    ours = blocks.hjorth(spectrum_of(SAMPLES_UV, RATE_HZ))
    assert np.abs(ours[:, 1] - univariate.compute_hjorth_mobility(SAMPLES_UV)).max() < 1e-2
    assert np.abs(ours[:, 2] - univariate.compute_hjorth_complexity(SAMPLES_UV)).max() < 1e-2
