"""Protocols hold apart what they promise to, and a leak shows as one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from acquisition.signal import FloatArray
from models.errors import TrainingError
from models.evaluation.evaluation import Examples, Labels, evaluate, folds
from models.evaluation.evaluation_report import comparison_table, write_report

RNG = np.random.default_rng(11)


def people_with_blocks(n_people: int = 6, n_each: int = 40) -> Examples:
    """Every person's two states are two recordings with an offset of their own: nothing common to people."""
    X, y, people, trials = [], [], [], []
    for person in range(n_people):
        for state in (0, 1):
            X.append(RNG.normal(0, 3, 4) + RNG.normal(0, 0.5, (n_each, 4)))
            y.append(np.full(n_each, state))
            people.append(np.full(n_each, person))
            trials.append(2 * person + state + 100 * (np.arange(n_each) // 10))
    return Examples(*(np.concatenate(part) for part in (X, y, people, trials)))


def nearest(X: FloatArray, y: Labels, X_test: FloatArray) -> FloatArray:
    """One nearest neighbour: remembers recordings, learns nothing."""
    distance = ((X_test[:, np.newaxis] - X[np.newaxis]) ** 2).sum(axis=2)
    return np.eye(2)[y[distance.argmin(axis=1)]] * 0.98 + 0.01


@pytest.mark.parametrize("protocol", ["leave_one_person_out", "people_folds"])
def test_no_person_stands_on_both_sides(protocol: str) -> None:
    examples = people_with_blocks()
    told = []
    for train, test in folds(examples, protocol, n_folds=3):  # type: ignore[arg-type]
        assert not set(examples.people[train]) & set(examples.people[test])
        told.extend(test)
    assert sorted(told) == list(range(len(examples.y)))


def test_trial_disjoint_trains_on_other_trials_of_the_same_person() -> None:
    examples = people_with_blocks()
    assert examples.trials is not None
    for train, test in folds(examples, "trial_disjoint"):
        assert len(set(examples.people[test])) == 1
        assert set(examples.people[train]) == set(examples.people[test])
        assert not set(examples.trials[train]) & set(examples.trials[test])


def test_cross_session_trains_on_the_other_sessions() -> None:
    examples = people_with_blocks()
    dated = Examples(examples.X, examples.y, examples.people, sessions=np.arange(len(examples.y)) % 2)
    assert dated.sessions is not None
    for train, test in folds(dated, "cross_session"):
        assert not set(dated.sessions[train]) & set(dated.sessions[test])


def test_a_memory_of_recordings_shines_on_random_windows_and_is_at_chance_on_new_people() -> None:
    examples = people_with_blocks()
    leaky = evaluate("nearest", examples, "random_windows", nearest)
    honest = evaluate("nearest", examples, "leave_one_person_out", nearest, shuffles=3)
    assert leaky.leaky
    assert leaky.figures["balanced_accuracy"] > 0.95
    assert 0.2 < honest.figures["balanced_accuracy"] < 0.8
    assert 0.4 < honest.controls["shuffled"] < 0.6


def test_the_report_is_one_page_with_plots_and_a_json_twin(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    examples = people_with_blocks()
    found = [evaluate("a<b", examples, p, nearest) for p in ("random_windows", "people_folds")]  # type: ignore[arg-type]
    write_report(tmp_path / "report.html", "Two protocols", found, "a note")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "a&lt;b" in page
    assert "a<b" not in page
    assert page.count("data:image/svg+xml;base64,") == 2
    document = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert [one["leaky"] for one in document["evaluations"]] == [True, False]
    table = comparison_table(found).splitlines()
    assert len(table) == 4
    assert "(leaky)" in table[2]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"y": np.zeros(4, int)}, "at least 2 classes"),
        ({"people": np.zeros(3)}, "people must have one value for each of 4 examples"),
    ],
)
def test_examples_that_do_not_match_are_refused(change: dict[str, object], rule: str) -> None:
    good: dict[str, object] = {"X": np.zeros((4, 2)), "y": np.array([0, 1, 0, 1]), "people": np.arange(4)}
    with pytest.raises(TrainingError, match=rule):
        Examples(**{**good, **change})  # type: ignore[arg-type]


def test_a_protocol_without_what_it_splits_by_is_refused() -> None:
    examples = Examples(np.zeros((4, 2)), np.array([0, 1, 0, 1]), np.zeros(4))
    for protocol, rule in (
        ("trial_disjoint", "needs to know the trials"),
        ("cross_session", "needs to know the sessions"),
        ("leave_one_person_out", "at least 2 people, got 1"),
        ("luck", "unknown protocol 'luck'"),
    ):
        with pytest.raises(TrainingError, match=rule):
            list(folds(examples, protocol))  # type: ignore[arg-type]
