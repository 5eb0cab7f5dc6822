"""``neuroplayer models evaluate NAME DATA``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from daemon.commands.models.show import AS_JSON, HORIZONS, answer, network_store, print_json

if TYPE_CHECKING:
    from models.evaluation.evaluation import Evaluation


@click.command()
@click.argument("name")
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--baseline",
    "baseline_s",
    type=float,
    metavar="SECONDS",
    help="How much of each person's own rest is the baseline; 0 for none. Default: the network's own.",
)
@click.option(
    "--variant", type=click.Choice(["int8", "float"]), default="int8", show_default=True, help="Which file."
)
@click.option(
    "--compare",
    "others",
    metavar="NAME",
    multiple=True,
    help="Another network beside it; may be given again.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.html",
    help="Write a page with plots, and its JSON twin (needs the train extra).",
)
@AS_JSON
def evaluate(
    name: str,
    data: Path,
    baseline_s: float | None,
    variant: str,
    others: tuple[str, ...],
    report: Path | None,
    as_json: bool,
) -> None:
    """Score the network NAME on DATA: an .npz of people (arrays Sxx_rest and Sxx_arith, and __meta__), or
    bids:FOLDER, a BIDS folder of EEG as OpenNeuro gives them, of rest or easy work against hard work.

    Balanced accuracy by person on one window, 10 s and 30 s of evidence. Rest that served as baseline is
    left out of the score.
    """
    from models.evaluation.evaluation_report import comparison_table, write_report
    from models.evaluation.people_evaluation import evaluate_people

    def progress(person: str) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{person} ", nl=False, err=True)

    def score() -> list[tuple[dict[str, Any], tuple[Evaluation, ...]]]:
        store = network_store()
        found = [
            evaluate_people(store.get(one), data, baseline_s=baseline_s, variant=variant, progress=progress)
            for one in (name, *others)
        ]
        if report is not None:
            write_report(report, f"Networks on {data.name}", [e for _, many in found for e in many])
        return found

    found = answer(score)
    documents = [document for document, _ in found]
    if as_json:
        print_json(documents[0] if not others else documents)
        return
    for document in documents:
        _print_table(document)
    if others:
        click.echo(comparison_table([e for _, many in found for e in many]))


def _print_table(document: dict[str, Any]) -> None:
    click.echo(
        f"{document['name']} on {document['people']} people, {document['baseline_s']:g} s of rest as baseline"
    )
    known = document["people_trained_on"]
    if known:
        who = "these very people" if len(known) == document["people"] else ", ".join(known)
        click.echo(f"It was trained on {who:.200}: quote its card (neuroplayer models show), not this.")
    click.echo(f"{'':12}" + "".join(f"{title:>12}" for _, title in HORIZONS))
    for person, figures in document["per_person"].items():
        click.echo(f"{person:12}" + _cells(figures) + f"   {document['not_read'].get(person, '')}")
    click.echo(
        f"{'all people':12}" + _cells(document["balanced_accuracy"]) + "   balanced accuracy, chance 0.5"
    )
    for state, figures in document["recall"].items():
        click.echo(f"{state + ' found':12}" + _cells(figures))


def _cells(figures: dict[str, float | None]) -> str:
    return "".join(f"{'-' if figures[key] is None else f'{figures[key]:.3f}':>12}" for key, _ in HORIZONS)
