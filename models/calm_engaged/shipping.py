"""Writes one network's folder: two TensorFlow Lite files, the manifest that pins them, and the card."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from acquisition.signal import FloatArray
from inference.networks.litert_classifier import LiteRtClassifier
from inference.networks.manifest import MANIFEST, Golden, Manifest, ModelFile, read_manifest
from inference.pipeline import PipelineSettings
from models.calm_engaged.conversion import VARIANTS
from models.calm_engaged.montages import ShippedMontage
from models.calm_engaged.network import CalmEngaged
from models.calm_engaged.people import People
from models.files.writing import write_json

LABELS = ("calm", "engaged")
VERSION = "1.0.0"
GOLDEN_TOLERANCE = {"float": 1e-3, "int8": 0.02}
ANYTHING = dict.fromkeys(VARIANTS, 0.05)
"""Until the files have been asked: what they answer may differ from the training side by this much."""
CARD = "card.json"


def write_network(
    folder: Path,
    montage: ShippedMontage,
    network: CalmEngaged,
    files: Mapping[str, bytes],
    people: People,
    golden_inputs: FloatArray,
) -> Manifest:
    """Write the files and the manifest; golden outputs are what the files themselves answer."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = {}
    for variant in VARIANTS:
        name = f"{variant}.tflite"
        (folder / name).write_bytes(files[variant])
        digest = hashlib.sha256(files[variant]).hexdigest()
        entries[variant] = ModelFile(name, digest, len(files[variant]))
    centre, scale = people.population()
    settings = PipelineSettings()
    inputs = np.round(golden_inputs, 4)
    engaged = 1 / (1 + np.exp(-network.logit(inputs)))
    expected = np.stack([1 - engaged, engaged], axis=1)
    manifest = Manifest(
        format=1,
        name=montage.name,
        version=VERSION,
        montage=montage.title,
        channels=montage.channels,
        substitutes=montage.substitutes,
        rate_hz=settings.model_rate_hz,
        window_s=people.window_s,
        hop_s=people.hop_s,
        feature_schema=people.schema,
        sequence_length=network.sequence_length,
        labels=LABELS,
        temperature=1.0,
        evidence_s=10.0,
        baseline_s=60.0,
        population_scale=[round(float(v), 5) for v in scale],
        population_centre=[round(float(v), 5) for v in centre],
        files=entries,
        golden=Golden(inputs.tolist(), dict.fromkeys(VARIANTS, expected.tolist()), ANYTHING),
        card=CARD,
    )
    _store(folder, manifest)
    outputs = {variant: answers(folder, variant, inputs).round(5).tolist() for variant in VARIANTS}
    manifest = msgspec.structs.replace(manifest, golden=Golden(inputs.tolist(), outputs, GOLDEN_TOLERANCE))
    _store(folder, manifest)
    return read_manifest(folder / MANIFEST)


def _store(folder: Path, manifest: Manifest) -> None:
    content = msgspec.to_builtins(manifest)
    content.pop("folder")
    (folder / MANIFEST).write_bytes(msgspec.json.encode(content) + b"\n")


def answers(folder: Path, variant: str, runs: FloatArray) -> FloatArray:
    """Probabilities (n, n_labels) that a written file gives for sequences (n, length, n_features)."""
    classifier = LiteRtClassifier(read_manifest(folder / MANIFEST), variant)
    try:
        return np.stack([classifier.predict(run) for run in runs])
    finally:
        classifier.close()


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """The card beside the manifest."""
    write_json(folder / CARD, card)
