"""How good answers are, by figures that a majority vote cannot flatter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


def confusion_matrix(truth: NDArray[np.int64], told: NDArray[np.int64], n_classes: int) -> Counts:
    """Counts (n_classes, n_classes): row true class, column told class."""
    flat = np.bincount(truth * n_classes + told, minlength=n_classes * n_classes)
    return flat.reshape(n_classes, n_classes).astype(np.int64)


def balanced_accuracy(matrix: Counts) -> float:
    """Mean recall over the classes that occur (Brodersen et al. 2010)."""
    there = matrix.sum(axis=1) > 0
    recalls = np.diag(matrix)[there] / matrix.sum(axis=1)[there]
    return float(recalls.mean()) if there.any() else float("nan")


def classification_report(matrix: Counts, names: Sequence[Any]) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and support by class, and their ``macro avg``, as scikit-learn names them."""
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


def calibration_error(probabilities: NDArray[Any], truth: NDArray[np.int64], bins: int = 15) -> float:
    """Expected calibration error: gap of confidence and accuracy by bins (Guo et al. 2017)."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        np.mean(place == b) * abs(confidence[place == b].mean() - right[place == b].mean())
        for b in range(bins)
        if np.any(place == b)
    ]
    return float(np.sum(gaps))


def scores(probabilities: NDArray[Any], truth: NDArray[np.int64], names: Sequence[Any]) -> dict[str, Any]:
    """Everything ``evaluate`` says of one head, plain numbers and lists only."""
    matrix = confusion_matrix(truth, probabilities.argmax(axis=1), len(names))
    report = classification_report(matrix, names)
    shares = matrix.sum(axis=1) / matrix.sum()
    return {
        "accuracy": float(np.trace(matrix) / matrix.sum()),
        "balanced_accuracy": balanced_accuracy(matrix),
        "macro_f1": report["macro avg"]["f1-score"],
        "chance": 1 / len(names),
        "majority": float(shares.max()),
        "calibration_error": calibration_error(probabilities, truth),
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
