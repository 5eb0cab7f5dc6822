"""Every fault of the table is brought about where the table says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FAULTS = Path(__file__).resolve().parents[1] / "faults"
ROWS = re.findall(r"^\| (F\d\d) \|.*\| (.+) \|$", (FAULTS / "README.md").read_text("utf-8"), re.MULTILINE)


def test_none_is_missing() -> None:
    assert [fault for fault, _ in ROWS] == [f"F{number:02d}" for number in range(1, 48)]


@pytest.mark.parametrize(("fault", "where"), ROWS)
def test_it_is_brought_about_where_the_table_says(fault: str, where: str) -> None:
    paths = re.findall(r"\]\(([^)]+)\)", where)
    assert paths
    for path in paths:
        text = (FAULTS / path).read_text("utf-8")
        assert re.search(rf"_{fault.lower()}_|\b{fault}\b", text), f"{path} does not name {fault}"


def test_none_is_left_out_of_the_table() -> None:
    table = dict(ROWS)
    for path in (FAULTS.parent).rglob("test_*.py"):
        named = set(re.findall(r"def test_(f\d\d)_", path.read_text("utf-8")))
        assert all(f"/{path.name})" in table[fault.upper()] for fault in named), path
