"""One training from data to stored files: ``neuroplayer models train``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.conversion.quantization import QuantizedFile, check_variants, quantize
from models.datasets import EmotionDataset, ExampleSettings, build_examples, open_dataset
from models.emotion_recognition_model import EmotionRecognitionModel
from models.ensemble import EmotionEnsemble
from models.errors import DatasetError, TrainingError
from models.files import folders
from models.files.provenance import timestamped
from models.files.writing import whole_folder, write_json
from models.networks.input_layout import InputLayout
from models.runs.recipes import RECIPES
from models.training.splits import folds_by_group

MAX_ARRAY_BYTES = 8_000_000_000
Notify = Callable[[str], None]
Model = EmotionRecognitionModel | EmotionEnsemble


@dataclass(frozen=True, slots=True, eq=False)
class TrainingExamples:
    """What is trained on, wherever it is from: X (n, *input_shape), y by head and groups (n,).

    ``dataset`` is None for plain arrays.
    """

    X: NDArray[np.float32]
    y: Mapping[str, NDArray[Any]]
    groups: NDArray[Any] | None
    heads: Mapping[str, int]
    layout: InputLayout | None = None
    dataset: EmotionDataset | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line may say."""

    architecture: str = "cnn"
    epochs: int = 100
    batch_size: int = 32
    seed: int = 0
    validation_split: float = 0.2
    folds: int = 0
    members: int = 1
    """More than one: an ensemble of so many, each from a seed of its own."""
    variants: tuple[str, ...] = ()
    suffix: str = ".h5"
    progress: bool = True
    resume: bool = True
    training: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class TrainedRun:
    """Where the files are, the model itself (of an ensemble the first), and everything that is said of it."""

    folder: Path
    model: EmotionRecognitionModel
    card: Mapping[str, Any]
    files: tuple[QuantizedFile, ...]


def read_arrays(folder: Path, head: str = "emotion") -> TrainingExamples:
    """``X_train.npy``, ``y_train.npy`` and, where it is there, ``groups_train.npy`` of a folder.

    Raises ``DatasetError`` naming the file and the rule.
    """
    X = _read_array(folder / "X_train.npy")
    y = _read_array(folder / "y_train.npy")
    if not np.issubdtype(X.dtype, np.number) or X.ndim < 2:
        raise DatasetError(f"{folder / 'X_train.npy'}: must hold numbers (n, ...), got {X.dtype} {X.shape}")
    if len(X) != len(y):
        raise DatasetError(
            f"{folder / 'y_train.npy'}: must hold {len(X)} labels as X_train.npy, got {len(y)}"
        )
    groups = folder / "groups_train.npy"
    labels = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.ravel()
    whole = np.issubdtype(labels.dtype, np.number) and labels.min() >= 0 and (labels % 1 == 0).all()
    n_classes = int(labels.max()) + 1 if whole else len(np.unique(labels))
    return TrainingExamples(
        X.astype(np.float32),
        {head: labels},
        _read_array(groups) if groups.exists() else None,
        {head: max(2, n_classes)},
        where=str(folder),
    )


def _read_array(path: Path) -> NDArray[Any]:
    try:
        if path.stat().st_size > MAX_ARRAY_BYTES:
            raise DatasetError(f"{path}: at most {MAX_ARRAY_BYTES} bytes are read")
        array: NDArray[Any] = np.load(path, allow_pickle=False)
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror or error}") from error
    except (ValueError, EOFError) as error:
        raise DatasetError(f"{path}: not a plain .npy array: {error!s:.80}") from error
    if not len(array.shape) or not len(array):
        raise DatasetError(f"{path}: holds no example")
    return array


def read_dataset(
    spec: str,
    examples: ExampleSettings,
    heads: tuple[str, ...],
    channels: tuple[str, ...] | None = None,
    notify: Notify = lambda _: None,
) -> TrainingExamples:
    """Examples of a data set; features come as (sequence, n_features). Raises ``DatasetError``."""
    made = build_examples(
        open_dataset(spec, channels), examples, lambda trial: notify(f"reading {trial.key}")
    )
    X = made.X if examples.kind == "raw" else made.X.reshape(len(made.X), examples.sequence, -1)
    sizes = made.heads(heads)
    return TrainingExamples(
        X, {head: made.y[head] for head in heads}, made.groups, sizes, made.layout, made, spec
    )


def train_run(
    name: str,
    examples: TrainingExamples,
    options: RunOptions,
    *,
    folder: Path | None = None,
    notify: Notify = lambda _: None,
) -> TrainedRun:
    """Train, score by folds of whole groups where asked, save under a timestamped name, quantise.

    The run's folder appears under its final name only when everything is in it. Raises ``TrainingError``,
    ``DatasetError`` and ``ModelsError``.
    """
    check_variants(options.variants)
    if options.members > 1 and options.variants:
        raise TrainingError("the files of an ensemble are not quantised: train one network for that")
    folds = _folds(name, examples, options, notify) if options.folds else {}
    model = _model(name, examples, options)
    first = _members(model)[0]
    notify(first.summary())
    y: Any = dict(examples.y) if len(examples.y) > 1 else next(iter(examples.y.values()))
    model.train(
        examples.X,
        y,
        epochs=options.epochs,
        batch_size=options.batch_size,
        validation_split=options.validation_split,
        groups=examples.groups,
        progress=options.progress,
        resume=options.resume,
        **options.training,
    )
    target = (folder or folders.experiments()) / timestamped(name)
    with whole_folder(target) as draft:
        card, files = _store(draft, name, examples, model, options, folds, notify)
    moved = tuple(replace(file, path=str(target / Path(file.path).name)) for file in files)
    return TrainedRun(target, first, card, moved)


