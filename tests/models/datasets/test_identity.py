"""People are known by their samples, whatever file, unit or name they come in."""

from __future__ import annotations

import numpy as np
import pytest

from acquisition.signal import FloatArray
from models.datasets.identity import known_as, sample_hashes


def eeg(seed: int, n: int = 12_000) -> FloatArray:
    """Smooth noise in whole steps of a converter, with a flat stretch."""
    noise = np.random.default_rng(seed).normal(0, 30, n + 4)
    samples = np.round(np.convolve(noise, np.ones(5) / 5, mode="valid")) * 0.0488
    samples[500:700] = 0.0
    return samples


KNOWN = {f"S{seed:02}": sample_hashes(eeg(seed)) for seed in range(12)}


@pytest.mark.parametrize(
    "saved_anew",
    [
        lambda samples: samples,
        lambda samples: samples.astype(np.float32),
        lambda samples: samples * 1e-6,
        lambda samples: samples + 7.5,
        lambda samples: samples[1000:],
        lambda samples: samples[:9000],
        lambda samples: np.concatenate([np.zeros(77), samples]),
    ],
    ids=["the same", "float32", "volts", "offset", "cut before", "cut behind", "moved"],
)
def test_a_person_is_known_again(saved_anew: object) -> None:
    assert callable(saved_anew)
    assert known_as(saved_anew(eeg(3)), KNOWN) == "S03"


def test_a_stranger_is_not_known_nor_is_what_is_flat_or_short() -> None:
    assert [known_as(eeg(seed), KNOWN) for seed in range(100, 120)] == [""] * 20
    assert known_as(np.zeros(5000), KNOWN) == ""
    assert known_as(np.zeros(3), KNOWN) == ""
    assert known_as(eeg(3), {"nobody": ()}) == ""
