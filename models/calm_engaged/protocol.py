"""Leave one person out, with the controls that a figure on rest-against-task recordings needs.

Rest and task are separate files here, so a model can be right for a wrong reason. Each control asks one
question: does 52-62 Hz alone tell the states apart (residue), is rest called engaged when the baseline was
taken in the task (swap), does late rest look engaged (same state), does it work on shuffled labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from acquisition.signal import FloatArray
from models.calm_engaged.fisher import StatePair
from models.calm_engaged.people import People, Person
from models.evaluation.evidence import HORIZONS_S, LogitFunction, evidence_logits, windows_in

BASELINE_S = 60.0
SWAP_S = 30.0
Fit = Callable[[Sequence[StatePair], str], LogitFunction]
"""The others' (rest, task) windows, and who is left out -> what was learned from them."""


@dataclass(frozen=True, slots=True)
class PersonResult:
    """Evidence logits (n,) of one person nobody trained on, by horizon; ``swapped`` is rest, read after a
    baseline that was taken in the task.
    """

    name: str
    rest: Mapping[str, FloatArray]
    task: Mapping[str, FloatArray]
    swapped: Mapping[str, FloatArray]
    early: Mapping[str, FloatArray]
    late: Mapping[str, FloatArray]
    own_rest: FloatArray
    """Logits of the baseline's own windows, which a product may look at."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """One person's z-scored windows (n, n_features): rest after the baseline, task, the baseline's own."""

    rest: FloatArray
    task: FloatArray
    own: FloatArray


def scored_windows(people: People, person: Person, baseline_s: float, scale: FloatArray) -> Scored:
    """z-scores (n, n_features) on the person's first ``baseline_s`` of rest; what is scored never begins
    before 60 s. ``scale`` (n_features,) is the population's.
    """
    base = people.baseline(person, "rest", baseline_s, scale)
    own = person.rest.clean(0, baseline_s)
    rest = person.rest.clean(BASELINE_S)
    return Scored(base.z(rest), base.z(person.task.features), base.z(own))


def swapped_rest(people: People, person: Person, scale: FloatArray) -> FloatArray:
    """Rest (n, n_features) as it looks when the baseline was taken in the first half minute of the task."""
    base = people.baseline(person, "task", SWAP_S, scale)
    return base.z(person.rest.clean(BASELINE_S))


def leave_one_out(
    people: People,
    fit: Fit,
    length: int,
    *,
    train_baselines_s: Sequence[float] = (BASELINE_S,),
    test_baseline_s: float = BASELINE_S,
) -> Iterator[PersonResult]:
    """Train on all but one, then read that one; yields each person's result."""
    for person in people.people:
        _, scale = people.population(without=person.name)
        others = [other for other in people.people if other.name != person.name]
        sets = [
            (scored.rest, scored.task)
            for other in others
            for baseline_s in train_baselines_s
            for scored in (scored_windows(people, other, baseline_s, scale),)
        ]
        logit = fit(sets, person.name)
        yield read_person(people, person, logit, length, scale, test_baseline_s)


def read_person(
    people: People, person: Person, logit: LogitFunction, length: int, scale: FloatArray, baseline_s: float
) -> PersonResult:
    """All evidence of one person from a network that is ready; ``scale`` (n_features,) is of people."""
    scored = scored_windows(people, person, baseline_s, scale)
    half = len(scored.rest) // 2

    def by_horizon(windows: FloatArray) -> dict[str, FloatArray]:
        return {
            name: evidence_logits(
                windows, logit, length, windows_in(horizon_s, people.window_s, people.hop_s)
            )
            for name, horizon_s in HORIZONS_S.items()
        }

    return PersonResult(
        person.name,
        by_horizon(scored.rest),
        by_horizon(scored.task),
        by_horizon(swapped_rest(people, person, scale)),
        by_horizon(scored.rest[:half]),
        by_horizon(scored.rest[half:]),
        evidence_logits(scored.own, logit, length, windows_in(10.0, people.window_s, people.hop_s)),
    )


def balanced_accuracy(calm: FloatArray, engaged: FloatArray) -> float:
    """Mean of both recalls of log-odds (n,) at the threshold of 0; NaN where a state was never seen."""
    if not len(calm) or not len(engaged):
        return float("nan")
    return float((np.mean(calm <= 0) + np.mean(engaged > 0)) / 2)


def people_mean(results: Sequence[PersonResult], horizon: str) -> float:
    """Balanced accuracy, each person weighing the same."""
    return float(np.nanmean([balanced_accuracy(r.rest[horizon], r.task[horizon]) for r in results]))
