"""Everything tried for the calm-engaged networks, each with its four controls, in one table.

``python bench/calm_engaged_tried.py DATA.npz [--montage NAME ...] [--cache FOLDER]`` writes
bench/results/calm_engaged_tried.json and .md; rows of montages that are not named stay.

Every row is leave-one-person-out on 26 people with 60 s of rest as baseline, figures after 10 s of evidence
where nothing else is said. The rows have fixed settings, so the best of them is an optimistic figure: what
ships is chosen by inner folds and quoted in its card, and `calm_engaged_kept_aside.md` says what such a
choice is worth on people who had no part in it.

Shuffled labels are one draw of lots for each person here, shared by all rows with the same rests: its
standard error over people is near 0.04. The cards give the mean of eight.

Not tried: removing what tells the files apart by an adversary (rest and task are the files here, so the label
would go with it), and ensembles distilled into a network (those that gain anything fail the controls).
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[1])]

from calm_engaged_rows import Row, rows  # noqa: E402
from calm_engaged_scoring import Entries, Table, figures_of, leave_each_out, row_of  # noqa: E402
from calm_engaged_sources import Sources  # noqa: E402

from models.calm_engaged.montages import MUSE4, ShippedMontage  # noqa: E402


def measure(sources: Sources, montage: ShippedMontage, wanted: list[Row]) -> Entries:
    """The lines of one montage, in order of the rows."""
    lines: dict[str, dict[str, Any]] = {}
    for source in dict.fromkeys(row.source for row in wanted):
        same = [row for row in wanted if row.source == source]
        began = time.process_time()
        scores = leave_each_out(sources.people(montage, *source), same)
        residue = leave_each_out(sources.residue(montage, *source), same, controls=False)
        for row in same:
            lines[row.what] = figures_of(scores[row.what], residue[row.what])
            print(montage.name, row.what, lines[row.what], flush=True)
        print(f"  {time.process_time() - began:.0f} s of processor", flush=True)
    about = {"montage": montage.name, "electrodes": len(montage.channels)}
    return [about | {"what": row.what} | lines[row.what] for row in wanted]


def lines_of(table: Entries) -> list[str]:
    """The table in Markdown."""
    heads = [head for head in table[0] if head != "montage"]
    names = row_of([head.replace("_", " ") for head in heads])
    return [names, "|" + "---|" * len(heads), *(row_of([row[head] for head in heads]) for row in table)]


def main() -> None:
    """All cheap rows for every montage, and the others for four electrodes."""
    table = Table(
        "calm_engaged_tried", "What was tried for the calm-engaged networks", __doc__ or "", lines_of
    )
    table.fill(lambda sources, montage: measure(sources, montage, _wanted(montage)))


def _wanted(montage: ShippedMontage) -> list[Row]:
    return [row for row in rows() if row.cheap or montage is MUSE4]


if __name__ == "__main__":
    main()
