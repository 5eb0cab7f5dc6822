"""``neuroplayer calibrate``: a network fitted to the wearer, if it is any better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from daemon.commands.models.show import AS_JSON, answer, network_store, print_json
from daemon.configuration.flags import option_of

if TYPE_CHECKING:
    from daemon.wearers.wearer import Wearer
    from models.personal.personal_store import PersonalStore

MIN_PAIRS, MAX_PAIRS = 3, 12
MAX_PIECES = 40


@click.command()
@option_of(
    "session.source", help="As for run, or session: the one that runs; simulated only shows how it goes."
)
@click.option("--speed", default="1", help="Speed of the simulated wearer or a replay, or max.")
@click.option("--seed", type=int, default=0, help="Seed of the simulated wearer and of the choice of pieces.")
@click.option("--recorded", metavar="DATA", help="Labelled recordings instead of the headset.")
@click.option("--person", help="Whose recordings, where DATA has several people.")
@click.option("--network", metavar="NAME", help="Network to start from; default by the electrodes.")
@click.option("--rest", "rest_s", type=click.FloatRange(20, 300), default=60.0, help="Seconds of rest first.")
@click.option("--block", "block_s", type=click.FloatRange(10, 300), default=20.0, help="Seconds of a block.")
@click.option("--pairs", type=click.IntRange(MIN_PAIRS, MAX_PAIRS), default=6, help="Blocks of each kind.")
@click.option(
    "--pieces", type=click.IntRange(0, MAX_PIECES), default=8, help="Pieces of music to rate; 0: none."
)
@click.option("--listen", "listen_s", type=click.FloatRange(5, 120), default=30.0, help="Seconds of a piece.")
@option_of("music.folders", help="Your music; the configured folders by default.")
@option_of("sound.output", help="Where it sounds, as for run.")
@click.option("--node", help="Node of the session that runs, for --source session.  [default: home]")
@option_of("wearer", help="Who is calibrated; default: whom the node is named after.")
@click.option("--page", is_flag=True, hidden=True, help="Lines to and from the page that started this.")
@click.option("--list", "as_list", is_flag=True, help="List the personal networks and what they rest on.")
@click.option("--use", "chosen", metavar="NAME", help="Use a version of --list again.")
@click.option("--undo", is_flag=True, help="Go back to the shipped networks; nothing is deleted.")
@AS_JSON
def calibrate(as_list: bool, chosen: str | None, undo: bool, as_json: bool, **options: Any) -> None:
    """Fit the networks to you, from a few guided minutes and your own music.

    Rest, then blocks of counting and of rest in turn, then pieces of your music that you rate: how pleasant
    and how lively, each 1 to 5. The calm-engaged network is tuned with its first layers held still; for
    valence a small one is made from your ratings. Each is judged on blocks or pieces it was not tuned on and
    kept only if it is better there than chance allows. With the defaults it takes about twelve minutes.
    DATA of --recorded is what models train reads, with labels calm and engaged, and for music you rated
    positive and negative (head valence).
    """
    from daemon.configuration.merging import asked_wearer

    options["whose"] = whose = asked_wearer(options["wearer"], options["node"])
    options["node"] = options["node"] or "home"
    store = _store(whose)
    if undo:
        answer(lambda: _undo(store))
        _print(as_json, {"selected": None, "valence": None}, "the shipped networks are used again")
    elif chosen is not None:
        answer(lambda: _use(store, chosen))
        _print(as_json, {"selected": chosen}, f"in use now: {chosen}")
    elif as_list:
        _list(store, as_json)
    elif options["page"]:
        from daemon.calibration.run import run_for_page

        run_for_page(store, options)
    else:
        from daemon.calibration.run import calibrate_with, terminal

        result = answer(lambda: calibrate_with(store, options, terminal(options, quiet=as_json)))
        _print(as_json, result.document, "\n".join(result.words))


def _undo(store: PersonalStore) -> None:
    store.use(None)
    store.use_valence(None)


def _use(store: PersonalStore, name: str) -> None:
    if name in store.valence_versions():
        store.use_valence(name)
    else:
        store.use(name)


def _store(wearer: Wearer) -> PersonalStore:
    from models.personal.personal_store import PersonalStore

    return PersonalStore(wearer.networks[1], network_store(wearer))


def _print(as_json: bool, document: dict[str, Any], text: str) -> None:
    if as_json:
        print_json(document)
    else:
        click.echo(text)


def _list(store: PersonalStore, as_json: bool) -> None:
    selected = store.live.selected()
    cards = answer(lambda: [dict(store.card(manifest.name)) for manifest in store.versions()])
    rows = [card | {"selected": card.get("name") == selected} for card in cards]
    in_use = store.valence_in_use()
    rows += [
        dict(store.card(f"valence/{name}")) | {"selected": name == in_use}
        for name in store.valence_versions()
    ]
    lines = [f"{'*' if row['selected'] else ' '} {row['name']}: {row['verdict']['reason']}" for row in rows]
    if as_json:
        print_json(rows)
    else:
        click.echo("\n".join(lines) or "no personal network yet")
