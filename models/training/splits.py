"""Which examples validate: whole groups (people, trials), or windows at random, which leaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.errors import TrainingError

SplitKind = Literal["group", "window", "none"]
Indices = NDArray[np.intp]

LEAK_WARNING = (
    "no groups were given, so windows are split at random: neighbours from one recording stand in both"
    " halves, the validation figure is far too good, and the model is marked 'leaky'. Pass groups=people."
)


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Rows (n,) to train on and to validate on; ``leaky`` where neighbours may stand on both sides."""

    train: Indices
    validate: Indices
    kind: SplitKind

    @property
    def leaky(self) -> bool:
        return self.kind == "window"


def split_rows(labels: NDArray[np.int64], groups: Any | None, fraction: float, seed: int) -> Split:
    """Split the rows of ``labels`` (n,), by group where there are some. ``fraction`` 0 validates on nothing.

    Raises ``TrainingError`` where a half would lack examples or a class.
    """
    n = len(labels)
    if not 0 <= fraction < 1:
        raise TrainingError(f"validation_split must be at least 0 and below 1, got {fraction}")
    if fraction == 0:
        return Split(np.arange(n), np.zeros(0, np.intp), "none")
    if groups is None:
        order = np.random.default_rng(seed).permutation(n)
        n_validate = max(1, round(fraction * n))
        return _checked(Split(np.sort(order[n_validate:]), np.sort(order[:n_validate]), "window"), labels)
    names = np.asarray(groups).ravel()
    if len(names) != n:
        raise TrainingError(f"groups must name each of the {n} examples, got {len(names)}")
    chosen = _choose_groups(names, labels, fraction, seed)
    inside = np.isin(names, chosen)
    return _checked(Split(np.flatnonzero(~inside), np.flatnonzero(inside), "group"), labels)


def _choose_groups(names: NDArray[Any], labels: NDArray[np.int64], fraction: float, seed: int) -> list[Any]:
    """Groups in random order until the fraction is reached, those that bring a missing class first."""
    different = np.unique(names)
    if len(different) < 2:
        raise TrainingError(f"a split by group needs at least 2 groups, got {len(different)}")
    waiting = list(np.random.default_rng(seed).permutation(different))
    classes = {name: set(labels[names == name].tolist()) for name in waiting}
    chosen: list[Any] = []
    seen: set[int] = set()
    count = 0
    while len(waiting) > 1 and (count < fraction * len(names) or seen != set(labels.tolist())):
        waiting.sort(key=lambda name: -len(classes[name] - seen))
        rest = set().union(*(classes[name] for name in waiting[1:]))
        # what only one group has must stay where it can be learnt
        if count >= fraction * len(names) and rest != set(labels.tolist()):
            break
        chosen.append(waiting.pop(0))
        seen |= classes[chosen[-1]]
        count += int(np.sum(names == chosen[-1]))
    return chosen


def _checked(split: Split, labels: NDArray[np.int64]) -> Split:
    if not len(split.train) or not len(split.validate):
        raise TrainingError(f"{len(labels)} examples are too few to split")
    if len(np.unique(labels[split.train])) < 2:
        raise TrainingError("after the split only one class is left to train on: more groups are needed")
    return split


def folds_by_group(groups: Any, n_folds: int, seed: int) -> list[tuple[Indices, Indices]]:
    """Rows (n,) to train on and to test on of each fold, whole groups only; as many folds as groups at most.

    Raises ``TrainingError`` with fewer than two groups.
    """
    names = np.asarray(groups).ravel()
    different = np.random.default_rng(seed).permutation(np.unique(names))
    if len(different) < 2:
        raise TrainingError(f"folds by group need at least 2 groups, got {len(different)}")
    folds = []
    for part in np.array_split(different, min(n_folds, len(different))):
        inside = np.isin(names, part)
        folds.append((np.flatnonzero(~inside), np.flatnonzero(inside)))
    return folds
