"""A trained model as a network that a running engine can use: quantised files beside a manifest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from inference.emotion import AROUSAL_OF_LABEL
from inference.networks.manifest import MANIFEST, Golden, Manifest, ModelFile, read_manifest
from models.conversion.quantization import N_GOLDEN, WANTED_AGREEMENT, QuantizedFile, quantize
from models.datasets import EmotionDataset
from models.errors import ModelsError
from models.files.writing import whole_folder, write_json
from models.runs.training_run import TrainedRun, TrainingExamples

BASELINE_S = 60.0
EVIDENCE_S = 10.0


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
        made = quantize(run.model.network, examples.X, draft, run.model.model_name, ("float", "int8"))
        files = [one for one in made if one.variant == "float" or one.agreement >= WANTED_AGREEMENT]
        manifest = _manifest(name, examples, examples.dataset, files)
        (draft / MANIFEST).write_bytes(msgspec.json.encode(manifest))
        write_json(draft / "card.json", dict(run.card))
    return read_manifest(root / name / MANIFEST)


def _manifest(
    name: str, examples: TrainingExamples, dataset: EmotionDataset, files: Sequence[QuantizedFile]
) -> Manifest:
    settings, info = dataset.settings, dataset.info
    golden = Golden(
        inputs=np.asarray(examples.X[:N_GOLDEN], float).tolist(),
        outputs={one.variant: next(iter(one.golden.values())) for one in files},
        tolerance={one.variant: 0.001 if one.variant == "float" else 0.02 for one in files},
    )
    return Manifest(
        format=1,
        name=name,
        version=name.rsplit("_", 1)[1],
        montage=f"{len(info.channels)} electrodes of {info.name}",
        channels=info.channels,
        substitutes={},
        rate_hz=settings.rate_hz,
        window_s=settings.window_s,
        hop_s=settings.hop_s,
        feature_schema=settings.schema,
        sequence_length=settings.sequence,
        labels=info.labels[next(iter(examples.heads))],
        temperature=1.0,
        evidence_s=EVIDENCE_S,
        baseline_s=BASELINE_S,
        population_scale=[],
        population_centre=[],
        files={one.variant: ModelFile(Path(one.path).name, one.sha256, one.bytes) for one in files},
        golden=golden,
        card="card.json",
    )
