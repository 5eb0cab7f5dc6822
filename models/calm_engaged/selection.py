"""Chooses the recipe's shrinkage by an inner leave-one-person-out, never by the figure that is quoted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from acquisition.signal import FloatArray
from models.calm_engaged.fisher import Direction, FisherSettings, Moments, direction_from
from models.calm_engaged.people import People, Person
from models.calm_engaged.protocol import BASELINE_S, balanced_accuracy, scored_windows
from models.calm_engaged.training import all_moments
from models.evaluation.evidence import moving_mean, windows_in

SHRINKAGES = (0.1, 0.2, 0.3, 0.5, 0.7)
CHOSEN_BY_S = (10.0, 30.0)
RESIDUE_BAR = 0.53
"""Stricter than the 0.55 of the control itself: the inner figure has an error of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPerson:
    """What an inner round needs of one person: windows (n, n_features) to score, moments to train on."""

    rest: FloatArray
    task: FloatArray
    moments: tuple[Moments, ...]


def candidates() -> tuple[FisherSettings, ...]:
    """One for each shrinkage."""
    return tuple(FisherSettings(shrinkage=shrinkage) for shrinkage in SHRINKAGES)


def prepared(
    people: People, chosen: Sequence[Person], scale: FloatArray, baselines_s: Sequence[float]
) -> list[PreparedPerson]:
    """Every person's z-scores and moments, once, for all inner rounds; ``scale`` (n_features,) of rest."""
    told = []
    for person in chosen:
        usual = scored_windows(people, person, BASELINE_S, scale)
        sets = [scored_windows(people, person, seconds, scale) for seconds in baselines_s]
        told.append(
            PreparedPerson(
                usual.rest, usual.task, tuple(all_moments([(s.rest, s.task) for s in sets], len(sets)))
            )
        )
    return told


def inner_score(
    told: Sequence[PreparedPerson], settings: FisherSettings, n_windows: Sequence[int]
) -> dict[int, float]:
    """Balanced accuracy leaving one of these people out, by number of windows of evidence."""
    table: dict[int, list[float]] = {n: [] for n in n_windows}
    for index, person in enumerate(told):
        others = [m for place, other in enumerate(told) if place != index for m in other.moments]
        direction: Direction = direction_from(others, settings)
        rest, task = direction.along(person.rest), direction.along(person.task)
        for n, scores in table.items():
            scores.append(balanced_accuracy(moving_mean(rest, n), moving_mean(task, n)))
    return {n: float(np.nanmean(scores)) for n, scores in table.items()}


def select(
    people: People, residue: People, without: str, baselines_s: Sequence[float]
) -> tuple[FisherSettings, Mapping[FisherSettings, float]]:
    """The candidate with the best mean of 10 s and 30 s among the people but ``without``.

    A candidate that reads the 52-62 Hz residue of those people above the bar is not eligible; where all do,
    the one that reads it least is taken.
    """
    n_windows = [windows_in(seconds, people.window_s, people.hop_s) for seconds in CHOSEN_BY_S]
    told, told_residue = (
        prepared(
            source,
            [person for person in source.people if person.name != without],
            source.population(without)[1],
            baselines_s,
        )
        for source in (people, residue)
    )
    scores: dict[FisherSettings, float] = {}
    heard: dict[FisherSettings, float] = {}
    for candidate in candidates():
        scores[candidate] = float(np.mean(list(inner_score(told, candidate, n_windows).values())))
        heard[candidate] = inner_score(told_residue, candidate, n_windows[:1])[n_windows[0]]
    eligible = [c for c in scores if heard[c] <= RESIDUE_BAR] or [min(heard, key=lambda c: heard[c])]
    return max(eligible, key=lambda c: scores[c]), scores
