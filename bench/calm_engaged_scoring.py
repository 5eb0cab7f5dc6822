"""Scores of many rows at once: the windows of the people are made once for all rows that share them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from calm_engaged_rows import Row

from acquisition.signal import FloatArray
from models.calm_engaged.card import LIMIT, built_in_controls
from models.calm_engaged.controls import exchanged
from models.calm_engaged.fisher import StatePair
from models.calm_engaged.people import People
from models.calm_engaged.protocol import (
    BASELINE_S,
    PersonResult,
    balanced_accuracy,
    people_mean,
    read_person,
    scored_windows,
)
from models.evidence import HORIZONS_S

SHORT_S = 10.0
SEED = 7
MIN_OWN = 5
"""Stretches of 10 s of the person's own rest below which it tells nothing and the others' middle is taken."""


@dataclass(slots=True)
class Scores:
    """What the people left out in turn were read as: usual and short rest, and after shuffled labels."""

    usual: list[PersonResult] = field(default_factory=list)
    short: list[PersonResult] = field(default_factory=list)
    shuffled: list[PersonResult] = field(default_factory=list)


def subset(people: People, keep: Callable[[str], bool]) -> People:
    """Only the people whose name passes."""
    return replace(people, people=tuple(p for p in people.people if keep(p.name)), _rests={}, _baselines={})


def windows_of(
    people: People, rests_s: Sequence[float], scale: FloatArray, without: str = ""
) -> list[StatePair]:
    """(rest, task) of everyone but one, each person with every length of rest in turn."""
    return [
        (scored.rest, scored.task)
        for person in people.people
        if person.name != without
        for seconds in rests_s
        for scored in (scored_windows(people, person, seconds, scale),)
    ]


def leave_each_out(people: People, rows: Sequence[Row], *, controls: bool = True) -> dict[str, Scores]:
    """Scores by name of the row, all of one source; without ``controls`` the usual ones alone."""
    rng = np.random.default_rng(SEED)
    found: dict[str, Scores] = defaultdict(Scores)
    for person in people.people:
        _, scale = people.population(without=person.name)
        sets = {
            rests: windows_of(people, rests, scale, person.name) for rests in {row.rests_s for row in rows}
        }
        mixed = (
            {rests: exchanged(pairs, len(rests), rng) for rests, pairs in sets.items()} if controls else {}
        )
        for row in rows:
            logit = row.fit(sets[row.rests_s], person.name)
            scores = found[row.what]
            scores.usual.append(read_person(people, person, logit, row.length, scale, BASELINE_S))
            if controls:
                scores.short.append(read_person(people, person, logit, row.length, scale, SHORT_S))
                blind = row.fit(mixed[row.rests_s], person.name)
                scores.shuffled.append(read_person(people, person, blind, row.length, scale, BASELINE_S))
    for row in rows:
        if row.own_threshold:
            scores = found[row.what]
            for name in ("usual", "short", "shuffled") if controls else ("usual",):
                setattr(scores, name, by_own_threshold(getattr(scores, name)))
    return dict(found)


def by_own_threshold(results: Sequence[PersonResult]) -> list[PersonResult]:
    """Each person's threshold told from how the answers scatter in the person's own rest.

    The line from that scatter to the middle between the states is fitted on the other people.
    """
    middle = np.array([(r.rest["10s"].mean() + r.task["10s"].mean()) / 2 for r in results])
    about = np.array(
        [
            [1.0, r.own_rest.mean(), r.own_rest.std()] if len(r.own_rest) >= MIN_OWN else [1.0, 0.0, 0.0]
            for r in results
        ]
    )
    moved = []
    for i, one in enumerate(results):
        others = np.arange(len(results)) != i
        line = np.linalg.lstsq(about[others], middle[others], rcond=None)[0]
        threshold = float(about[i] @ line)

        def shift(part: Mapping[str, FloatArray], by: float = threshold) -> dict[str, FloatArray]:
            return {horizon: values - by for horizon, values in part.items()}

        parts = {k: shift(getattr(one, k)) for k in ("rest", "task", "swapped", "early", "late")}
        moved.append(replace(one, own_rest=one.own_rest - threshold, **parts))
    return moved


def figures_of(scores: Scores, residue: Scores) -> dict[str, Any]:
    """One line of the table: balanced accuracies, the four controls, and how many people stay unread."""
    built = built_in_controls(scores.usual)
    line: dict[str, Any] = {
        f"balanced_accuracy_{h}": round(people_mean(scores.usual, h), 3) for h in HORIZONS_S
    }
    line["baseline_10s_10s"] = round(people_mean(scores.short, "10s"), 3)
    line["residue"] = round(people_mean(residue.usual, "10s"), 3)
    line["swapped_baseline"] = round(built["swapped_baseline"]["10s"], 3)
    line["early_against_late_rest"] = round(built["early_against_late_rest"]["10s"], 3)
    line["shuffled"] = round(people_mean(scores.shuffled, "10s"), 3)
    line["controls_kept"] = all(line[name] <= limit for name, limit in LIMIT.items())
    each = [balanced_accuracy(r.rest["10s"], r.task["10s"]) for r in scores.usual]
    line["people_below_0.60"] = int(np.sum(np.array(each) < 0.6))
    return line
