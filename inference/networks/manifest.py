"""A stored network's manifest, and the files it vouches for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from acquisition.montage import canonical
from inference.emotion import AROUSAL_OF_LABEL
from inference.features.schemas import schema_named
from inference.port import ClassifierError

MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 1_000_000
MAX_MODEL_BYTES = 64_000_000


class ModelFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a network: its name beside the manifest, its hash and its size."""

    path: str
    sha256: str
    bytes: int


class Golden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Inputs (n, sequence_length, n_features) and the outputs (n, n_labels) each file must give for them."""

    inputs: list[list[list[float]]]
    outputs: dict[str, list[list[float]]]
    tolerance: dict[str, float]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything the live side must know of a network before it touches its file."""

    format: int
    name: str
    version: str
    montage: str
    channels: tuple[str, ...]
    substitutes: dict[str, tuple[str, ...]]
    rate_hz: float
    window_s: float
    hop_s: float
    feature_schema: str
    sequence_length: int
    labels: tuple[str, ...]
    temperature: float
    evidence_s: float
    baseline_s: float
    population_scale: list[float]
    population_centre: list[float]
    files: dict[str, ModelFile]
    golden: Golden
    card: str
    folder: str = ""

    @property
    def n_features(self) -> int:
        return schema_named(self.feature_schema).length(self.channels)


def map_channels(manifest: Manifest, channels: Sequence[str]) -> tuple[str, ...] | None:
    """Which of ``channels`` stands for each the network wants (exact or substitute); None if one lacks.

    Names are compared as 10-10 names, so ``T3`` is ``T7``.
    """
    chosen, missing = _match(manifest, channels)
    return None if missing else tuple(chosen)


def missing_channels(manifest: Manifest, channels: Sequence[str]) -> tuple[str, ...]:
    """Electrodes the network wants that neither stand in ``channels`` nor have a substitute there."""
    return tuple(_match(manifest, channels)[1])


def require_channels(manifest: Manifest, channels: Sequence[str]) -> tuple[str, ...]:
    """Like ``map_channels``; raises ``ClassifierError`` that names what is missing and what may stand in."""
    chosen = map_channels(manifest, channels)
    if chosen is not None:
        return chosen
    lacking = []
    for want in missing_channels(manifest, channels):
        instead = manifest.substitutes.get(want, ())
        lacking.append(f"{want} (or {', '.join(instead)})" if instead else want)
    raise ClassifierError(
        f"{manifest.name} was trained for {', '.join(manifest.channels)}; "
        f"the headset has {', '.join(channels)}: {', '.join(lacking)} missing"
    )


def _match(manifest: Manifest, channels: Sequence[str]) -> tuple[list[str], list[str]]:
    """(stand-ins, missing); an electrode that is wanted itself is never spent as a substitute."""
    have = {canonical(name): name for name in reversed(channels)}
    own = {canonical(want) for want in manifest.channels} & set(have)
    chosen: list[str] = []
    missing: list[str] = []
    for want in manifest.channels:
        options = [canonical(want)]
        if options[0] not in have:
            options = [canonical(name) for name in manifest.substitutes.get(want, ())]
            options = [name for name in options if name not in own]
        here = next((have[name] for name in options if name in have and have[name] not in chosen), None)
        if here is None:
            missing.append(want)
        else:
            chosen.append(here)
    return chosen, missing


def read_manifest(path: Path) -> Manifest:
    """Read and validate one manifest. Raises ``ClassifierError`` naming the file and the rule."""
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise ClassifierError(f"{path}: a manifest is at most {MAX_MANIFEST_BYTES} bytes")
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
        check_manifest(manifest)
    except (OSError, msgspec.MsgspecError, ValueError) as error:
        raise ClassifierError(f"{path}: {error}") from error
    return msgspec.structs.replace(manifest, folder=str(path.parent))


def check_manifest(manifest: Manifest) -> None:
    """Hold the fields against each other. Raises ``ValueError`` naming the first that cannot be."""
    schema_named(manifest.feature_schema)
    m, n = manifest, manifest.n_features
    known = ", ".join(AROUSAL_OF_LABEL)
    rules = (
        (m.format == 1, f"format must be 1, got {m.format}"),
        (0 < len(set(m.channels)) == len(m.channels) <= 128, "channels must be 1-128 different names"),
        (2 <= len(set(m.labels)) == len(m.labels), f"labels must be two or more different, got {m.labels}"),
        (set(m.labels) <= set(AROUSAL_OF_LABEL), f"labels must be of {known}, got {m.labels}"),
        (1 <= m.sequence_length <= 256, f"sequence_length must be 1-256, got {m.sequence_length}"),
        (100 <= m.rate_hz <= 1000, f"rate_hz must be 100-1000, got {m.rate_hz:g}"),
        (0 < m.hop_s <= m.window_s <= 30, f"0 < hop_s <= window_s <= 30, got {m.hop_s:g}, {m.window_s:g}"),
        (0.01 <= m.temperature <= 100, f"temperature must be 0.01-100, got {m.temperature:g}"),
        (1 <= m.evidence_s <= 120, f"evidence_s must be 1-120, got {m.evidence_s:g}"),
        (len(m.population_scale) in (0, n), f"population_scale needs {n}, has {len(m.population_scale)}"),
        (len(m.population_centre) in (0, n), f"population_centre needs {n}, has {len(m.population_centre)}"),
    )
    broken = next((rule for kept, rule in rules if not kept), None)
    if broken is not None:
        raise ValueError(broken[:400])


def read_verified(manifest: Manifest, variant: str) -> bytes:
    """The bytes of one file after its hash was checked. Raises ``ClassifierError``."""
    if variant not in manifest.files:
        raise ClassifierError(f"{manifest.name}: no {variant!r} file: one of {', '.join(manifest.files)}")
    entry = manifest.files[variant]
    path = Path(manifest.folder) / entry.path
    if Path(entry.path).name != entry.path:
        raise ClassifierError(f"{manifest.name}: file name {entry.path!r} must be a bare name")
    try:
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise ClassifierError(f"{path}: a network is at most {MAX_MODEL_BYTES} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise ClassifierError(f"{path}: {error.strerror or error}") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != entry.sha256:
        raise ClassifierError(f"{path}: sha256 is {digest}, the manifest says {entry.sha256}; not loaded")
    return content


def read_card(manifest: Manifest) -> Mapping[str, Any]:
    """The model card beside the manifest. Raises ``ClassifierError`` naming the network and the rule."""
    path = Path(manifest.folder) / manifest.card
    if Path(manifest.card).name != manifest.card:
        raise ClassifierError(f"{manifest.name}: card {manifest.card!r:.80} must be a bare name")
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise ClassifierError(f"{path}: a card is at most {MAX_MANIFEST_BYTES} bytes")
        card = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ClassifierError(f"{manifest.name}: the card cannot be read: {error}") from error
    if not isinstance(card, dict):
        raise ClassifierError(f"{path}: a card must be one object")
    return card
