"""Metrics against scikit-learn and against cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation import metrics

RNG = np.random.default_rng(3)
TRUTH = RNG.integers(0, 3, 200)
GUESS = np.where(RNG.random(200) < 0.6, TRUTH, RNG.integers(0, 3, 200))


@pytest.mark.train
def test_balanced_accuracy_and_macro_f1_equal_those_of_scikit_learn() -> None:
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    assert metrics.balanced_accuracy(TRUTH, GUESS) == pytest.approx(
        sklearn_metrics.balanced_accuracy_score(TRUTH, GUESS)
    )
    assert metrics.macro_f1(TRUTH, GUESS) == pytest.approx(
        sklearn_metrics.f1_score(TRUTH, GUESS, average="macro")
    )
    recalls = sklearn_metrics.recall_score(TRUTH, GUESS, average=None)
    assert list(metrics.recall_per_class(TRUTH, GUESS).values()) == pytest.approx(list(recalls))


def test_a_majority_vote_is_at_chance_however_uneven_the_classes() -> None:
    truth = np.array([0] * 95 + [1] * 5)
    assert metrics.balanced_accuracy(truth, np.zeros(100)) == 0.5
    assert metrics.majority_share(truth) == 0.95


def test_calibration_error_is_small_for_honest_and_large_for_boastful_probabilities() -> None:
    p = RNG.uniform(0, 1, 20_000)
    engaged = (RNG.random(20_000) < p).astype(float)
    weight = np.ones(20_000)
    assert metrics.calibration_error(p, engaged, weight) < 0.02
    assert metrics.calibration_error(np.where(p > 0.5, 0.99, 0.01), engaged, weight) > 0.2
    both = np.stack([1 - p, p], axis=1)
    assert metrics.confidence_error(both, engaged.astype(int)) < 0.02


def test_a_weight_counts_as_so_many_examples() -> None:
    p, y, w = np.array([0.9, 0.6, 0.2]), np.array([1.0, 0.0, 0.0]), np.array([1.0, 3.0, 2.0])
    repeated = np.repeat(p, w.astype(int)), np.repeat(y, w.astype(int)), np.ones(6)
    assert metrics.calibration_error(p, y, w) == pytest.approx(metrics.calibration_error(*repeated))


def test_leaving_out_the_unsure_lifts_accuracy_only_where_confidence_means_something() -> None:
    p = RNG.uniform(0, 1, 20_000)
    honest = (RNG.random(20_000) < p).astype(float)
    noise = (RNG.random(20_000) < 0.5).astype(float)
    for engaged, lift in ((honest, True), (noise, False)):
        whole, half = metrics.selective_accuracy(p, engaged, np.ones(len(p)), (1.0, 0.5))
        assert (half.balanced_accuracy - whole.balanced_accuracy > 0.05) is lift
        two = np.stack([1 - p, p], axis=1)
        same = metrics.selective_balance(two, engaged.astype(int), (1.0, 0.5))
        assert same[0].balanced_accuracy == pytest.approx(whole.balanced_accuracy, abs=0.01)


def test_the_bootstrap_interval_holds_the_mean_and_shrinks_with_people() -> None:
    few, many = RNG.normal(0.8, 0.1, 10), RNG.normal(0.8, 0.1, 1000)
    low, high = metrics.bootstrap_interval(few, seed=1)
    assert low < few.mean() < high
    narrow = metrics.bootstrap_interval(many, seed=1)
    assert narrow[1] - narrow[0] < (high - low) / 3
    with_gap = metrics.bootstrap_interval(np.append(few, np.nan), seed=1)
    assert with_gap == pytest.approx((low, high), abs=0.02)
