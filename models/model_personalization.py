"""Fitting a model to one person: fine-tuning, and the proof that it was worth it.

A personal model is kept only if, on trials it was not tuned on, it beats the base model by more than chance
allows. The unit is the trial, never the window: windows of one trial are not independent.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.emotion_recognition_model import EmotionRecognitionModel
from models.errors import TrainingError
from models.networks.keras_backend import copy_weights, keras
from models.training.training import head_names

ALPHA = 0.05
MIN_TRIALS = 6
"""With fewer no result can be surer than 1 in 20: 2 ** -5 is the least that signs of 5 trials can show."""
MAX_EXACT = 14
N_DRAWN = 20_000
Fitted = Callable[[int, int], None]
"""Hears, before each fitting, how many are done and of how many."""


def fine_tune_model(
    model: EmotionRecognitionModel,
    X: Any,
    y: Any,
    freeze_layers: int = 10,
    epochs: int = 20,
    *,
    groups: Any | None = None,
    validation_split: float = 0.2,
    learning_rate: float = 3e-4,
    model_name: str | None = None,
    **training: Any,
) -> EmotionRecognitionModel:
    """A copy of ``model`` trained on, with its first ``freeze_layers`` layers (inputs included) held still.

    The output layers always learn. ``groups`` names the trial of each example; ``training`` goes to
    ``EmotionRecognitionModel.train``. The model given is not changed. Raises ``TrainingError``.
    """
    tuned = copy_of(model, model_name or f"{model.model_name}_personal")
    freeze(tuned.network, freeze_layers)
    tuned.train(
        X,
        y,
        epochs=epochs,
        validation_split=validation_split,
        groups=groups,
        learning_rate=learning_rate,
        keep_normalisation=True,
        **training,
    )
    tuned.training |= {"fine_tuned_from": model.model_name, "freeze_layers": freeze_layers}
    return tuned


def copy_of(model: EmotionRecognitionModel, name: str) -> EmotionRecognitionModel:
    """The same network, weights and labels in a model of its own. Raises ``TrainingError`` without one."""
    if model.network is None:
        raise TrainingError(f"{model.model_name}: call build_model() or load_model() first")
    twin = EmotionRecognitionModel(
        model.input_shape, model_name=name, heads=model.heads, layout=model.layout, seed=model.seed
    )
    twin.network = keras().models.clone_model(model.network)
    copy_weights(model.network, twin.network)
    twin.architecture, twin.settings = model.architecture, model.settings
    twin.encoders, twin.training = dict(model.encoders), dict(model.training)
    return twin


def freeze(network: Any, n_layers: int) -> int:
    """Hold the first layers still, all but the heads; returns how many weights can still learn.

    Raises ``TrainingError`` for a number of layers that there are not.
    """
    if not isinstance(n_layers, int) or not 0 <= n_layers <= len(network.layers):
        raise TrainingError(f"freeze_layers must lie inside 0..{len(network.layers)}, got {n_layers!r}")
    heads = set(head_names(network))
    for i, layer in enumerate(network.layers):
        layer.trainable = i >= n_layers or layer.name in heads
    return int(sum(math.prod(weight.shape) for weight in network.trainable_weights))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the held-out trials said. Accuracies are shares of windows right, every trial and label weighing
    the same; ``p_value`` is one-sided.
    """

    kept: bool
    reason: str
    n_trials: int
    base_accuracy: float
    personal_accuracy: float
    p_value: float
    trials: dict[str, dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """Plain values for the card."""
        return asdict(self)


def personalise(
    base: EmotionRecognitionModel,
    X: Any,
    y: Any,
    trials: Any,
    *,
    freeze_layers: int = 10,
    epochs: int = 20,
    n_folds: int = 4,
    fitted: Fitted = lambda _done, _of: None,
    **training: Any,
) -> tuple[EmotionRecognitionModel, Verdict]:
    """Fine-tune on all trials, and say by folds of whole trials whether the result may be used.

    ``trials`` (n,) names the trial of each example; a trial has one label. ``fitted`` hears how many of the
    fittings are made. Raises ``TrainingError`` with
    fewer than ``MIN_TRIALS`` trials or fewer than two of a label.
    """
    if len(base.heads) != 1:
        raise TrainingError(f"a personal model has one head, {base.model_name} has {sorted(base.heads)}")
    labels, names = np.asarray(y).ravel(), np.asarray(trials).ravel()
    _check_trials(labels, names)

    def tune(some: Any, these: Any) -> EmotionRecognitionModel:
        # 0.0: the folds judge; what little there is all goes into the tuning
        return fine_tune_model(
            base,
            some,
            these,
            freeze_layers,
            epochs,
            validation_split=0.0,
            progress=False,
            checkpoints=False,
            **training,
        )

    values = np.asarray(X, np.float32)
    base_answers = base.predict_proba(values)
    personal_answers = np.zeros_like(base_answers)
    folds = label_folds(labels, names, n_folds, base.seed)
    for done, (train, test) in enumerate(folds):
        fitted(done, len(folds) + 1)
        personal_answers[test] = tune(values[train], labels[train]).predict_proba(values[test])
    fitted(len(folds), len(folds) + 1)
    truth = base.encoder().transform(labels)
    verdict = judge(base_answers, personal_answers, truth, names, seed=base.seed)
    return tune(values, labels), verdict


def label_folds(
    labels: NDArray[Any], trials: NDArray[Any], n_folds: int, seed: int
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Folds (rows to train on, rows to test on) of whole trials with every label in each training part.

    ``labels`` (n,) and ``trials`` (n,) are those of the examples.
    """
    of_label = {label: np.unique(trials[labels == label]) for label in np.unique(labels)}
    n_folds = min(n_folds, *(len(found) for found in of_label.values()))
    rng = np.random.default_rng(seed)
    place = {}
    for found in of_label.values():
        for i, name in enumerate(rng.permutation(found)):
            place[name] = i % n_folds
    fold_of = np.array([place[name] for name in trials])
    return [(np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)) for fold in range(n_folds)]


def judge(
    base: NDArray[np.float64],
    personal: NDArray[np.float64],
    truth: NDArray[np.int64],
    trials: NDArray[Any],
    *,
    seed: int = 0,
) -> Verdict:
    """Compare two models' answers (n, n_classes) on the same held-out windows, by trial.

    The statistic is the mean, over trials, of the gain in the share of windows named rightly, classes
    weighing the same; its distribution under chance is that of random signs of each trial's gain (exact for
    up to ``MAX_EXACT`` trials). A model that is only surer of the same answers gains nothing.
    """
    rows: dict[str, dict[str, Any]] = {}
    for name in np.unique(trials):
        inside = trials == name
        label = int(truth[inside][0])
        rows[str(name)] = {
            "label": label,
            "base": float(np.mean(base[inside].argmax(axis=1) == label)),
            "personal": float(np.mean(personal[inside].argmax(axis=1) == label)),
            "personal_right": bool(_whole(personal[inside]) == label),
        }
    before, after = (_balanced(rows, key) for key in ("base", "personal"))
    gains = np.array([row["personal"] - row["base"] for row in rows.values()])
    p_value = sign_flip_p(gains * _class_weights([row["label"] for row in rows.values()]), seed)
    kept = p_value < ALPHA and after > before
    return Verdict(
        kept, _reason(kept, before, after, p_value, len(rows)), len(rows), before, after, p_value, rows
    )


def _whole(answers: NDArray[np.float64]) -> int:
    """The label that a whole trial's windows speak for together."""
    return int(np.log(np.clip(answers, 1e-6, 1)).mean(axis=0).argmax())


def sign_flip_p(gains: NDArray[np.float64], seed: int = 0) -> float:
    """One-sided probability of a mean of gains (n_trials,) this large if each trial's sign were a coin's."""
    n = len(gains)
    if n <= MAX_EXACT:
        signs = np.array(list(itertools.product((1, -1), repeat=n)))
        return float(np.mean(signs @ gains >= gains.sum() - 1e-12))
    signs = np.random.default_rng(seed).choice((-1, 1), size=(N_DRAWN, n))
    return float((1 + np.sum(signs @ gains >= gains.sum() - 1e-12)) / (1 + N_DRAWN))


def binomial_p(right: int, n: int, chance: float) -> float:
    """Probability of at least ``right`` of ``n`` by guessing with ``chance``."""
    return float(sum(math.comb(n, k) * chance**k * (1 - chance) ** (n - k) for k in range(right, n + 1)))


def judge_against_chance(
    answers: NDArray[np.float64], truth: NDArray[np.int64], trials: NDArray[Any]
) -> Verdict:
    """For what no base model can do (valence): held-out trials against always naming the commonest label.

    ``answers`` (n, n_classes) are probabilities, ``truth`` (n,) indices, ``trials`` (n,) their names.
    """
    even = np.full_like(answers, 1 / answers.shape[1])
    verdict = judge(even, answers, truth, trials)
    labels = [row["label"] for row in verdict.trials.values()]
    chance = max(labels.count(label) for label in set(labels)) / len(labels)
    right = sum(bool(row["personal_right"]) for row in verdict.trials.values())
    p_value = binomial_p(right, len(labels), chance)
    kept = p_value < ALPHA and verdict.personal_accuracy > 1 / answers.shape[1]
    reason = f"{right} of {len(labels)} held-out trials right, p = {p_value:.3f} against guessing"
    return Verdict(
        kept,
        f"{'kept' if kept else 'not kept'}: {reason}",
        len(labels),
        chance,
        verdict.personal_accuracy,
        p_value,
        verdict.trials,
    )


def _check_trials(labels: NDArray[Any], names: NDArray[Any]) -> None:
    if len(labels) != len(names):
        raise TrainingError(f"trials must name each of the {len(labels)} examples, got {len(names)}")
    different = np.unique(names)
    if len(different) < MIN_TRIALS:
        raise TrainingError(f"a personal model needs at least {MIN_TRIALS} trials, got {len(different)}")
    mixed = [str(name) for name in different if len(np.unique(labels[names == name])) > 1]
    if mixed:
        raise TrainingError(f"a trial has one label; {mixed[0]} has several")
    for label in np.unique(labels):
        n = len(np.unique(names[labels == label]))
        if n < 2:
            raise TrainingError(f"each label needs at least 2 trials, {str(label)!r} has {n}")


def _balanced(rows: dict[str, dict[str, Any]], key: str) -> float:
    labels = {row["label"] for row in rows.values()}
    recalls = [
        float(np.mean([row[key] for row in rows.values() if row["label"] == label])) for label in labels
    ]
    return float(np.mean(recalls))


def _class_weights(labels: list[int]) -> NDArray[np.float64]:
    return np.array([len(labels) / (len(set(labels)) * labels.count(label)) for label in labels])


def _reason(kept: bool, before: float, after: float, p_value: float, n: int) -> str:
    figures = f"{before:.0%} of windows right before, {after:.0%} after, on {n} trials it was not tuned on"
    verdict = "kept" if kept else "not kept, no better than chance allows"
    return f"{verdict}: {figures}, p = {p_value:.3f}"
