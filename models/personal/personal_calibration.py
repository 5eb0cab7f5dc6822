"""From a wearer's labelled minutes to a network of their own, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.signal import FloatArray
from inference.baseline.baseline import Baseline
from inference.networks.manifest import Manifest, require_channels
from inference.offline import FeatureSequence, feature_sequence
from inference.pipeline import PipelineSettings
from models.datasets.against_rest import own_baseline, runs_of
from models.datasets.trial import Trial
from models.emotion_recognition_model import EmotionRecognitionModel
from models.errors import TrainingError
from models.files.provenance import provenance, timestamped
from models.files.writing import whole_folder, write_json
from models.model_personalization import (
    Fitted,
    Verdict,
    judge_against_chance,
    label_folds,
    personalise,
)
from models.personal import valence_export
from models.personal.personal_store import PersonalStore
from models.personal.stored_as_keras import as_keras

FROZEN = 3
"""Input, direction and mean over time stay; how sure and where the threshold lies is learnt."""
EPOCHS = 40
MIN_EXAMPLES = 40
VALENCE_FOLDS = 4
MIN_EACH = 3
"""Pieces of each kind: with fewer, naming all of them rightly is not yet more than guessing allows."""
PLEASANT = ("positive", "pleasant")
Notify = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class PersonalExamples:
    """X (n, sequence_length, n_features) of z-scores, labels (n,) and trials (n,); ``refused`` windows."""

    X: NDArray[np.float32]
    y: NDArray[Any]
    trials: NDArray[Any]
    refused: int


@dataclass(frozen=True, slots=True)
class CalibrationOutcome:
    """What came of it. ``name`` is the stored version, where one was kept."""

    verdict: Verdict
    name: str | None
    base: str
    examples: int
    refused: int

    def as_json(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        return {
            "kept": self.verdict.kept,
            "name": self.name,
            "base": self.base,
            "examples": self.examples,
            "refused_windows": self.refused,
            "verdict": self.verdict.as_json(),
        }


def personal_examples(
    manifest: Manifest,
    trials: Iterable[Trial],
    channels: Sequence[str],
    rate_hz: float,
    head: str = "emotion",
) -> PersonalExamples:
    """The very features that run live, against each trial's own rest, in runs as the network wants them.

    Raises ``ClassifierError`` where electrodes lack, ``TrainingError`` where too little can be used.
    """
    electrodes = require_channels(manifest, channels)
    rows = [list(channels).index(name) for name in electrodes]
    settings = PipelineSettings(
        window_s=manifest.window_s, hop_s=manifest.hop_s, model_rate_hz=manifest.rate_hz, mains_hz="auto"
    )
    runs: list[FloatArray] = []
    labels: list[str] = []
    names: list[str] = []
    refused = 0
    for trial in trials:
        found = feature_sequence(
            trial.samples_uv[rows],
            rate_hz,
            manifest.channels,
            manifest.feature_schema,
            settings,
            electrodes=electrodes,
            lost=trial.lost,
        )
        inside = found.inside(trial.baseline_s)
        refused += int(np.sum(inside & ~found.accepted))
        values = _rest_before(trial, found, manifest).z(found.features)
        made = runs_of(found, values, inside & found.accepted, manifest.sequence_length, pad=True)
        runs.append(made)
        labels += [trial.labels[head]] * len(made)
        names += [f"{trial.session}/{trial.number:03} {trial.labels[head]}"] * len(made)
    X = np.concatenate(runs).astype(np.float32) if runs else np.zeros((0,), np.float32)
    if len(X) < MIN_EXAMPLES:
        raise TrainingError(
            f"a personal model needs at least {MIN_EXAMPLES} clean windows, got {len(X)} ({refused} refused)"
        )
    return PersonalExamples(X, np.array(labels), np.array(names), refused)


def _rest_before(trial: Trial, found: FeatureSequence, manifest: Manifest) -> Baseline:
    try:
        return own_baseline(
            found,
            trial.baseline_s,
            schema=manifest.feature_schema,
            channels=manifest.channels,
            population_scale=np.array(manifest.population_scale) if manifest.population_scale else None,
        )
    except ValueError as error:
        few = "fewer than 4 clean windows of rest before it"
        raise TrainingError(f"trial {trial.number}: {few}") from error


def calibrate(
    base: Manifest,
    examples: PersonalExamples,
    store: PersonalStore,
    *,
    use: bool = True,
    notify: Notify = lambda _: None,
    fitted: Fitted = lambda _done, _of: None,
) -> CalibrationOutcome:
    """Tune the base network to the wearer, judge it on separate trials, and store and use it if it is better.

    Raises ``TrainingError``, ``ModelsError`` and ``ClassifierError``.
    """
    known = set(base.labels)
    strange = sorted(set(examples.y.tolist()) - known)
    if strange:
        raise TrainingError(f"label {strange[0]!r} is not one of {', '.join(base.labels)} ({base.name})")
    notify(f"tuning {base.name} on {len(examples.X)} windows of {len(np.unique(examples.trials))} trials")
    tuned, verdict = personalise(
        as_keras(base),
        examples.X,
        examples.y,
        examples.trials,
        freeze_layers=FROZEN,
        epochs=EPOCHS,
        learning_rate=0.1,
        batch_size=16,
        schedule="cosine",
        patience=EPOCHS,
        fitted=fitted,
    )
    notify(verdict.reason)
    name = None
    if verdict.kept:
        data = {"X": examples.X, "y": examples.y, "trials": examples.trials}
        card = {"verdict": verdict.as_json(), "provenance": provenance(data, tuned.seed), "frozen": FROZEN}
        name = store.add(base, tuned, examples.X, card).name
        if use:
            store.use(name)
    return CalibrationOutcome(verdict, name, base.name, len(examples.X), examples.refused)


def calibrate_valence(
    examples: PersonalExamples, *, seed: int = 0, fitted: Fitted = lambda _done, _of: None
) -> tuple[EmotionRecognitionModel, Verdict]:
    """A small network of the wearer's own for pleasant against unpleasant music, judged on held-out pieces.

    No base model can do this across people, so the verdict is against guessing. Raises
    ``TrainingError`` where fewer than ``MIN_EACH`` pieces were pleasant or unpleasant.
    """
    check_pieces([str(examples.y[examples.trials == name][0]) for name in np.unique(examples.trials)])
    features = examples.X.mean(axis=1)

    def train(rows: NDArray[np.intp]) -> EmotionRecognitionModel:
        model = EmotionRecognitionModel(features.shape[1:], 2, "valence", heads={"valence": 2}, seed=seed)
        model.build_model("dense", dense_units=(8,), dropout=0.5)
        model.train(
            features[rows],
            examples.y[rows],
            20,
            validation_split=0.0,
            learning_rate=3e-3,
            progress=False,
            checkpoints=False,
            keep_normalisation=True,
        )
        return model

    folds = label_folds(examples.y, examples.trials, VALENCE_FOLDS, seed)
    answers = np.zeros((len(features), 2))
    for done, (inside, test) in enumerate(folds):
        fitted(done, len(folds) + 1)
        answers[test] = train(inside).predict_proba(features[test])
    fitted(len(folds), len(folds) + 1)
    whole = train(np.arange(len(features)))
    verdict = judge_against_chance(answers, whole.encoder("valence").transform(examples.y), examples.trials)
    return whole, verdict


def store_valence(
    store: PersonalStore,
    base: Manifest,
    model: EmotionRecognitionModel,
    verdict: Verdict,
    examples: PersonalExamples,
    *,
    use: bool = True,
) -> Path:
    """Keep a valence network that beat guessing, with its proof, in a folder of its own; returns the file.

    The next session of a running engine reads it, unless ``use`` is False. Raises ``TrainingError``.
    """
    pleasant = _pleasant(examples)
    name = timestamped("valence-personal")
    path = store.folder / "valence" / name / "valence.keras"
    model.model_name = name
    data = {"X": examples.X, "y": examples.y, "trials": examples.trials}
    card = {
        "name": name,
        "verdict": verdict.as_json(),
        "features": {"schema": base.feature_schema, "channels": list(base.channels), "from": base.name},
        "provenance": provenance(data, model.seed),
    }
    with whole_folder(path.parent, 0o700) as draft:
        model.save_model(draft / path.name)
        write_json(draft / "card.json", card)
        valence_export.store_valence(draft / "valence.json", model, verdict, base, pleasant)
    if use:
        store.use_valence(name)
    return path


def check_pieces(labels: Sequence[str]) -> None:
    """Whether pieces with these labels can prove anything. Raises ``TrainingError``."""
    counts = {label: list(labels).count(label) for label in sorted(set(labels))}
    if len(counts) != 2 or min(counts.values()) < MIN_EACH:
        found = ", ".join(f"{n} {label}" for label, n in counts.items()) or "none"
        raise TrainingError(
            f"valence needs at least {MIN_EACH} pieces that were pleasant and {MIN_EACH} that were not,"
            f" got {found}"
        )


def _pleasant(examples: PersonalExamples) -> str:
    """The label that stands for pleasant music. Raises ``TrainingError`` where none does."""
    labels = [str(label) for label in np.unique(examples.y)]
    found = next((label for label in PLEASANT if label in labels), None)
    if found is None:
        raise TrainingError(f"one valence label must be {' or '.join(PLEASANT)}, got {', '.join(labels)}")
    return found
