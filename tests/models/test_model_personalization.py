"""Fine-tuning and the proof that a personal model is worth having."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.emotion_recognition_model import EmotionRecognitionModel
from models.errors import TrainingError
from models.model_personalization import (
    ALPHA,
    binomial_p,
    fine_tune_model,
    judge,
    judge_against_chance,
    label_folds,
    personalise,
    sign_flip_p,
)
from support.networks.example_making import blobs


def test_sign_flips_are_counted_exactly() -> None:
    assert sign_flip_p(np.ones(6)) == pytest.approx(2**-6)
    assert sign_flip_p(-np.ones(6)) == 1.0
    assert sign_flip_p(np.array([1.0, -1.0])) == pytest.approx(0.75)
    assert sign_flip_p(np.ones(20)) < 0.001


def test_sign_flips_keep_their_level_under_chance() -> None:
    rng = np.random.default_rng(0)
    passed = np.mean([sign_flip_p(rng.normal(size=8)) < ALPHA for _ in range(600)])
    assert 0.02 < passed < 0.08


def test_guessing_is_counted_as_scipy_counts_it() -> None:
    from scipy.stats import binom

    for right, n, chance in ((10, 12, 0.5), (7, 12, 0.6), (0, 5, 0.5)):
        assert binomial_p(right, n, chance) == pytest.approx(binom.sf(right - 1, n, chance))


def _answers(truth: np.ndarray, sure: float) -> np.ndarray:
    p = np.where(truth == 1, sure, 1 - sure)
    return np.stack([1 - p, p], axis=1)


def test_a_better_model_is_kept_and_an_equal_one_is_not() -> None:
    trials = np.repeat([f"t{i}" for i in range(8)], 30)
    truth = np.repeat(np.arange(8) % 2, 30)
    better = judge(_answers(truth, 0.4), _answers(truth, 0.8), truth, trials)
    assert better.kept
    assert (better.base_accuracy, better.personal_accuracy) == (0.0, 1.0)
    assert better.p_value == pytest.approx(2**-8)
    rng = np.random.default_rng(1)
    noise = np.repeat(rng.normal(size=8) * 0.1, 30)
    equal = judge(_answers(truth, 0.7), _answers(truth, 0.7 + 0.2 * noise), truth, trials)
    assert not equal.kept
    assert "no better than chance allows" in equal.reason


def test_a_model_that_is_only_surer_is_not_kept() -> None:
    trials = np.repeat([f"t{i}" for i in range(10)], 30)
    truth = np.repeat(np.arange(10) % 2, 30)
    surer = judge(_answers(truth, 0.6), _answers(truth, 0.99), truth, trials)
    assert not surer.kept
    assert surer.p_value == 1.0


def test_many_windows_of_few_trials_prove_nothing() -> None:
    trials = np.repeat(["a", "b", "c", "d"], 1000)
    truth = np.repeat([0, 1, 0, 1], 1000)
    verdict = judge(_answers(truth, 0.4), _answers(truth, 0.9), truth, trials)
    assert verdict.p_value == pytest.approx(1 / 16)
    assert not verdict.kept


def test_valence_needs_more_than_the_commonest_label() -> None:
    trials = np.repeat([f"song{i}" for i in range(12)], 10)
    truth = np.repeat([1] * 8 + [0] * 4, 10)
    always = judge_against_chance(_answers(np.ones_like(truth), 0.9), truth, trials)
    assert not always.kept
    right = judge_against_chance(_answers(truth, 0.9), truth, trials)
    assert right.kept
    assert "12 of 12 held-out trials right" in right.reason


def test_folds_hold_whole_trials_of_every_label() -> None:
    trials = np.repeat(np.arange(9), 5)
    labels = np.repeat([0, 0, 0, 0, 0, 0, 1, 1, 1], 5)
    folds = label_folds(labels, trials, 4, 0)
    assert len(folds) == 3
    for train, test in folds:
        assert not set(trials[train]) & set(trials[test])
        assert set(labels[train]) == set(labels[test]) == {0, 1}


@pytest.mark.parametrize(
    ("labels", "trials", "says"),
    [
        ([0, 1] * 2, ["a", "b", "c", "d"], "at least 6 trials, got 4"),
        ([0] * 5 + [1], list("abcdef"), "each label needs at least 2 trials, '1' has 1"),
        ([0, 1] * 6, [f"t{i // 2}" for i in range(12)], "a trial has one label; t0 has several"),
        ([0, 1] * 6, list("ab"), "trials must name each of the 12 examples, got 2"),
    ],
)
def test_trials_that_cannot_prove_anything_are_refused(labels: Any, trials: Any, says: str) -> None:
    model = EmotionRecognitionModel((4,), n_classes=2)
    with pytest.raises(TrainingError, match=says):
        personalise(model, np.zeros((len(labels), 4)), labels, trials)


@pytest.fixture(scope="module")
def base() -> EmotionRecognitionModel:
    pytest.importorskip("tensorflow", reason="needs the train extra")
    X, y, groups = blobs(n=200)
    model = EmotionRecognitionModel((20,), n_classes=2, model_name="base")
    model.build_model("dense", dense_units=(8,), dropout=0.1)
    model.train(
        X,
        np.array(["calm", "engaged"])[y],
        groups=groups,
        epochs=12,
        batch_size=16,
        progress=False,
        checkpoints=False,
    )
    return model


@pytest.mark.train
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("untraced")
def test_frozen_layers_stay_and_the_model_given_is_not_changed(base: EmotionRecognitionModel) -> None:
    X, y, groups = blobs(n=40, seed=4)
    labels = np.array(["calm", "engaged"])[y]
    before = base.network.get_weights()
    tuned = fine_tune_model(base, X, labels, freeze_layers=5, epochs=2, groups=groups, progress=False)
    for ours, theirs in zip(base.network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    changed = [
        layer.name
        for layer, old in zip(tuned.network.layers, base.network.layers, strict=True)
        if any((a != b).any() for a, b in zip(layer.get_weights(), old.get_weights(), strict=True))
    ]
    assert changed == ["emotion"]
    assert tuned.encoders == base.encoders
    assert tuned.config()["training"]["freeze_layers"] == 5
    assert tuned.config()["leaky"] is False
    with pytest.raises(TrainingError, match=r"freeze_layers must lie inside 0..6, got 99"):
        fine_tune_model(base, X, labels, freeze_layers=99, groups=groups)


@pytest.mark.train
@pytest.mark.timeout(400)
def test_a_person_who_differs_gets_a_model_of_their_own(base: EmotionRecognitionModel) -> None:
    X, y, _ = blobs(n=160, seed=5)
    labels, trials = np.array(["calm", "engaged"])[y], np.array([f"{c}{i // 20}" for i, c in enumerate(y)])
    away = X[y == 1].mean(axis=0) - X[y == 0].mean(axis=0)
    shifted = X + 0.9 * away
    how: dict[str, Any] = {"freeze_layers": 2, "epochs": 15, "learning_rate": 0.02, "batch_size": 16}
    tuned, verdict = personalise(base, shifted, labels, trials, n_folds=2, **how)
    assert verdict.kept, verdict.reason
    assert verdict.n_trials == 16
    assert verdict.personal_accuracy > verdict.base_accuracy + 0.2
    assert tuned.evaluate(shifted, labels)["accuracy"] > 0.9


@pytest.mark.train
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("untraced")
def test_labels_without_meaning_never_give_a_personal_model(base: EmotionRecognitionModel) -> None:
    X, _, _ = blobs(n=160, seed=6)
    rng = np.random.default_rng(0)
    trials = np.arange(160) // 20
    labels = np.array(["calm", "engaged"])[rng.permutation([0, 1] * 4)[trials]]
    X = rng.normal(size=X.shape).astype(np.float32)
    how: dict[str, Any] = {"freeze_layers": 5, "epochs": 3, "learning_rate": 0.01}
    _, verdict = personalise(base, X, labels, trials, n_folds=2, **how)
    assert verdict.personal_accuracy <= 0.9
    assert not verdict.kept, verdict.reason
