"""Splits keep whole groups together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import TrainingError
from models.training.splits import folds_by_group, split_rows


@given(st.integers(2, 12), st.integers(1, 9), st.floats(0.05, 0.6), st.integers(0, 99))
def test_no_group_stands_on_both_sides(n_groups: int, per_group: int, fraction: float, seed: int) -> None:
    groups = np.repeat([f"S{i:02}" for i in range(n_groups)], 2 * per_group)
    labels = np.arange(len(groups)) % 2
    split = split_rows(labels, groups, fraction, seed)
    assert not set(groups[split.train]) & set(groups[split.validate])
    assert sorted([*split.train, *split.validate]) == list(range(len(groups)))
    assert not split.leaky
    for rows in (split.train, split.validate):
        assert set(labels[rows]) == {0, 1}
    again = split_rows(labels, groups, fraction, seed)
    np.testing.assert_array_equal(split.validate, again.validate)


def test_trials_of_one_class_each_give_both_halves_every_class() -> None:
    groups = np.repeat(np.arange(8), 10)
    labels = groups % 2
    for seed in range(20):
        split = split_rows(labels, groups, 0.25, seed)
        assert set(labels[split.validate]) == set(labels[split.train]) == {0, 1}


def test_a_split_without_groups_is_leaky() -> None:
    split = split_rows(np.arange(50) % 2, None, 0.2, 0)
    assert split.leaky
    assert len(split.validate) == 10


def test_nothing_validates_where_nothing_is_asked_for() -> None:
    split = split_rows(np.arange(10) % 2, None, 0.0, 0)
    assert not split.leaky
    assert (len(split.train), len(split.validate)) == (10, 0)


@given(st.integers(2, 15), st.integers(2, 6))
def test_folds_test_every_row_once(n_groups: int, n_folds: int) -> None:
    groups = np.repeat(np.arange(n_groups), 3)
    folds = folds_by_group(groups, n_folds, 0)
    assert len(folds) == min(n_folds, n_groups)
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(len(groups)))
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])


@pytest.mark.parametrize(
    ("labels", "groups", "says"),
    [
        ([0, 1], ["a", "a"], "at least 2 groups, got 1"),
        ([0, 1, 0, 1], ["a", "a"], "groups must name each of the 4"),
        ([0, 0, 1, 1], ["a", "a", "b", "b"], "only one class is left"),
        ([0], None, "too few to split"),
    ],
)
def test_splits_that_cannot_be_are_named(labels: list[int], groups: list[str] | None, says: str) -> None:
    with pytest.raises(TrainingError, match=says):
        split_rows(np.array(labels), groups, 0.5, 0)
