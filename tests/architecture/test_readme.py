"""What the README says of the networks is what their cards say, and what it shows exists."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
TEXTS = [
    ROOT / "README.md",
    ROOT / "SECURITY.md",
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


CONTROLS = (
    *("residue", "residue_in_one_band", "early_against_late_rest", "shuffled"),
    *("swapped_baseline", "tensed_rest"),
)


def row(card: dict[str, Any]) -> str:
    """The line of the README's first table for one network: people kept aside, the file that runs."""
    people = card["kept_aside"]["files"]["int8"]
    accuracy, interval = people["balanced_accuracy"], people["interval_95"]
    below = [one["10s"] < 0.6 for one in people["per_person"].values()]
    cells = [
        f"`{card['name']}`",
        f"{len(card['channels'])}",
        *(
            f"{accuracy[span]:.2f} ({interval[span][0]:.2f}-{interval[span][1]:.2f})"
            for span in ("window", "10s", "30s")
        ),
        f"{sum(below) / len(below):.0%}",
        " / ".join(f"{card['controls'][name]['10s']:.2f}" for name in CONTROLS),
    ]
    return f"| {' | '.join(cells)} |"


def live_row(card: dict[str, Any]) -> str:
    """The line of its second table: what a wearer meets."""
    aside = card["kept_aside"]
    short, lacking = aside["rest_of_10s"], aside["one_electrode_missing"]
    cells = [f"`{card['name']}`"]
    for state in ("rest", "task"):
        one = aside["settled"][state]
        reach = f"{one['people_who_reach_it']} of {aside['people']}"
        cells.append(f"{one['share_right']:.2f} / {one['share_wrong']:.2f}")
        cells.append(f"{one['settles_s_median']:g} s, {reach}")
    cells.append(f"{short['balanced_accuracy']['10s']:.2f}")
    cells.append(f"{lacking['since_the_rest']['10s']:.2f} / {lacking['from_the_start']['10s']:.2f}")
    cells.append(f"{aside['files']['int8']['calibration_error']['30s']:.2f}")
    return f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("line", [row, live_row])
@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.parent.name)
def test_the_tables_agree_with_the_card(path: Path, line: Callable[[dict[str, Any]], str]) -> None:
    assert line(json.loads(path.read_text("utf-8"))) in README.splitlines()


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
