"""The one writer of manifests: what a network is, the files it vouches for, and what they must answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from inference.networks.manifest import MANIFEST, Golden, Manifest, ModelFile
from models.conversion.quantization import N_GOLDEN, QuantizedFile, quantize
from models.files.writing import sha256_of

VARIANTS = ("float", "int8")
TOLERANCE = {"float": 1e-3, "int8": 0.02}
EVIDENCE_S = 10.0
BASELINE_S = 60.0
CARD = "card.json"


def describe(
    name: str,
    version: str,
    *,
    montage: str,
    channels: tuple[str, ...],
    labels: tuple[str, ...],
    schema: str,
    sequence_length: int,
    window_s: float,
    hop_s: float,
    rate_hz: float,
    substitutes: Mapping[str, tuple[str, ...]] | None = None,
    population: tuple[Sequence[float], Sequence[float]] = ((), ()),
) -> Manifest:
    """A manifest that has no files yet. ``population`` is (centre, scale) of rest, each (n_features,)."""
    centre, scale = population
    return Manifest(
        format=1,
        name=name,
        version=version,
        montage=montage,
        channels=channels,
        substitutes=dict(substitutes or {}),
        rate_hz=rate_hz,
        window_s=window_s,
        hop_s=hop_s,
        feature_schema=schema,
        sequence_length=sequence_length,
        labels=labels,
        temperature=1.0,
        evidence_s=EVIDENCE_S,
        baseline_s=BASELINE_S,
        population_scale=list(scale),
        population_centre=list(centre),
        files={},
        golden=Golden([], {}, {}),
        card=CARD,
    )


def write_manifest(
    folder: Path,
    described: Manifest,
    files: Mapping[str, str],
    inputs: Any,
    outputs: Mapping[str, Any],
    tolerance: Mapping[str, float] = TOLERANCE,
) -> None:
    """Write ``folder``'s manifest over ``files``, names by variant that lie there already.

    ``inputs`` (n, sequence_length, n_features) must be answered by each variant with its ``outputs``
    (n, n_labels). Raises ``OSError`` where a file is not there.
    """
    golden = Golden(
        np.asarray(inputs, np.float64).tolist(),
        {variant: np.asarray(outputs[variant], np.float64).tolist() for variant in files},
        {variant: tolerance[variant] for variant in files},
    )
    entries = {
        variant: ModelFile(name, sha256_of(folder / name), (folder / name).stat().st_size)
        for variant, name in files.items()
    }
    manifest = msgspec.structs.replace(described, files=entries, golden=golden, card=CARD)
    content = msgspec.to_builtins(manifest)
    del content["folder"]  # where it lies is found out by whoever reads it
    (folder / MANIFEST).write_bytes(msgspec.json.encode(content) + b"\n")


def convert_into(
    folder: Path, described: Manifest, network: Any, examples: Any, stem: str
) -> tuple[QuantizedFile, ...]:
    """Quantise a Keras network into ``folder`` and write the manifest over what is faithful to it.

    ``examples`` (n, sequence_length, n_features) are inputs as they come in use. Returns all that was made.
    Raises ``TrainingError`` for bad examples, ``ModelsError`` where a conversion fails.
    """
    made = quantize(network, examples, folder, stem, VARIANTS)
    kept = [one for one in made if one.variant == "float" or one.faithful]
    inputs = np.asarray(examples, np.float32)[:N_GOLDEN]
    outputs: dict[str, Any] = {one.variant: next(iter(one.golden.values())) for one in kept}
    write_manifest(folder, described, {one.variant: Path(one.path).name for one in kept}, inputs, outputs)
    return made
