"""How good answers are, by figures that a majority vote cannot flatter: balance, calibration, abstention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.signal import FloatArray

BINS = 10
HEAD_BINS = 15
"""Of one head's confidence, which reaches from 1 / n_classes to 1."""

Counts = NDArray[np.int64]


def balanced_accuracy(truth: NDArray[Any], guess: NDArray[Any]) -> float:
    """Mean recall over the classes in ``truth`` (n,), NaN where there is none (Brodersen et al. 2010)."""
    recalls = list(recall_per_class(truth, guess).values())
    return float(np.mean(recalls)) if recalls else float("nan")


def recall_per_class(truth: NDArray[Any], guess: NDArray[Any]) -> dict[int, float]:
    """Share of each class found in ``guess`` (n,), for the classes that occur in ``truth`` (n,)."""
    return {int(c): float(np.mean(guess[truth == c] == c)) for c in np.unique(truth)}


def macro_f1(truth: NDArray[Any], guess: NDArray[Any]) -> float:
    """Mean over the classes of either side, (n,) each, of 2 TP / (2 TP + FP + FN)."""
    scores = []
    for c in np.unique(np.concatenate([truth, guess])):
        hit = np.sum((truth == c) & (guess == c))
        wrong = np.sum((truth == c) != (guess == c))
        scores.append(2 * hit / (2 * hit + wrong))
    return float(np.mean(scores)) if scores else float("nan")


def majority_share(truth: NDArray[Any]) -> float:
    """Plain accuracy of always naming the commonest class of ``truth`` (n,)."""
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
    """Weighted balanced accuracy on the surest share, for each of ``coverages`` (El-Yaniv, Wiener 2010).

    ``p`` (n,) are probabilities of being engaged, ``engaged`` (n,) the truth, ``weight`` (n,) what counts.
    """
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
    """Balanced accuracy of the surest share of ``probabilities`` (n, n_classes), any number of classes."""
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
    """Percentile interval of the mean over people (n,), drawn with replacement (Efron 1979), without NaN."""
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan"), float("nan")
    picks = np.random.default_rng(seed).integers(0, len(known), (draws, len(known)))
    low, high = np.quantile(known[picks].mean(axis=1), [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


def confusion_matrix(truth: NDArray[np.int64], told: NDArray[np.int64], n_classes: int) -> Counts:
    """Counts (n_classes, n_classes): row true class, column told class."""
    flat = np.bincount(truth * n_classes + told, minlength=n_classes * n_classes)
    return flat.reshape(n_classes, n_classes).astype(np.int64)


def classification_report(matrix: Counts, names: Sequence[Any]) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and support by class, and their ``macro avg``, as scikit-learn names them, of
    counts (n_classes, n_classes).
    """
    hits, told, true = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    rows: dict[str, dict[str, float]] = {}
    for i, name in enumerate(names):
        precision = float(hits[i] / told[i]) if told[i] else 0.0
        recall = float(hits[i] / true[i]) if true[i] else 0.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        rows[str(name)] = {"precision": precision, "recall": recall, "f1-score": f1, "support": int(true[i])}
    present = [row for row in rows.values() if row["support"]]
    rows["macro avg"] = {
        key: float(np.mean([row[key] for row in present])) for key in ("precision", "recall", "f1-score")
    } | {"support": int(matrix.sum())}
    return rows


def scores(probabilities: NDArray[Any], truth: NDArray[np.int64], names: Sequence[Any]) -> dict[str, Any]:
    """Everything ``evaluate`` says of a head's ``probabilities`` (n, n_classes): plain numbers and lists."""
    told = probabilities.argmax(axis=1)
    matrix = confusion_matrix(truth, told, len(names))
    report = classification_report(matrix, names)
    return {
        "accuracy": float(np.trace(matrix) / matrix.sum()),
        "balanced_accuracy": balanced_accuracy(truth, told),
        "macro_f1": report["macro avg"]["f1-score"],
        "chance": 1 / len(names),
        "majority": majority_share(truth),
        "calibration_error": confidence_error(probabilities, truth, HEAD_BINS),
        "cross_entropy": cross_entropy(probabilities, np.eye(len(names))[truth]),
        "classification_report": report,
        "confusion_matrix": matrix.tolist(),
        "labels": list(names),
    }


def cross_entropy(
    probabilities: NDArray[Any], targets: NDArray[Any], weights: NDArray[Any] | None = None
) -> float:
    """Mean of ``-sum(target * ln probability)``, both (n, n_classes)."""
    losses = -(targets * np.log(np.clip(probabilities, 1e-7, 1))).sum(axis=1)
    return float(np.average(losses, weights=weights))
