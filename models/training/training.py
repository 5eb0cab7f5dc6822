"""The training loop: seeded by epoch, stopped early, checkpointed, and the same after a kill -9."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.evaluation.metrics import balanced_accuracy, cross_entropy
from models.files.writing import whole_file
from models.networks.input_layout import InputLayout
from models.networks.keras_backend import keras
from models.training.augmentation import augment
from models.training.checkpoint import Checkpoint
from models.training.splits import Split
from models.training.training_settings import Progress, TrainingSettings

Targets = dict[str, NDArray[np.float32]]
Report = Callable[[Progress, TrainingSettings], None]
PREDICT_BATCH = 512


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """X (n, *input_shape) and one-hot targets by head (n, n_classes), with the rows of each half."""

    X: NDArray[np.float32]
    targets: Targets
    split: Split
    rate_hz: float = 128.0

    def half(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.float32], Targets]:
        """X and targets of the rows (n,)."""
        return self.X[rows], {head: target[rows] for head, target in self.targets.items()}


def fit(
    network: Any,
    data: TrainingData,
    layout: InputLayout,
    settings: TrainingSettings,
    *,
    checkpoint: Checkpoint | None = None,
    best_path: Path | None = None,
    report: Report | None = None,
    adapt: bool = True,
) -> Progress:
    """Train ``network`` in place; it ends with the weights of its best epoch.

    Every epoch draws order, dropout and augmentation from (seed, epoch) alone, so that a training resumed
    from ``checkpoint`` ends with the very weights of one that was never interrupted.
    """
    settings.augmentation.check(layout)
    X, targets = data.half(data.split.train)
    if adapt:
        _adapt(network, X, layout)
    compile_network(network, settings)
    weights = {head: class_weights(target, settings) for head, target in targets.items()}
    stored = checkpoint.load(network) if checkpoint is not None else None
    best, progress = stored if stored is not None else (network.get_weights(), Progress())
    while not progress.stopped(settings):
        _seed_epoch(network, settings.seed, progress.epoch)
        figures = _epoch(network, X, targets, layout, settings, progress, weights, data.rate_hz)
        if len(data.split.validate):
            figures |= validation_figures(network, *data.half(data.split.validate))
        if progress.note(figures, settings):
            best = network.get_weights()
            if best_path is not None:
                with whole_file(best_path) as draft:
                    network.save(draft)
        if checkpoint is not None:
            checkpoint.save(network, best, progress)
        if report is not None:
            report(progress, settings)
    network.set_weights(best)
    if checkpoint is not None:
        checkpoint.remove()
    return progress


def compile_network(network: Any, settings: TrainingSettings) -> None:
    """Adam and a cross-entropy of soft targets by head."""
    k = keras()
    losses = {
        head: k.losses.CategoricalCrossentropy(label_smoothing=settings.label_smoothing)
        for head in head_names(network)
    }
    only = next(iter(losses.values()))
    network.compile(
        optimizer=k.optimizers.Adam(settings.learning_rate), loss=losses if len(losses) > 1 else only
    )


def head_names(network: Any) -> list[str]:
    """Names of the outputs, in order."""
    output = network.output
    return list(output) if isinstance(output, Mapping) else [network.layers[-1].name]


def class_weights(target: NDArray[np.float32], settings: TrainingSettings) -> NDArray[np.float32]:
    """Weight by class (n_classes,) so that each that occurs in ``target`` (n, n_classes) counts the same;
    mean 1 over the examples.
    """
    counts = target.sum(axis=0)
    there = counts > 0
    if not settings.class_weights:
        return np.ones(target.shape[1], np.float32)
    weights = np.where(there, len(target) / (there.sum() * np.maximum(counts, 1)), 0)
    return weights.astype(np.float32)


def probabilities(network: Any, X: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
    """Answers by head, each (n, n_classes) and summing to one in double precision."""
    parts = [network.predict_on_batch(X[i : i + PREDICT_BATCH]) for i in range(0, len(X), PREDICT_BATCH)]
    if not isinstance(parts[0], Mapping):
        parts = [{head_names(network)[0]: part} for part in parts]
    whole = {head: np.concatenate([part[head] for part in parts]).astype(np.float64) for head in parts[0]}
    return {head: answers / answers.sum(axis=1, keepdims=True) for head, answers in whole.items()}


def validation_figures(network: Any, X: NDArray[np.float32], targets: Targets) -> dict[str, float]:
    """``val_loss`` summed over the heads and ``val_balanced_accuracy`` of each, on X (n, *input_shape)."""
    answers = probabilities(network, X)
    figures = {"val_loss": sum(cross_entropy(answers[head], target) for head, target in targets.items())}
    for head, target in targets.items():
        name = "val_balanced_accuracy" if len(targets) == 1 else f"val_{head}_balanced_accuracy"
        figures[name] = balanced_accuracy(target.argmax(axis=1), answers[head].argmax(axis=1))
    return figures


def _epoch(
    network: Any,
    X: NDArray[np.float32],
    targets: Targets,
    layout: InputLayout,
    settings: TrainingSettings,
    progress: Progress,
    weights: dict[str, NDArray[np.float32]],
    rate_hz: float,
) -> dict[str, float]:
    rng = np.random.default_rng([settings.seed, progress.epoch])
    order = rng.permutation(len(X))
    X, targets = X[order], {head: target[order] for head, target in targets.items()}
    if settings.augmentation.active:
        X, targets = augment(X, targets, layout, settings.augmentation, rng, rate_hz)
    rate = settings.rate_at(progress.epoch, progress.plateau_cuts)
    network.optimizer.learning_rate.assign(rate)
    per_example = {head: target @ weights[head] for head, target in targets.items()}
    single = len(targets) == 1
    done = network.fit(
        X,
        next(iter(targets.values())) if single else targets,
        sample_weight=next(iter(per_example.values())) if single else per_example,
        batch_size=settings.batch_size,
        epochs=1,
        shuffle=False,
        verbose=0,
    )
    return {"loss": float(done.history["loss"][-1]), "learning_rate": rate}


def _seed_epoch(network: Any, seed: int, epoch: int) -> None:
    """Give every dropout of the network a state of its own for this epoch."""
    numbers = np.random.default_rng([seed, epoch, 1])
    for layer in network._flatten_layers():
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            generator.state.assign(numbers.integers(0, 2**31, size=2).astype(np.uint32))


def _adapt(network: Any, X: NDArray[np.float32], layout: InputLayout) -> None:
    """Let the network's own normalisation learn mean and variance from the training half alone."""
    layer = next((one for one in network.layers if one.name == "normalise"), None)
    if layer is not None:
        layer.adapt(X.reshape(len(X), *layout.shape))
