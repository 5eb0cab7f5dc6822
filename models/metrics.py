"""Figures for two states and many people: balanced accuracy, calibration, abstention and their spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.signal import FloatArray

BINS = 10


def balanced_accuracy(truth: NDArray[Any], guess: NDArray[Any]) -> float:
    """Mean recall over the classes that occur in ``truth`` (n,); NaN where there is none."""
    recalls = list(recall_per_class(truth, guess).values())
    return float(np.mean(recalls)) if recalls else float("nan")


def recall_per_class(truth: NDArray[Any], guess: NDArray[Any]) -> dict[int, float]:
    """Share of each class found, for the classes that occur."""
    return {int(c): float(np.mean(guess[truth == c] == c)) for c in np.unique(truth)}


def macro_f1(truth: NDArray[Any], guess: NDArray[Any]) -> float:
    """Mean over the classes of either side of 2 TP / (2 TP + FP + FN)."""
    scores = []
    for c in np.unique(np.concatenate([truth, guess])):
        hit = np.sum((truth == c) & (guess == c))
        wrong = np.sum((truth == c) != (guess == c))
        scores.append(2 * hit / (2 * hit + wrong))
    return float(np.mean(scores)) if scores else float("nan")


def majority_share(truth: NDArray[Any]) -> float:
    """Plain accuracy of always naming the commonest class."""
    _, counts = np.unique(truth, return_counts=True)
    return float(counts.max() / counts.sum()) if len(counts) else float("nan")


def calibration_error(p: FloatArray, engaged: FloatArray, weight: FloatArray, bins: int = BINS) -> float:
    """Expected calibration error (Guo et al. 2017) of the named side's confidence, ``weight`` (n,) each.

    Ten equal bins between 0.5 and 1; ``p`` is the probability of being engaged.
    """
    confidence = np.maximum(p, 1 - p)
    right = ((p > 0.5) == (engaged > 0.5)).astype(np.float64)
    place = np.minimum(((confidence - 0.5) * 2 * bins).astype(np.intp), bins - 1)
    share = np.bincount(place, weight, bins)
    gap = np.bincount(place, weight * right, bins) - np.bincount(place, weight * confidence, bins)
    return float(np.abs(gap).sum() / max(share.sum(), 1e-12))


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """Balanced accuracy over what is still answered when the least sure are left out."""

    coverage: float
    balanced_accuracy: float


def selective_accuracy(
    p: FloatArray, engaged: FloatArray, weight: FloatArray, coverages: Sequence[float]
) -> tuple[CoveragePoint, ...]:
    """Weighted balanced accuracy on the surest share, for each of ``coverages`` (El-Yaniv, Wiener 2010)."""
    order = np.argsort(-np.abs(p - 0.5), kind="stable")
    reached = np.cumsum(weight[order]) / weight.sum()
    points = []
    for coverage in coverages:
        kept = order[: int(np.searchsorted(reached, coverage - 1e-9)) + 1]
        points.append(CoveragePoint(coverage, _weighted_balance(p[kept], engaged[kept], weight[kept])))
    return tuple(points)


def _weighted_balance(p: FloatArray, engaged: FloatArray, weight: FloatArray) -> float:
    right = (p > 0.5) == (engaged > 0.5)
    recalls = [
        float((right * weight)[side].sum() / weight[side].sum())
        for side in (engaged > 0.5, engaged <= 0.5)
        if weight[side].sum() > 0
    ]
    return float(np.mean(recalls)) if recalls else float("nan")


def confidence_error(probabilities: FloatArray, truth: NDArray[Any], bins: int = BINS) -> float:
    """Expected calibration error of any number of classes: ``probabilities`` (n, n_classes)."""
    confidence = probabilities.max(axis=1)
    right = (probabilities.argmax(axis=1) == truth).astype(np.float64)
    place = np.minimum((confidence * bins).astype(np.intp), bins - 1)
    gap = np.bincount(place, right, bins) - np.bincount(place, confidence, bins)
    return float(np.abs(gap).sum() / max(len(truth), 1))


def selective_balance(
    probabilities: FloatArray, truth: NDArray[Any], coverages: Sequence[float]
) -> tuple[CoveragePoint, ...]:
    """Balanced accuracy of the surest share of answers, any number of classes."""
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    guess = probabilities.argmax(axis=1)
    points = []
    for coverage in coverages:
        kept = order[: max(1, round(coverage * len(order)))]
        points.append(CoveragePoint(coverage, balanced_accuracy(truth[kept], guess[kept])))
    return tuple(points)


def bootstrap_interval(
    values: FloatArray, *, seed: int, draws: int = 2000, share: float = 0.95
) -> tuple[float, float]:
    """Percentile interval of the mean over people, drawn with replacement (Efron 1979), without NaN."""
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan"), float("nan")
    picks = np.random.default_rng(seed).integers(0, len(known), (draws, len(known)))
    low, high = np.quantile(known[picks].mean(axis=1), [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)
