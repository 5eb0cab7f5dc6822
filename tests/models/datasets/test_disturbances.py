"""Muscle is where muscle is, no more of it than was asked for; a lost electrode is what the gate masks."""

from __future__ import annotations

import numpy as np
import pytest

from acquisition.signal import FloatArray
from inference.features.schemas import band_power_uv2
from inference.offline import feature_sequence
from models.datasets.disturbances import MuscleShape, with_muscle, without_electrode
from support.recordings.a_head import head_noise

RATE_HZ = 128.0
MUSE = ("Fp1", "Fp2", "P7", "P8")


def head(seed: int, seconds: float = 60.0) -> FloatArray:
    """Four electrodes that share what falls with frequency and an alpha that waxes and wanes, 10 uV each."""
    rng = np.random.default_rng(seed)
    n = round(seconds * RATE_HZ)
    hz = np.fft.rfftfreq(n, 1 / RATE_HZ)
    shape = 1 / np.sqrt(hz + 2) + 0.8 * np.exp(-((hz - 10) ** 2) / 2)
    sources = np.fft.irfft(np.fft.rfft(rng.normal(size=(6, n)), axis=1) * shape, n, axis=1)
    samples = rng.normal(size=(4, 6)) @ sources + 1.5 * sources[0]
    result: FloatArray = 10 * samples / samples.std(axis=1, keepdims=True)
    return result


@pytest.mark.parametrize("shape", ["surface", "flat"])
@pytest.mark.parametrize("times", [0.5, 1.0, 3.0])
def test_muscle_adds_as_much_above_30_hz_as_was_asked_for(shape: MuscleShape, times: float) -> None:
    rest = head(1)
    tensed = with_muscle(rest, RATE_HZ, times, np.random.default_rng(2), shape)
    before, after = (band_power_uv2(uv, RATE_HZ, ((30, 45), (1, 12)))[:, :] for uv in (rest, tensed))
    assert after[:, 0] / before[:, 0] == pytest.approx(1 + times, rel=0.25)
    assert after[:, 1] / before[:, 1] == pytest.approx(1, rel=0.1)


def test_a_lost_electrode_is_masked_and_the_others_are_read() -> None:
    rest = head_noise(3, 4, round(60 * RATE_HZ), RATE_HZ)
    off = without_electrode(rest, 1)
    assert off[1].max() == off[1].min() == 0
    assert off[[0, 2, 3]] == pytest.approx(rest[[0, 2, 3]])
    whole, lacking = (feature_sequence(uv, RATE_HZ, MUSE, "de5@1").clean() for uv in (rest, off))
    assert len(lacking) == len(whole)
    by_electrode = lacking.reshape(len(lacking), 4, 5)
    assert np.isnan(by_electrode[:, 1]).all()
    assert np.isfinite(by_electrode[:, [0, 2, 3]]).all()
