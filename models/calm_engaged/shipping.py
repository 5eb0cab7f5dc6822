"""Writes one network's folder: two TensorFlow Lite files, the manifest that pins them, and the card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from acquisition.signal import FloatArray
from inference.networks.litert_classifier import LiteRtClassifier
from inference.networks.manifest import MANIFEST, Manifest, read_manifest
from inference.pipeline import PipelineSettings
from models.calm_engaged.montages import ShippedMontage
from models.calm_engaged.network import CalmEngaged
from models.calm_engaged.people import People
from models.conversion.manifest_writing import CARD, VARIANTS, describe, write_manifest
from models.files.writing import write_json

LABELS = ("calm", "engaged")
VERSION = "2.0.0"
ANYTHING = dict.fromkeys(VARIANTS, 0.05)
"""Until the files have been asked: what they answer may differ from the training side by this much."""


def write_network(
    folder: Path,
    montage: ShippedMontage,
    network: CalmEngaged,
    files: Mapping[str, bytes],
    people: People,
    golden_inputs: FloatArray,
) -> Manifest:
    """Write the files and the manifest; golden outputs are what the files themselves answer to
    ``golden_inputs`` (n, sequence_length, n_features).
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = {variant: f"{variant}.tflite" for variant in VARIANTS}
    for variant, name in names.items():
        (folder / name).write_bytes(files[variant])
    centre, scale = people.population()
    described = describe(
        montage.name,
        VERSION,
        montage=montage.title,
        channels=montage.channels,
        labels=LABELS,
        schema=people.schema,
        sequence_length=network.sequence_length,
        window_s=people.window_s,
        hop_s=people.hop_s,
        rate_hz=PipelineSettings().model_rate_hz,
        substitutes=montage.substitutes,
        population=([round(float(v), 5) for v in centre], [round(float(v), 5) for v in scale]),
    )
    inputs = np.round(golden_inputs, 4)
    engaged = 1 / (1 + np.exp(-network.logit(inputs)))
    expected = dict.fromkeys(VARIANTS, np.stack([1 - engaged, engaged], axis=1))
    write_manifest(folder, described, names, inputs, expected, ANYTHING)
    outputs = {variant: answers(folder, variant, inputs).round(5) for variant in VARIANTS}
    write_manifest(folder, described, names, inputs, outputs)
    return read_manifest(folder / MANIFEST)


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
