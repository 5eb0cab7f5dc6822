"""What choosing a row of the table is worth on people who had no part in the choice.

``python bench/calm_engaged_kept_aside.py DATA.npz [--montage NAME ...] [--cache FOLDER]`` writes
bench/results/calm_engaged_kept_aside.json and .md.

The people are put in order by the SHA-256 of `calm-engaged:` and their name, and dealt into three parts
before anything is scored. One part is kept aside; every cheap row of `calm_engaged_tried.md` (bands,
averaging, shrinkage, length of windows, shares of power, rests, kinds of classifier) is scored on the others
by leaving one of them out in turn, with its four controls; the best one that keeps them (mean of 10 s and
30 s; residue at most 0.53) is trained on those others and read on the part kept aside. Then the next part, so
that everyone is read once by a choice and a training that person had no part in.

What this cannot undo: the rows themselves were thought of while looking at all 26 people, and no second set
of such recordings is at hand. What ships is trained on all of them.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[1])]

import numpy as np  # noqa: E402
from calm_engaged_rows import Row, rows  # noqa: E402
from calm_engaged_scoring import (  # noqa: E402
    Entries,
    Table,
    figures_of,
    leave_each_out,
    row_of,
    subset,
    windows_of,
)
from calm_engaged_sources import Sources  # noqa: E402

from models.calm_engaged.card import LIMIT, built_in_controls  # noqa: E402
from models.calm_engaged.montages import ShippedMontage  # noqa: E402
from models.calm_engaged.people import People  # noqa: E402
from models.calm_engaged.protocol import (  # noqa: E402
    BASELINE_S,
    PersonResult,
    balanced_accuracy,
    read_person,
)
from models.calm_engaged.selection import RESIDUE_BAR  # noqa: E402
from models.evaluation.evidence import HORIZONS_S  # noqa: E402
from models.evaluation.metrics import bootstrap_interval  # noqa: E402

PARTS = 3
SEED = 7


def parts_of(names: list[str]) -> list[list[str]]:
    """The people dealt into parts, by a hash of the name and nothing else."""
    order = sorted(names, key=lambda name: hashlib.sha256(f"calm-engaged:{name}".encode()).hexdigest())
    return [sorted(order[part::PARTS]) for part in range(PARTS)]


def choose(
    sources: Sources, montage: ShippedMontage, aside: list[str]
) -> tuple[Row, dict[str, dict[str, Any]]]:
    """The best row among the people who are not aside, and every row's figures there."""
    candidates = [row for row in rows() if row.cheap and not row.own_threshold]
    told: dict[str, dict[str, Any]] = {}
    for source in dict.fromkeys(row.source for row in candidates):
        same = [row for row in candidates if row.source == source]
        others = subset(sources.people(montage, *source), lambda name: name not in aside)
        residue = subset(sources.residue(montage, *source), lambda name: name not in aside)
        scores = leave_each_out(others, same)
        heard = leave_each_out(residue, same, controls=False)
        told |= {row.what: figures_of(scores[row.what], heard[row.what]) for row in same}
    limits = LIMIT | {"residue": RESIDUE_BAR}

    def rank(row: Row) -> tuple[bool, float]:
        line = told[row.what]
        kept = all(line[name] <= limit for name, limit in limits.items())
        return kept, line["balanced_accuracy_10s"] + line["balanced_accuracy_30s"]

    return max(candidates, key=rank), told


def read_aside(people: People, row: Row, aside: list[str]) -> list[PersonResult]:
    """Those aside, read by what the others taught."""
    others = subset(people, lambda name: name not in aside)
    _, scale = others.population()
    logit = row.fit(windows_of(others, row.rests_s, scale), "")
    return [
        read_person(people, person, logit, row.length, scale, BASELINE_S)
        for person in people.people
        if person.name in aside
    ]


def summary(results: list[PersonResult], residue: list[PersonResult]) -> dict[str, Any]:
    """Figures over these people, with the interval and the controls that need no second training."""

    def over_people(found: list[PersonResult], horizon: str) -> np.ndarray:
        return np.array([balanced_accuracy(r.rest[horizon], r.task[horizon]) for r in found])

    each = {h: over_people(results, h) for h in HORIZONS_S}
    built = built_in_controls(results)
    return {
        "people": len(results),
        "balanced_accuracy": {h: round(float(np.nanmean(each[h])), 3) for h in HORIZONS_S},
        "interval_95": {h: [round(v, 3) for v in bootstrap_interval(each[h], seed=SEED)] for h in HORIZONS_S},
        "residue": round(float(np.nanmean(over_people(residue, "10s"))), 3),
        "swapped_baseline": round(built["swapped_baseline"]["10s"], 3),
        "early_against_late_rest": round(built["early_against_late_rest"]["10s"], 3),
        "people_below_0.60": int(np.sum(each["10s"] < 0.6)),
        "per_person_10s": {r.name: round(float(v), 3) for r, v in zip(results, each["10s"], strict=True)},
    }


def measure(sources: Sources, montage: ShippedMontage) -> dict[str, Any]:
    """Choice and figures of every part kept aside, and of all of them together."""
    everyone = [p.name for p in sources.people(montage, *rows()[0].source).people]
    parts, all_read, all_residue = [], [], []
    for aside in parts_of(everyone):
        row, told = choose(sources, montage, aside)
        results = read_aside(sources.people(montage, *row.source), row, aside)
        residue = read_aside(sources.residue(montage, *row.source), row, aside)
        part = {"aside": aside, "chosen": row.what, "among_the_others": told[row.what]}
        parts.append(part | {"kept_aside": summary(results, residue), "candidates": told})
        print(montage.name, row.what, parts[-1]["kept_aside"], flush=True)
        all_read += results
        all_residue += residue
    return {
        "montage": montage.name,
        "electrodes": len(montage.channels),
        "parts": parts,
        "together": summary(all_read, all_residue),
    }


def line_of(electrodes: int, who: str, chosen: str, among: str, found: dict[str, Any]) -> str:
    shown = []
    for horizon in HORIZONS_S:
        low, high = found["interval_95"][horizon]
        shown.append(f"{found['balanced_accuracy'][horizon]:.3f} ({low:.2f}-{high:.2f})")
    controls = [f"{found[k]:.3f}" for k in ("residue", "swapped_baseline", "early_against_late_rest")]
    return row_of([electrodes, who, chosen, among, *shown, *controls])


def lines_of(table: Entries) -> list[str]:
    """The table in Markdown."""
    heads = ["electrodes", "kept aside", "chosen without them", "10 s / 30 s among the others"]
    heads += [f"{h} (95 % over people)" for h in ("one window", "10 s", "30 s")]
    heads += ["residue", "swapped baseline", "early against late rest"]
    lines = [row_of(heads), "|" + "---|" * len(heads)]
    for one in table:
        for number, part in enumerate(one["parts"], 1):
            inner = part["among_the_others"]
            among = f"{inner['balanced_accuracy_10s']:.3f} / {inner['balanced_accuracy_30s']:.3f}"
            who = f"part {number}, {part['kept_aside']['people']} people"
            lines.append(line_of(one["electrodes"], who, part["chosen"], among, part["kept_aside"]))
        lines.append(line_of(one["electrodes"], "**all three**", "", "", one["together"]))
    return lines


def main() -> None:
    """Every montage, one entry each."""
    table = Table("calm_engaged_kept_aside", "People kept aside from the choice", __doc__ or "", lines_of)
    table.fill(lambda sources, montage: [measure(sources, montage)])


if __name__ == "__main__":
    main()
