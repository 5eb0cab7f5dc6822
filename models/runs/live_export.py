"""A trained model as a network that a running engine can use: quantised files beside a manifest."""

from __future__ import annotations

from pathlib import Path

from inference.emotion import AROUSAL_OF_LABEL
from inference.networks.manifest import MANIFEST, Manifest, read_manifest
from models.conversion.manifest_writing import CARD, convert_into, describe
from models.datasets import EmotionDataset
from models.errors import ModelsError
from models.files.writing import whole_folder, write_json
from models.runs.training_run import TrainedRun, TrainingExamples


def why_not_live(examples: TrainingExamples) -> str:
    """Why a model of these examples cannot run live; empty where it can."""
    dataset = examples.dataset
    if dataset is None:
        return "plain arrays do not say which electrodes and features they are"
    if dataset.settings.kind == "raw":
        return "the engine feeds features, not raw windows"
    if len(examples.heads) != 1:
        return "the engine reads one head"
    labels = dataset.info.labels[next(iter(examples.heads))]
    strange = [label for label in labels if label not in AROUSAL_OF_LABEL]
    return f"the engine has no place for the label {strange[0]!r}" if strange else ""


def export_live(run: TrainedRun, examples: TrainingExamples, root: Path) -> Manifest:
    """Write ``root/NAME_TIME/`` with manifest, float and int8 files and card. Raises ``ModelsError``."""
    reason = why_not_live(examples)
    if reason or examples.dataset is None:
        raise ModelsError(f"{run.model.model_name}: {reason}")
    name = run.folder.name
    with whole_folder(root / name) as draft:
        described = _described(name, examples, examples.dataset)
        convert_into(draft, described, run.model.network, examples.X, run.model.model_name)
        write_json(draft / CARD, dict(run.card))
    return read_manifest(root / name / MANIFEST)


def _described(name: str, examples: TrainingExamples, dataset: EmotionDataset) -> Manifest:
    settings, info = dataset.settings, dataset.info
    return describe(
        name,
        name.rsplit("_", 1)[1],
        montage=f"{len(info.channels)} electrodes of {info.name}",
        channels=info.channels,
        labels=info.labels[next(iter(examples.heads))],
        schema=settings.schema,
        sequence_length=settings.sequence,
        window_s=settings.window_s,
        hop_s=settings.hop_s,
        rate_hz=settings.rate_hz,
    )
