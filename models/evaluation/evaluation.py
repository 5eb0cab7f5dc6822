"""Protocols and figures for any classifier on examples of several people, with what a lucky guess reaches.

A protocol says which rows are trained on and which are scored. Leave-one-person-out says what a stranger may
expect; trial-disjoint what the same person may after a calibration in the same session; cross-session what
is left of that on another day. Windows split at random put neighbours on both sides: that figure is kept
only to show by how much it lies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from acquisition.signal import FloatArray
from models.errors import TrainingError
from models.evaluation.metrics import (
    balanced_accuracy,
    bootstrap_interval,
    confidence_error,
    macro_f1,
    majority_share,
    recall_per_class,
    selective_balance,
)

Labels = NDArray[np.int64]
Protocol = Literal[
    "leave_one_person_out", "people_folds", "trial_disjoint", "cross_session", "random_windows"
]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
LEAKY: frozenset[str] = frozenset({"random_windows"})
Fold = tuple[NDArray[np.intp], NDArray[np.intp]]
FitPredict = Callable[[FloatArray, Labels, FloatArray], FloatArray]
"""(X to train on, y, X to tell) -> probabilities (n, n_classes)."""
COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """X (n, ...), y (n,) as 0..n_classes-1, who each is of (n,), and where known which trial and session."""

    X: FloatArray
    y: Labels
    people: NDArray[Any]
    trials: NDArray[Any] | None = None
    sessions: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        for name in ("y", "people", "trials", "sessions"):
            values = getattr(self, name)
            if values is not None and len(values) != len(self.X):
                raise TrainingError(f"{name} must have one value for each of {len(self.X)} examples")
        if len(np.unique(self.y)) < 2:
            raise TrainingError("an evaluation needs at least 2 classes in y, got 1")

    @property
    def n_classes(self) -> int:
        return int(self.y.max()) + 1


def folds(examples: Examples, protocol: Protocol, *, n_folds: int = 5, seed: int = 0) -> Iterator[Fold]:
    """(train, test) rows of every fold. Raises ``TrainingError`` where a protocol lacks its units."""
    if protocol not in PROTOCOLS:
        raise TrainingError(f"unknown protocol {protocol!r}: one of {', '.join(PROTOCOLS)}")
    rng = np.random.default_rng(seed)
    n = len(examples.X)
    if protocol == "random_windows":
        for part in np.array_split(rng.permutation(n), n_folds):
            yield np.setdiff1d(np.arange(n), part), np.sort(part)
        return
    if protocol in ("leave_one_person_out", "people_folds"):
        names = rng.permutation(np.unique(examples.people))
        _need(len(names), "people", protocol)
        n_parts = len(names) if protocol == "leave_one_person_out" else min(n_folds, len(names))
        for part in np.array_split(names, n_parts):
            inside = np.isin(examples.people, part)
            yield np.flatnonzero(~inside), np.flatnonzero(inside)
        return
    yield from _inside_people(examples, protocol, n_folds, rng)


def _inside_people(
    examples: Examples, protocol: Protocol, n_folds: int, rng: np.random.Generator
) -> Iterator[Fold]:
    units = examples.trials if protocol == "trial_disjoint" else examples.sessions
    if units is None:
        raise TrainingError(f"{protocol} needs to know the {'trial' if protocol[0] == 't' else 'session'}s")
    for person in np.unique(examples.people):
        own = np.flatnonzero(examples.people == person)
        names = rng.permutation(np.unique(units[own]))
        _need(len(names), f"units of {person}", protocol)
        n_parts = min(n_folds, len(names)) if protocol == "trial_disjoint" else len(names)
        for part in np.array_split(names, n_parts):
            test = own[np.isin(units[own], part)]
            yield np.setdiff1d(own, test), test


def _need(n: int, what: str, protocol: str) -> None:
    if n < 2:
        raise TrainingError(f"{protocol} needs at least 2 {what}, got {n}")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One model under one protocol; ``figures`` holds plain numbers only."""

    model: str
    protocol: str
    figures: dict[str, Any]
    controls: dict[str, float] = field(default_factory=dict)

    @property
    def leaky(self) -> bool:
        return self.protocol in LEAKY

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "model": self.model,
            "protocol": self.protocol,
            "leaky": self.leaky,
            "figures": self.figures,
            "controls": self.controls,
        }


def evaluate(
    model: str,
    examples: Examples,
    protocol: Protocol,
    fit_predict: FitPredict,
    *,
    n_folds: int = 5,
    seed: int = 0,
    shuffles: int = 0,
) -> Evaluation:
    """Figures of ``fit_predict`` under the protocol, and with ``shuffles`` the shuffled-label control."""
    probabilities = _out_of_fold(examples, examples.y, protocol, fit_predict, n_folds, seed)
    controls = {}
    if shuffles:
        rng = np.random.default_rng(seed + 1)
        scores = []
        for _ in range(shuffles):
            mixed = _shuffled(examples, rng)
            told = _out_of_fold(examples, mixed, protocol, fit_predict, n_folds, seed).argmax(axis=1)
            scores.append(balanced_accuracy(mixed, told))
        controls["shuffled"] = round(float(np.mean(scores)), 4)
    return Evaluation(model, protocol, figures(examples, probabilities, seed), controls)


def _shuffled(examples: Examples, rng: np.random.Generator) -> Labels:
    """Labels exchanged inside each person, so that everyone keeps their shares."""
    mixed = examples.y.copy()
    for person in np.unique(examples.people):
        own = np.flatnonzero(examples.people == person)
        mixed[own] = rng.permutation(mixed[own])
    return mixed


def _out_of_fold(
    examples: Examples, y: Labels, protocol: Protocol, fit_predict: FitPredict, n_folds: int, seed: int
) -> FloatArray:
    told = np.full((len(y), examples.n_classes), np.nan)
    for train, test in folds(examples, protocol, n_folds=n_folds, seed=seed):
        told[test] = fit_predict(examples.X[train], y[train], examples.X[test])
    return told


def figures(examples: Examples, probabilities: FloatArray, seed: int = 0) -> dict[str, Any]:
    """Everything that is said of out-of-fold probabilities (n, n_classes)."""
    y, guess = examples.y, probabilities.argmax(axis=1)
    names = np.unique(examples.people)
    own = {str(p): (examples.people == p) for p in names}
    per_person = {p: balanced_accuracy(y[rows], guess[rows]) for p, rows in own.items()}
    spread = np.array(list(per_person.values()))
    return {
        "examples": len(y),
        "people": len(names),
        "accuracy": _plain(float(np.mean(y == guess))),
        "balanced_accuracy": _plain(float(np.mean(spread))),
        "interval_95": [_plain(v) for v in bootstrap_interval(spread, seed=seed)],
        "macro_f1": _plain(macro_f1(y, guess)),
        "recall": {str(c): _plain(v) for c, v in recall_per_class(y, guess).items()},
        "chance": _plain(1 / examples.n_classes),
        "majority": _plain(majority_share(y)),
        "calibration_error": _plain(confidence_error(probabilities, y)),
        "coverage": {
            f"{p.coverage:g}": _plain(p.balanced_accuracy)
            for p in selective_balance(probabilities, y, COVERAGES)
        },
        "per_person": {p: _plain(v) for p, v in per_person.items()},
        "spread": [_plain(float(np.quantile(spread, q))) for q in (0, 0.25, 0.5, 0.75, 1)],
    }


def _plain(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
