"""However a window lies in memory, and however small its chunks were, it is read, and read alike."""

from __future__ import annotations

import numpy as np
import pytest

from acquisition.signal import EegChunk, StreamInfo
from inference.classification.band_power_classifier import BandPowerClassifier
from inference.features.spectrum import spectrum_of
from inference.pipeline import Pipeline, PipelineSettings


def test_a_window_laid_out_by_columns_has_the_same_spectrum() -> None:
    samples_uv = np.random.default_rng(1).normal(0.0, 20.0, (8, 256))
    by_columns = spectrum_of(np.asfortranarray(samples_uv), 128.0)
    np.testing.assert_allclose(by_columns.power, spectrum_of(samples_uv, 128.0).power, rtol=1e-9)


@pytest.mark.parametrize(("rate_hz", "n_channels"), [(125.0, 16), (200.0, 4), (250.0, 8), (500.0, 19)])
@pytest.mark.parametrize("size", [1, 5, 6, 9, 10, 11, 12, 17, 25])
def test_chunks_of_any_size_are_read(rate_hz: float, n_channels: int, size: int) -> None:
    """Where the first of them gave a single sample at the network's rate, the windows lay by columns."""
    names = tuple(f"ch{i + 1}" for i in range(n_channels))
    info = StreamInfo("test", "a headset", names, rate_hz)
    pipeline = Pipeline(info, BandPowerClassifier(names), PipelineSettings(hop_s=1.0))
    samples_uv = np.random.default_rng(2).normal(0.0, 20.0, (n_channels, round(3 * rate_hz)))
    times_s = np.arange(samples_uv.shape[1]) / rate_hz
    found = [
        reading
        for i in range(0, len(times_s), size)
        for reading in pipeline.push(EegChunk(samples_uv[:, i : i + size], times_s[i : i + size]))
    ]
    assert found
