"""What the README says of the networks is what their cards say, and what it shows exists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
CARDS = sorted((ROOT / "models" / "pretrained").glob("*/card.json"))


def row(card: dict[str, Any]) -> str:
    """The line of the README's table for one network."""
    people = card["leave_one_person_out"]
    accuracy, interval = people["balanced_accuracy"], people["interval_95"]
    cells = [
        f"`{card['name']}`",
        f"{len(card['channels'])}",
        *(
            f"{accuracy[span]:.2f} ({interval[span][0]:.2f}-{interval[span][1]:.2f})"
            for span in ("window", "10s", "30s")
        ),
        f"{card['unreadable']['share_below_0.60']:.0%}",
        " / ".join(
            f"{card['controls'][name]['10s']:.2f}"
            for name in ("residue", "early_against_late_rest", "shuffled", "swapped_baseline")
        ),
    ]
    return f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.parent.name)
def test_the_table_agrees_with_the_card(path: Path) -> None:
    assert row(json.loads(path.read_text("utf-8"))) in README.splitlines()


def test_there_are_networks_to_speak_of() -> None:
    assert CARDS


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!http)([^)#]+)", README))))
def test_what_the_readme_links_to_exists(target: str) -> None:
    assert (ROOT / target).exists(), target


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^make ([a-z-]+)", README, re.MULTILINE))))
def test_its_make_targets_exist(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
