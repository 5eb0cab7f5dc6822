"""What the README says of the networks is what their cards say, and what it shows exists."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
TEXTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs").glob("*/README.md")),
]
COMMANDS = sorted(
    {
        line.removeprefix(".venv/bin/")
        for path in TEXTS
        for block in re.findall(r"```\n(.*?)```", path.read_text("utf-8"), re.DOTALL)
        for line in block.splitlines()
        if re.match(r"(\.venv/bin/)?neuroplayer\b", line)
    }
)
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


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_text_links_to_exists(path: Path) -> None:
    targets = re.findall(r"""(?:\]\(|src=")(?!http)([^)#"]+)""", path.read_text("utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_line_is_one_the_product_takes(line: str) -> None:
    from daemon.cli import cli

    command: click.Command = cli
    words = shlex.split(line, comments=True)[1:]
    context = click.Context(cli, info_name="neuroplayer")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words.pop(0))
        assert found is not None, line
        command = found
    if not isinstance(command, click.Group):
        command.make_context(line, words, parent=context)


def test_the_linear_classifier_is_quoted_as_it_was_measured() -> None:
    tried = json.loads((ROOT / "bench" / "results" / "calm_engaged_tried.json").read_text("utf-8"))
    found = {
        row["electrodes"]: f"{row['balanced_accuracy_10s']:.2f}"
        for row in tried
        if row["what"] == "LDA on windows (the reference)"
    }
    quoted = f"reaches {found[4]}, {found[8]} and {found[19]} after 10 s"
    assert quoted in " ".join(README.split())


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^make ([a-z-]+)", README, re.MULTILINE))))
def test_its_make_targets_exist(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
