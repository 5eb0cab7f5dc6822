"""``neuroplayer models train NAME [DATA]``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from daemon.commands.models.show import AS_JSON, answer, print_json
from daemon.errors import BadInputError
from player.location import quoted

AUGMENTATIONS = ("noise", "time_shift", "channel_dropout", "mixup", "frequency_shift")
SETTINGS = ("filters", "lstm_units", "dense_units", "kernel_size", "dropout")


def _pairs(given: tuple[str, ...], known: tuple[str, ...], what: str) -> dict[str, Any]:
    """``filters=32,64`` and so on as values. Raises ``BadInputError``."""
    values: dict[str, Any] = {}
    for pair in given:
        key, equals, text = pair.partition("=")
        if not equals or key not in known:
            raise BadInputError(
                f"--{what} {quoted(pair, 60)} must be KEY=VALUE with one of {', '.join(known)}"
            )
        try:
            numbers = [json.loads(part) for part in text.split(",")]
        except ValueError:
            raise BadInputError(
                f"--{what} {quoted(pair, 60)}: the value must be a number or several"
            ) from None
        many = key in ("filters", "lstm_units", "dense_units")
        values[key] = tuple(numbers) if many else numbers[0]
    return values


@click.command()
@click.argument("name")
@click.argument("data", default=".")
@click.option(
    "--architecture",
    default="cnn",
    show_default=True,
    help="cnn_bilstm, cnn, bilstm, dense or eegnet (raw windows).",
)
@click.option("--head", "heads", multiple=True, help="emotion, valence, arousal; may be given again.")
@click.option("--channels", metavar="A,B,..", help="Electrodes of a people set; default all.")
@click.option("--schema", default="de5@1", show_default=True, help="Feature layout.")
@click.option("--window", "window_s", type=float, default=2.0, show_default=True, metavar="SECONDS")
@click.option("--hop", "hop_s", type=float, default=1.0, show_default=True, metavar="SECONDS")
@click.option("--sequence", type=int, default=1, show_default=True, help="Windows in one example.")
@click.option("--epochs", type=int, default=100, show_default=True)
@click.option("--batch-size", type=int, default=32, show_default=True)
@click.option("--learning-rate", type=float, default=1e-3, show_default=True)
@click.option(
    "--patience", type=int, default=15, show_default=True, help="Epochs without gain to stop after."
)
@click.option("--schedule", default="plateau", show_default=True, help="plateau, cosine or constant.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--folds", type=int, default=0, help="First score by so many folds of whole people.")
@click.option(
    "--ensemble", type=int, default=1, metavar="N", help="Train N networks that answer together, 2 to 64."
)
@click.option("--augment", multiple=True, metavar="KEY=VALUE", help=", ".join(AUGMENTATIONS))
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help=", ".join(SETTINGS))
@click.option("--quantize", metavar="A,B,..", help="float, dynamic, float16, int8: write these files too.")
@click.option("--keras", "as_keras", is_flag=True, help="Save as .keras instead of .h5.")
@click.option("--fresh", is_flag=True, help="Do not go on with a training that was killed.")
@click.option("--live", is_flag=True, help="Also store it where running engines find it.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for the result.")
@AS_JSON
def train(name: str, data: str, as_json: bool, **options: Any) -> None:
    """Train a network called NAME on DATA.

    DATA is a folder with X_train.npy and y_train.npy (and groups_train.npy: the person of each row), or a
    data set: eegmat:FILE.npz, deap:FOLDER, seed:FOLDER, dreamer:FILE, recordings:FOLDER. The names
    deap_cnn_bilstm and seed_cnn_bilstm are recipes: DATA is then the set's folder. The name of a network
    that ships makes it anew, judged on people kept aside: DATA is then eegmat:FILE.npz, and of the options
    only --out and --seed count.

    Validation is on whole people. Without groups windows are split at random: that leaks, is said in red
    and marks the result.
    """

    def notify(text: str) -> None:
        if not as_json or sys.stderr.isatty():
            click.echo(text, err=True)

    if shipped := _shipped(name):
        answer(lambda: _make_shipped(shipped, data, options, notify))
    else:
        _train_own(name, data, as_json, options, notify)


def _train_own(name: str, data: str, as_json: bool, options: dict[str, Any], notify: Any) -> None:
    from models.runs.live_export import export_live
    from models.runs.training_run import train_run
    from models.training.training_report import warn_red

    examples, run_options, expectation = answer(lambda: _prepare(name, data, as_json, options, notify))
    if expectation:
        notify(expectation)
    run = answer(lambda: train_run(name, examples, run_options, folder=options["out"], notify=notify))
    stored = answer(lambda: export_live(run, examples, _live_root())) if options["live"] else None
    if run.card["leaky"]:
        warn_red("the validation figures below leak; do not quote them")
    if as_json:
        print_json({"folder": str(run.folder), "stored": stored.name if stored else None, "card": run.card})
        return
    for key, value in run.card["validation"].items():
        click.echo(f"{key}: {value:.4f}")
    for head, figures in run.card["folds_by_group"].items():
        told = f"{figures['balanced_accuracy']:.3f} (chance {figures['chance']:.2f})"
        click.echo(f"{head}: balanced accuracy on people left out {told}")
    if run.files:
        from models.conversion.quantization import table

        click.echo(table(run.files))
    click.echo(f"saved in {run.folder}")
    if stored:
        click.echo(f"stored as {stored.name}: neuroplayer models use {stored.name}")


def _shipped(name: str) -> Any:
    """The montage of the network that ships under this name; None for any other name."""
    from models.calm_engaged.montages import SHIPPED

    return next((montage for montage in SHIPPED if montage.name == name), None)


def _make_shipped(montage: Any, data: str, options: dict[str, Any], say: Any) -> None:
    from models.calm_engaged.recipe import SEED, make_network
    from models.calm_engaged.training import RecipeSettings
    from models.files.folders import experiments

    kind, colon, path = data.partition(":")
    if kind != "eegmat" or not colon:
        raise BadInputError(f"{montage.name} is made of eegmat:FILE.npz, got {data!r:.80}")
    folder = options["out"] or experiments() / montage.name
    make_network(Path(path), montage, RecipeSettings(), folder, say, options["seed"] or SEED)


def _live_root() -> Path:
    from daemon import places

    return places.state_dir() / "models"


def _prepare(name: str, data: str, as_json: bool, options: dict[str, Any], notify: Any) -> Any:
    """Examples, options of the run, and what may be expected of the data."""
    from models.runs.live_export import why_not_live
    from models.runs.recipes import RECIPES
    from models.runs.training_run import RunOptions

    recipe = RECIPES.get(name)
    examples = _examples(recipe, data, options, notify)
    reason = "the engine runs one network, not an ensemble" if options["ensemble"] != 1 else ""
    if options["live"] and (reason := reason or why_not_live(examples)):
        raise BadInputError(f"--live: {reason}")
    training = {key: options[key] for key in ("learning_rate", "patience", "schedule")}
    training["augmentation"] = _pairs(options["augment"], AUGMENTATIONS, "augment")
    run_options = RunOptions(
        architecture=recipe.architecture if recipe else options["architecture"],
        epochs=options["epochs"],
        batch_size=options["batch_size"],
        seed=options["seed"],
        folds=options["folds"],
        members=options["ensemble"],
        variants=tuple(options["quantize"].split(",")) if options["quantize"] else (),
        suffix=".keras" if options["as_keras"] else ".h5",
        progress=not as_json,
        resume=not options["fresh"],
        training=training | (dict(recipe.training) if recipe else {}),
        settings=_pairs(options["settings"], SETTINGS, "set"),
    )
    dataset = examples.dataset
    expectation = recipe.expectation if recipe else dataset.info.expectation if dataset else ""
    return examples, run_options, expectation


def _examples(recipe: Any, data: str, options: dict[str, Any], notify: Any) -> Any:
    from models.datasets import ExampleSettings
    from models.runs.training_run import read_arrays, read_dataset

    heads = tuple(options["heads"]) or (recipe.heads if recipe else ("emotion",))
    channels = tuple(options["channels"].split(",")) if options["channels"] else None
    if recipe:
        spec = data if data.startswith(f"{recipe.dataset}:") else f"{recipe.dataset}:{data}"
        return read_dataset(spec, recipe.examples, heads, channels, notify)
    if ":" not in data and not data.endswith(".npz") and not (Path(data) / "dataset.json").is_file():
        return read_arrays(Path(data), heads[0])
    how = ExampleSettings(
        kind="raw" if options["architecture"] == "eegnet" else "features",
        schema=options["schema"],
        window_s=options["window_s"],
        hop_s=options["hop_s"],
        sequence=options["sequence"],
    )
    return read_dataset(data, how, heads, channels, notify)
