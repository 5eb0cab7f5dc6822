"""``neuroplayer calibrate``: a network fitted to the wearer, if it is any better."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from daemon.commands.models_show_commands import AS_JSON, answer, network_store, print_json
from daemon.errors import BadInputError

if TYPE_CHECKING:
    from daemon.calibration_guide import Step
    from models.datasets import Trial
    from models.personal_calibration import Calibration
    from models.personal_store import PersonalStore

MIN_PAIRS, MAX_PAIRS = 3, 12


@click.command()
@click.option("--source", default="simulated", show_default=True, help="As for run; without --recorded.")
@click.option("--speed", default="1", help="Speed of the simulated wearer or a replay, or max.")
@click.option("--seed", type=int, default=0, help="Seed of the simulated wearer.")
@click.option("--recorded", metavar="DATA", help="Labelled recordings instead of the headset.")
@click.option("--person", help="Whose recordings, where DATA has several people.")
@click.option("--network", metavar="NAME", help="Network to start from; default by the electrodes.")
@click.option("--rest", "rest_s", type=click.FloatRange(20, 300), default=60.0, help="Seconds of rest first.")
@click.option("--block", "block_s", type=click.FloatRange(10, 300), default=20.0, help="Seconds of a block.")
@click.option("--pairs", type=click.IntRange(MIN_PAIRS, MAX_PAIRS), default=6, help="Blocks of each kind.")
@click.option("--list", "as_list", is_flag=True, help="List the personal networks and what they rest on.")
@click.option("--undo", is_flag=True, help="Go back to the shipped networks; nothing is deleted.")
@AS_JSON
def calibrate(as_list: bool, undo: bool, as_json: bool, **options: Any) -> None:
    """Fit the calm-engaged network to you, from a few guided minutes.

    Rest, then blocks of counting and of rest in turn. The network is tuned with its first layers held
    still, judged on blocks it was not tuned on, and kept only if it is better there than chance allows.
    With the defaults it takes about six minutes. DATA of --recorded is what models train reads, with
    labels calm and engaged, and for music you rated positive and negative (head valence).
    """
    store = _store()
    if undo:
        answer(lambda: store.use(None))
        _say(as_json, {"selected": None}, "the shipped networks are used again")
    elif as_list:
        _list(store, as_json)
    else:
        result = answer(lambda: _calibrate(store, options, as_json))
        _say(as_json, result, "\n".join(result["lines"]))


def _store() -> PersonalStore:
    from daemon import places
    from models.personal_store import PersonalStore

    return PersonalStore(places.own_networks(places.state_dir())[1], network_store())


def _say(as_json: bool, document: dict[str, Any], text: str) -> None:
    if as_json:
        print_json(document)
    else:
        click.echo(text)


def _list(store: PersonalStore, as_json: bool) -> None:
    selected = store.live.selected()
    cards = answer(lambda: [dict(store.card(manifest.name)) for manifest in store.versions()])
    rows = [card | {"selected": card.get("name") == selected} for card in cards]
    lines = [f"{'*' if row['selected'] else ' '} {row['name']}: {row['verdict']['reason']}" for row in rows]
    if as_json:
        print_json(rows)
    else:
        click.echo("\n".join(lines) or "no personal network yet")


def _calibrate(store: PersonalStore, options: dict[str, Any], as_json: bool) -> dict[str, Any]:
    from models.personal_calibration import calibrate, personal_examples

    channels, rate_hz, trials = _recorded(options) if options["recorded"] else _guided(options, as_json)
    base = _base(store, options["network"], channels)
    heads = set(trials[0].labels)
    lines: list[str] = []
    document: dict[str, Any] = {}
    if heads & {"emotion", "state"}:
        head = "emotion" if "emotion" in heads else "state"
        examples = personal_examples(base, trials, channels, rate_hz, head)
        result: Calibration = calibrate(base, examples, store, say=_progress(as_json))
        document |= result.as_json()
        lines.append(result.verdict.reason)
        lines.append(f"in use now: {result.name or base.name}")
        if result.name:
            lines.append("undo with: neuroplayer calibrate --undo")
    if "valence" in heads:
        document["valence"], line = _valence(store, base, trials, channels, rate_hz)
        lines.append(line)
    return document | {"lines": lines}


def _valence(
    store: PersonalStore, base: Any, trials: Any, channels: Any, rate_hz: float
) -> tuple[dict[str, Any], str]:
    from models.personal_calibration import calibrate_valence, personal_examples, store_valence

    examples = personal_examples(base, trials, channels, rate_hz, "valence")
    model, verdict = calibrate_valence(examples)
    path = store_valence(store, base, model, verdict, examples) if verdict.kept else None
    stored = f", stored as {path}" if path else "; valence stays unknown"
    document = {"kept": verdict.kept, "path": str(path) if path else None, "verdict": verdict.as_json()}
    return document, f"valence {verdict.reason}{stored}"


def _base(store: PersonalStore, name: str | None, channels: tuple[str, ...]) -> Any:
    """The network to start from: a shipped one, never a personal one that was itself tuned."""
    from inference.model_store import ModelStore, require_channels

    if name is not None:
        base = store.live.get(name)
        require_channels(base, channels)
        return base
    chosen = ModelStore(store.live.roots[-1:]).choose_for(channels)
    if chosen is None:
        raise BadInputError(f"calibrate: no shipped network fits the electrodes {', '.join(channels[:8])}")
    return chosen


def _recorded(options: dict[str, Any]) -> tuple[tuple[str, ...], float, tuple[Trial, ...]]:
    from models.datasets import open_dataset

    source = open_dataset(options["recorded"])
    person = options["person"]
    trials: list[Trial] = []
    people: set[str] = set()
    for trial in source.trials():
        people.add(trial.person)
        if person in (None, trial.person):
            trials.append(trial)
        if person is None and len(people) > 1:
            raise BadInputError("calibrate: the recordings are of several people; choose with --person")
    if not trials:
        raise BadInputError(
            f"calibrate: no trial of person {person!r}; there are {', '.join(sorted(people))}"
        )
    return source.info.channels, source.info.rate_hz, tuple(trials)


def _guided(options: dict[str, Any], as_json: bool) -> tuple[tuple[str, ...], float, tuple[Trial, ...]]:
    from acquisition.opening import make_source
    from acquisition.source_spec import parse_source
    from daemon.calibration_guide import guide, protocol
    from daemon.options import parse_speed
    from models.keras_backend import keras

    keras()  # better to learn that the train extra is missing now than after six minutes
    source = make_source(
        parse_source(options["source"]), speed=parse_speed(options["speed"]), seed=options["seed"]
    )
    steps = protocol(options["rest_s"], options["block_s"], options["pairs"])
    info, trials = guide(source, steps, show=_shower(as_json))
    return info.channels, info.rate_hz, trials


def _shower(as_json: bool) -> Callable[[Step, float], None]:
    told: list[Step] = []

    def show(step: Step, left_s: float) -> None:
        if as_json:
            return
        if not told or told[-1] is not step:
            told.append(step)
            click.echo(f"\n{step.says} ({step.seconds:g} s)", err=True)
        if sys.stderr.isatty():
            click.echo(f"\r{left_s:4.0f} s left ", nl=False, err=True)

    return show


def _progress(as_json: bool) -> Callable[[str], None]:
    return (lambda _text: None) if as_json else (lambda text: click.echo(text, err=True))