def _store(
    folder: Path,
    name: str,
    examples: TrainingExamples,
    model: Model,
    options: RunOptions,
    folds: Mapping[str, Any],
    notify: Notify,
) -> tuple[dict[str, Any], tuple[QuantizedFile, ...]]:
    if isinstance(model, EmotionEnsemble):
        configs = model.save_model(folder)
    else:
        configs = [model.save_model(folder / f"{name}{options.suffix}")]
    members = _members(model)
    files: tuple[QuantizedFile, ...] = ()
    if options.variants:
        notify("quantising")
        files = quantize(members[0].network, examples.X, folder, name, options.variants)
    card = _card(name, examples, members, configs, folds, files)
    write_json(folder / "card.json", card)
    return card, files


def _members(model: Model) -> list[EmotionRecognitionModel]:
    return model.members if isinstance(model, EmotionEnsemble) else [model]


def _model(name: str, examples: TrainingExamples, options: RunOptions) -> Model:
    shape = examples.X.shape[1:]
    about: Any = {
        "model_name": name,
        "heads": examples.heads,
        "layout": examples.layout,
        "seed": options.seed,
    }
    model: Model
    if options.members == 1:
        model = EmotionRecognitionModel(shape, **about)
    else:
        model = EmotionEnsemble(options.members, shape, **about)
    model.build_model(options.architecture, **options.settings)
    if examples.dataset is not None:
        # the order of a data set's classes is known, and some may be absent in a part of it
        from models.networks.label_encoder import LabelEncoder

        labels = examples.dataset.info.labels
        for member in _members(model):
            member.encoders = {head: LabelEncoder(labels[head]) for head in examples.heads}
    return model


def _folds(name: str, examples: TrainingExamples, options: RunOptions, notify: Notify) -> dict[str, Any]:
    """Balanced accuracy of each head on people (groups) that were in no way trained on."""
    if examples.groups is None:
        raise TrainingError("folds need groups (groups_train.npy or a data set), else they leak")
    figures: dict[str, list[float]] = {head: [] for head in examples.heads}
    folds = folds_by_group(examples.groups, options.folds, options.seed)
    for i, (inside, test) in enumerate(folds, 1):
        model = _model(f"{name}_fold{i}", examples, options)
        y: Any = {head: labels[inside] for head, labels in examples.y.items()}
        model.train(
            examples.X[inside],
            y if len(y) > 1 else next(iter(y.values())),
            epochs=options.epochs,
            batch_size=options.batch_size,
            groups=examples.groups[inside],
            progress=options.progress,
            checkpoints=False,
            **options.training,
        )
        held: Any = {head: labels[test] for head, labels in examples.y.items()}
        told = model.evaluate(examples.X[test], held if len(held) > 1 else next(iter(held.values())))
        by_head = told if len(held) > 1 else {next(iter(held)): told}
        for head, one in by_head.items():
            figures[head].append(one["balanced_accuracy"])
        notify(f"fold {i} of {len(folds)}: " + ", ".join(f"{h} {v[-1]:.3f}" for h, v in figures.items()))
    return {
        head: {"balanced_accuracy": float(np.mean(v)), "by_fold": v, "chance": 1 / examples.heads[head]}
        for head, v in figures.items()
    }


def _card(
    name: str,
    examples: TrainingExamples,
    members: list[EmotionRecognitionModel],
    configs: list[dict[str, Any]],
    folds: Mapping[str, Any],
    files: tuple[QuantizedFile, ...],
) -> dict[str, Any]:
    recipe, dataset, config = RECIPES.get(name), examples.dataset, configs[0]
    expectation = recipe.expectation if recipe else dataset.info.expectation if dataset else ""
    return {
        "name": name,
        "leaky": config["leaky"],
        "data": {
            "from": examples.where,
            "examples": len(examples.X),
            "people": len(np.unique(examples.groups)) if examples.groups is not None else None,
            "licence": dataset.info.licence if dataset else None,
            "reference": dataset.info.reference if dataset else None,
            "windows_refused": dataset.left_out if dataset else None,
        },
        "expectation": expectation,
        "model": config,
        "members": len(members),
        "folds_by_group": dict(folds),
        "validation": {
            key: float(np.mean([member.history[key][-1] for member in members])) for key in members[0].history
        },
        "files": {file.variant: file.as_json() | {"path": Path(file.path).name} for file in files},
    }
