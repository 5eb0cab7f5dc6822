"""``neuroplayer models list|show|verify``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from daemon.errors import BadInputError
from inference.networks.model_store import ModelStore
from inference.port import ClassifierError

if TYPE_CHECKING:
    from daemon.wearers.wearer import Wearer

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")
HORIZONS = (("window", "one window"), ("10s", "10 s"), ("30s", "30 s"))


def network_store(wearer: Wearer | None = None) -> ModelStore:
    """The networks of a wearer first, by default of the configured one, then those that are shipped."""
    from daemon.configuration.merging import asked_wearer
    from models.files.folders import shipped

    return ModelStore((*(wearer or asked_wearer()).networks, shipped()))


def answer(ask: Callable[[], Any]) -> Any:
    """Ask, and turn every refusal into one line."""
    from acquisition.port import SourceError
    from models.errors import ModelsError

    try:
        return ask()
    except (ClassifierError, ModelsError, SourceError) as error:
        raise BadInputError(str(error)) from None
    except OSError as error:
        raise BadInputError(f"{error.filename or 'file'}: {error.strerror or error}") from None


def print_json(value: Any) -> None:
    """Indented JSON on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


@click.command("list")
@click.option("--markdown", is_flag=True, help="Answer with a Markdown table.")
@AS_JSON
def list_networks(markdown: bool, as_json: bool) -> None:
    """List the stored networks with their balanced accuracy on people they never saw."""
    from models.runs.stored_networks import describe, table

    if markdown:
        click.echo(answer(lambda: table(network_store())))
        return
    rows = answer(lambda: [describe(manifest) for manifest in network_store().list()])
    if as_json:
        print_json(rows)
        return
    for row in rows:
        figures = row["card"].get("leave_one_person_out", {}).get("balanced_accuracy", {})
        told = "  ".join(f"{title} {_figure(figures.get(key))}" for key, title in HORIZONS)
        click.echo(f"{row['name']:22} {len(row['channels']):2} electrodes  {told}")


@click.command()
@click.argument("name")
@AS_JSON
def show(name: str, as_json: bool) -> None:
    """Show the network NAME: its electrodes, figures, controls and limits."""
    from models.runs.stored_networks import describe

    row = answer(lambda: describe(network_store().get(name)))
    if as_json:
        print_json(row)
        return
    card = row["card"]
    click.echo(f"{row['name']} {row['version']}: {row['montage']}")
    click.echo(f"electrodes: {', '.join(row['channels'])}")
    for variant, path in row["files"].items():
        click.echo(f"{variant}: {path} ({row['bytes'][variant]} bytes, sha256 {row['sha256'][variant]})")
    _print_figures(card.get("leave_one_person_out", {}))
    for control, values in card.get("controls", {}).items():
        limit = card.get("controls_limit", {}).get(control)
        low, high = values.get("interval_95", (None, None))
        over = f" ({low:.2f} to {high:.2f})" if low is not None else ""
        click.echo(f"control {control.replace('_', ' ')}: {_figure(values['10s'])}{over} (limit {limit})")
    whose = card.get("controls_kept", {}).get("on")
    if whose:
        click.echo(f"controls are of {whose}")
    for limit in card.get("limits", []):
        click.echo(f"- {limit}")
    click.echo(card.get("attribution", ""))


def _print_figures(figures: Mapping[str, Any]) -> None:
    for key, title in HORIZONS:
        if key in figures.get("balanced_accuracy", {}):
            low, high = figures["interval_95"][key]
            click.echo(
                f"{title}: balanced accuracy {figures['balanced_accuracy'][key]:.3f} "
                f"(95 % {low:.3f} to {high:.3f}, chance 0.5), "
                f"calibration error {figures['calibration_error'][key]:.3f}"
            )


@click.command()
@click.argument("name", required=False)
@AS_JSON
def verify(name: str | None, as_json: bool) -> None:
    """Check hash, shapes and golden vectors of the network NAME, or of all."""
    from models.runs.stored_networks import verify as verify_all

    rows = answer(lambda: verify_all(network_store(), name))
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            click.echo(f"{row['name']} {row['file']}: {'ok' if row['ok'] else row['problem']}")
    if not all(row["ok"] for row in rows):
        sys.exit(1)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
