"""The hooks before a commit are the parts of ``make check``, and fetch nothing."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOOKS = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")


def test_each_part_of_make_check_is_a_hook_and_nothing_else_is() -> None:
    target = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert target is not None
    parts = [part.removesuffix(" .") for part in re.findall(r"\$\(BIN\)/(.+)", target[1])]
    entries = re.findall(r"entry: \.venv/bin/(.+)", HOOKS)
    assert parts
    assert [entry.removesuffix(" --force-exclude") for entry in entries] == parts


def test_all_of_them_are_this_checkouts_own() -> None:
    assert re.findall(r"repo: (.+)", HOOKS) == ["local"]
    assert set(re.findall(r"language: (.+)", HOOKS)) == {"system"}
