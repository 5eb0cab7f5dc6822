"""Scores of many rows at once: the windows of the people are made once for all rows that share them.

And what the commands that make tables of them share: their options, and how a table is written.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from calm_engaged_rows import Row
from calm_engaged_sources import Sources

from acquisition.signal import FloatArray
from models.calm_engaged.card import LIMIT, built_in_controls
from models.calm_engaged.controls import exchanged
from models.calm_engaged.fisher import StatePair
from models.calm_engaged.montages import SHIPPED, ShippedMontage
from models.calm_engaged.people import People
from models.calm_engaged.protocol import (
    BASELINE_S,
    PersonResult,
    balanced_accuracy,
    people_mean,
    read_person,
    scored_windows,
)
from models.evaluation.evidence import HORIZONS_S

RESULTS = Path(__file__).parent / "results"
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


Entries = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Table:
    """A committed table: ``name`` of its files, ``title``, ``told`` (the docstring of the command, of which
    two paragraphs are for those who run it), and ``lines``, which shows the entries in Markdown.
    """

    name: str
    title: str
    told: str
    lines: Callable[[Entries], list[str]]

    def fill(self, measure: Callable[[Sources, ShippedMontage], Entries]) -> None:
        """Measure the montages that the command line names; entries of the others stay."""
        order = [montage.name for montage in SHIPPED]
        parser = argparse.ArgumentParser(description=self.told)
        parser.add_argument("data", type=Path)
        parser.add_argument("--montage", nargs="*", choices=order, default=order)
        parser.add_argument("--cache", type=Path, help="folder in which features are kept between runs")
        given = parser.parse_args()
        sources = Sources(given.data, given.cache)
        path = RESULTS / f"{self.name}.json"
        entries: Entries = json.loads(path.read_text()) if path.exists() else []
        for montage in SHIPPED:
            if montage.name in given.montage:
                found = measure(sources, montage)
                entries = [one for one in entries if one["montage"] != montage.name] + found
                entries.sort(key=lambda one: order.index(one["montage"]))
                self.write(entries)

    def write(self, entries: Entries) -> None:
        """Both files."""
        (RESULTS / f"{self.name}.json").write_text(json.dumps(entries, indent=1) + "\n")
        told = self.told.strip().split("\n\n")[2:]
        text = "\n\n".join([f"# {self.title}", *told, "\n".join(self.lines(entries))]) + "\n"
        (RESULTS / f"{self.name}.md").write_text(text)


def row_of(cells: Sequence[object]) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
