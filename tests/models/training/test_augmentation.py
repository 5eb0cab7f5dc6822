"""Augmentations do what they are named after, by shape and by number."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import TrainingError
from models.networks.input_layout import InputLayout
from models.training.augmentation import Augmentation, augment

RAW = InputLayout(("electrode", "sample"), (4, 128))
BANDS = InputLayout(("electrode", "band"), (4, 5))
TARGETS = {"emotion": np.eye(2, dtype=np.float32)[np.arange(64) % 2]}


def _run(X: np.ndarray, layout: InputLayout, **how: float) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    settings = Augmentation(**how)  # type: ignore[arg-type]
    settings.check(layout)
    return augment(X.astype(np.float32), TARGETS, layout, settings, np.random.default_rng(1), 128.0)


def test_noise_has_the_size_asked_for_in_each_feature() -> None:
    X = np.random.default_rng(0).normal(size=(64, 20)) * np.linspace(0.1, 50, 20)
    X = np.tile(X, (1, 1))
    noisy, _ = _run(X, BANDS, noise=0.5)
    ratio = (noisy - X).std(axis=0) / X.std(axis=0)
    assert ratio.min() > 0.3
    assert ratio.max() < 0.7


def test_a_time_shift_only_moves_samples() -> None:
    X = np.random.default_rng(0).normal(size=(64, 4, 128))
    moved, _ = _run(X, RAW, time_shift=5)
    shifts = set()
    for before, after in zip(X.astype(np.float32), moved, strict=True):
        shift = next(s for s in range(-5, 6) if np.array_equal(np.roll(before, s, axis=1), after))
        shifts.add(shift)
    assert len(shifts) > 5


def test_a_lost_electrode_says_nothing_and_one_always_stays() -> None:
    X = np.random.default_rng(0).normal(size=(64, 20)) + 3
    dropped, _ = _run(X, BANDS, channel_dropout=0.9)
    electrodes = dropped.reshape(64, 4, 5)
    mean = X.astype(np.float32).reshape(64, 4, 5).mean(axis=0)
    lost = np.isclose(electrodes, mean, atol=1e-6).all(axis=2)
    assert 0.5 < lost.mean() < 0.9
    assert not lost.all(axis=1).any()


def test_a_frequency_shift_moves_a_tone_by_hertz() -> None:
    tone = np.sin(2 * np.pi * 20 * np.arange(128) / 128)
    X = np.tile(tone, (64, 4, 1))
    moved, _ = _run(X, RAW, frequency_shift=4)
    peaks = np.abs(np.fft.rfft(moved[:, 0], axis=1)).argmax(axis=1)
    assert peaks.min() >= 16
    assert peaks.max() <= 24
    assert len(set(peaks)) > 4


def test_a_band_shift_interpolates_between_neighbours() -> None:
    X = np.tile(np.arange(5.0), (64, 4, 1))
    moved, _ = _run(X.reshape(64, 20), BANDS, frequency_shift=0.5)
    inner = moved.reshape(64, 4, 5)[:, :, 1:4] - np.arange(1, 4)
    assert np.abs(inner).max() <= 0.5 + 1e-6
    assert np.abs(inner).max() > 0.3
    np.testing.assert_allclose(inner, np.broadcast_to(inner[:, :1, :1], inner.shape), atol=1e-5)


def test_mixup_mixes_labels_as_it_mixes_examples() -> None:
    X = np.repeat(TARGETS["emotion"][:, :1], 20, axis=1)
    mixed, targets = _run(X, BANDS, mixup=0.4)
    np.testing.assert_allclose(mixed[:, 0], targets["emotion"][:, 0], atol=1e-6)
    np.testing.assert_allclose(targets["emotion"].sum(axis=1), 1, atol=1e-6)
    assert ((mixed[:, 0] > 0.05) & (mixed[:, 0] < 0.95)).any()


@pytest.mark.parametrize(
    ("how", "layout", "says"),
    [
        ({"time_shift": 2}, BANDS, "time_shift needs an axis of sample or time"),
        ({"frequency_shift": 1}, InputLayout(("feature",), (9,)), "frequency_shift needs an axis of sample"),
        ({"noise": float("nan")}, BANDS, "noise must be 0 or more, got nan"),
        ({"channel_dropout": 1.0}, BANDS, "channel_dropout must be below 1"),
    ],
)
def test_what_cannot_be_done_is_named(how: dict[str, float], layout: InputLayout, says: str) -> None:
    with pytest.raises(TrainingError, match=says):
        Augmentation(**how).check(layout)  # type: ignore[arg-type]
