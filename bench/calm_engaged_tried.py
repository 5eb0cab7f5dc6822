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

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[1])]

from calm_engaged_rows import Row, rows  # noqa: E402
from calm_engaged_scoring import figures_of, leave_each_out  # noqa: E402
from calm_engaged_sources import Sources  # noqa: E402

from models.calm_engaged.montages import MUSE4, SHIPPED, ShippedMontage  # noqa: E402

RESULTS = Path(__file__).parent / "results"
ORDER = tuple(montage.name for montage in SHIPPED)


def measure(sources: Sources, montage: ShippedMontage, wanted: list[Row]) -> list[dict[str, Any]]:
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


def write(table: list[dict[str, Any]]) -> None:
    (RESULTS / "calm_engaged_tried.json").write_text(json.dumps(table, indent=1) + "\n")
    heads = [head for head in table[0] if head != "montage"]
    lines = ["| " + " | ".join(h.replace("_", " ") for h in heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(str(row[h]).replace("|", "\\|") for h in heads) + " |" for row in table]
    told = "\n\n".join((__doc__ or "").strip().split("\n\n")[2:])
    text = "# What was tried for the calm-engaged networks\n\n" + told + "\n\n" + "\n".join(lines) + "\n"
    (RESULTS / "calm_engaged_tried.md").write_text(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--montage", nargs="*", choices=ORDER, default=ORDER)
    parser.add_argument("--cache", type=Path, help="folder in which features are kept between runs")
    given = parser.parse_args()
    sources = Sources(given.data, given.cache)
    path = RESULTS / "calm_engaged_tried.json"
    table = json.loads(path.read_text()) if path.exists() else []
    for montage in SHIPPED:
        if montage.name in given.montage:
            wanted = [row for row in rows() if row.cheap or montage is MUSE4]
            lines = measure(sources, montage, wanted)
            table = [line for line in table if line["montage"] != montage.name] + lines
            table.sort(key=lambda line: ORDER.index(line["montage"]))
            write(table)


if __name__ == "__main__":
    main()
