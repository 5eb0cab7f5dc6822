"""How many one-line mutants of the pure rooms their own tests notice, with cosmic-ray's operators.

Works on a copy of the committed tree, never on the checkout.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
GOAL = 0.85
LIMIT_S = 900
"""For tests without any mutant, also on a busy machine."""
HANGS_TIMES, HANGS_S = 3, 30
"""A mutant with which the tests take so many times as long as without, and so many seconds more, hangs: it is
noticed."""
PRELOADED = ["__main__", "pytest", "hypothesis", "numpy", "scipy.signal", "msgspec", "psutil", "pylsl"]
OPERATORS = [
    *(f"ReplaceBinaryOperator_{turn}" for turn in ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "Pow_Mul")),
    *(
        f"ReplaceComparisonOperator_{turn}"
        for turn in (
            *("Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt"),
            *("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is"),
        )
    ),
    *("ReplaceUnaryOperator_Delete_USub", "ReplaceUnaryOperator_Delete_Not", "AddNot", "NumberReplacer"),
    *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
]
"""A sign, a comparison, a constant or a condition turned; not those that Python or a type checker refuses."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One line of one file, before and after."""

    path: str
    row: int
    line: str
    becomes: str

    def same_as(self, other: dict[str, str]) -> bool:
        """True for an entry of the list of equivalents that means this one."""
        return (self.path, self.line, self.becomes) == (other["path"], other["line"], other["becomes"])


def mutants_of(path: Path, name: str) -> Iterator[tuple[Mutant, str]]:
    """Every mutant of a file with the mutated code; of those on one line that read the same, the first.

    How a class is declared (frozen, with slots) is none of its values: those lines are left out.
    """
    code = path.read_text("utf-8")
    before = code.split("\n")
    seen = set()
    tree = get_ast(code)
    for operator_name in OPERATORS:
        operator = get_operator(f"core/{operator_name}")()
        count = sum(len(list(operator.mutation_positions(node))) for node in ast_nodes(tree))
        for occurrence in range(count):
            mutated = mutate_code(code, operator, occurrence)
            if mutated is None or mutated == code:
                continue
            after = mutated.split("\n")
            row = next(i for i, (one, two) in enumerate(zip(before, after, strict=False)) if one != two)
            mutant = Mutant(name, row + 1, before[row].strip(), after[row].strip())
            declared = mutant.line.startswith(("@dataclass(", "class "))
            if not declared and (row, mutant.becomes) not in seen:
                seen.add((row, mutant.becomes))
                yield mutant, mutated


