"""``neuroplayer models use|remove``: which stored network the engines prefer, and deleting one's own."""

from __future__ import annotations

import click

from daemon.commands.models.show import AS_JSON, answer, network_store, print_json
from daemon.errors import BadInputError


@click.command()
@click.argument("name", required=False)
@click.option("--auto", is_flag=True, help="Go back to choosing by the headset's electrodes.")
@AS_JSON
def use(name: str | None, auto: bool, as_json: bool) -> None:
    """Prefer the network NAME from now on; running engines change over too.

    Where the headset lacks its electrodes, the network is chosen by electrodes as before. Without NAME the
    choice is shown.
    """
    store = network_store()
    if name is not None and auto:
        raise BadInputError("models use: give a NAME or --auto, not both")
    if name is not None or auto:
        answer(lambda: store.select(name))
    chosen = store.selected()
    if as_json:
        print_json({"selected": chosen})
    else:
        click.echo(chosen or "chosen by the headset's electrodes")


@click.command()
@click.argument("name")
@AS_JSON
def remove(name: str, as_json: bool) -> None:
    """Delete the network NAME, one of your own; shipped ones stay. If it was in use, the choice is undone."""
    from daemon import places
    from models.runs.stored_networks import remove_own

    answer(lambda: remove_own(network_store(), places.state_dir() / "models", name))
    if as_json:
        print_json({"removed": name})
    else:
        click.echo(f"removed {name}")