def _run_tests(root: str, tests: list[str]) -> None:
    """In a process of its own: ends with pytest's status, and says nothing."""
    os.chdir(root)
    sys.path.insert(0, root)
    sys.dont_write_bytecode = True  # of two versions within a second the older would be taken
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    import pytest

    options = ["-x", "-q", "-m", "not slow and not soak and not browser and not train"]
    options += ["-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=0"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of what is loaded already
    os._exit(int(pytest.main([*options, *tests])))


class Copy:
    """The committed tree in a folder of its own, where one file at a time is a mutant."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tree = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", str(folder)], input=tree, check=True)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)

    def passes(self, tests: list[str], limit_s: float = LIMIT_S) -> bool:
        """True if the tests pass in time."""
        process = self._context.Process(target=_run_tests, args=(str(self.folder), tests))
        process.start()
        process.join(limit_s)
        if process.exitcode is None:
            process.kill()
            process.join()
        return process.exitcode == 0

    def notices(self, mutant: Mutant, code: str, tests: list[str], limit_s: float) -> bool:
        """True if the tests fail with this mutant in the place of its file."""
        path = self.folder / mutant.path
        kept = path.read_bytes()
        try:
            path.write_text(code, "utf-8")
            return not self.passes(tests, limit_s)
        finally:
            path.write_bytes(kept)


def room_result(
    copy: Copy, room: dict[str, list[str]], count: int, seed: str, known: list[dict[str, str]]
) -> dict:
    """What became of ``count`` mutants drawn from a room."""
    everything = [one for name in room for one in mutants_of(copy.folder / name, name)]
    drawn = random.Random(seed).sample(everything, min(count, len(everything)))  # noqa: S311
    limits_s = {}
    for name in sorted({mutant.path for mutant, _ in drawn}):
        began_s = time.monotonic()
        passes = copy.passes(room[name])
        limits_s[name] = HANGS_TIMES * (time.monotonic() - began_s) + HANGS_S
        if not passes:
            raise SystemExit(f"{name}: its tests fail without any mutant: {' '.join(room[name])}")
    survivors, equivalent, noticed = [], [], 0
    for mutant, code in drawn:
        reason = next((one["reason"] for one in known if mutant.same_as(one)), None)
        if reason is not None:
            equivalent.append({**asdict(mutant), "reason": reason})
        elif copy.notices(mutant, code, room[mutant.path], limits_s[mutant.path]):
            noticed += 1
        else:
            survivors.append(asdict(mutant))
            print(f"  survives {mutant.path}:{mutant.row}: {mutant.line}  ->  {mutant.becomes}", flush=True)
    tried = noticed + len(survivors)
    return {
        "mutants": len(everything),
        "drawn": len(drawn),
        "noticed": noticed,
        "share": round(noticed / max(1, tried), 3),
        "survivors": survivors,
        "equivalent": equivalent,
    }


def page(results: dict[str, dict[str, Any]]) -> str:
    """The result as a page for people."""
    lines = [
        "# Mutants that the tests notice",
        "",
        "`make mutants`: one-line mutants (a sign, comparison, constant or condition turned) drawn from each",
        "pure room, against the tests that hold it. Goal: 85 % noticed in every room.",
        "",
        "| room | seed | mutants | drawn | equivalent | noticed | share |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, room in results.items():
        cells = (name, room["seed"], room["mutants"], room["drawn"], len(room["equivalent"]), room["noticed"])
        lines.append(f"| {' | '.join(map(str, cells))} | {room['share']:.0%} |")
    for title, key in (("Survivors", "survivors"), ("Equivalent", "equivalent")):
        lines += ["", f"## {title}", ""]
        for room in results.values():
            for one in room[key]:
                reason = f" ({one['reason']})" if "reason" in one else ""
                lines.append(f"- {one['path']}: `{one['line']}` as `{one['becomes']}`{reason}")
    return "\n".join(lines) + "\n"


def kept(name: str, result: dict[str, Any], rooms: dict[str, Any]) -> None:
    """Put a room's result beside those of the others, as data and as a page."""
    place = ROOT / "bench" / "results" / "mutants.json"
    results = json.loads(place.read_text("utf-8")) if place.exists() else {}
    results[name] = result
    results = {room: results[room] for room in rooms if room in results}
    place.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    place.with_suffix(".md").write_text(page(results), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=25, help="mutants drawn from each room")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--room", action="append", default=[], help="only this one")
    parser.add_argument("--file", default="", help="only paths with this; nothing is written")
    arguments = parser.parse_args()
    rooms = tomllib.loads((HERE / "rooms.toml").read_text("utf-8"))
    known = tomllib.loads((HERE / "equivalent.toml").read_text("utf-8")).get("mutant", [])
    shares = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        for name in arguments.room or rooms:
            room = {path: tests for path, tests in rooms[name].items() if arguments.file in path}
            result = room_result(copy, room, arguments.count, f"{arguments.seed} {name}", known)
            shares.append(result["share"])
            print(f"{name}: {result['share']:.0%} of {result['drawn']}", flush=True)
            if not arguments.file:
                kept(name, {"seed": arguments.seed, **result}, rooms)
    raise SystemExit(0 if min(shares) >= GOAL else 1)


if __name__ == "__main__":
    main()
