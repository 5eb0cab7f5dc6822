"""What is known of the stored networks: lists, cards and a check of every file."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from inference.networks.litert_classifier import LiteRtClassifier
from inference.networks.manifest import Manifest, read_card
from inference.networks.model_store import ModelStore
from inference.port import ClassifierError

CONTROLS = ("residue", "early_against_late_rest", "shuffled", "swapped_baseline")


def describe(manifest: Manifest) -> dict[str, Any]:
    """Name, montage, electrodes, files with their hashes, and the card."""
    folder = Path(manifest.folder)
    return {
        "name": manifest.name,
        "version": manifest.version,
        "montage": manifest.montage,
        "channels": list(manifest.channels),
        "substitutes": {want: list(others) for want, others in manifest.substitutes.items()},
        "labels": list(manifest.labels),
        "files": {variant: str(folder / entry.path) for variant, entry in manifest.files.items()},
        "bytes": {variant: entry.bytes for variant, entry in manifest.files.items()},
        "sha256": {variant: entry.sha256 for variant, entry in manifest.files.items()},
        "card": read_card(manifest),
    }


def verify(store: ModelStore, name: str | None = None) -> list[dict[str, Any]]:
    """Check hash, shapes and golden vectors of every file; ``ok`` and, where not, ``problem``."""
    manifests = store.list() if name is None else (store.get(name),)
    return [_verified(manifest, variant) for manifest in manifests for variant in manifest.files]


def _verified(manifest: Manifest, variant: str) -> dict[str, Any]:
    row = {"name": manifest.name, "file": manifest.files[variant].path, "ok": True, "problem": ""}
    try:
        LiteRtClassifier(manifest, variant).close()
    except ClassifierError as error:
        row |= {"ok": False, "problem": str(error)}
    return row


def remove_own(store: ModelStore, own: Path, name: str) -> None:
    """Delete a network below ``own`` (the wearer's folder); undo the choice if it was the chosen one.

    Raises ``ClassifierError`` for a name that is not there or not the wearer's, ``OSError``.
    """
    folder = Path(store.get(name).folder).resolve()
    if not folder.is_relative_to(own.resolve()):
        raise ClassifierError(f"{name} came with the product and is not removed")
    if store.selected() == name:
        store.select(None)
    shutil.rmtree(folder)


def table(store: ModelStore) -> str:
    """The stored networks' figures on unseen people as a Markdown table, from their cards."""
    heads = (
        *("network", "electrodes", "one window", "10 s", "30 s"),
        *("10 s, after 10 s of rest", "calibration error", "controls"),
    )
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for manifest in store.list():
        card = read_card(manifest)
        figures = card.get("leave_one_person_out")
        if not figures:
            continue
        cells = [
            f"{figures['balanced_accuracy'][h]:.2f} "
            f"({figures['interval_95'][h][0]:.2f}-{figures['interval_95'][h][1]:.2f})"
            for h in ("window", "10s", "30s")
        ]
        controls = " / ".join(
            f"{values['10s']:.2f}" for values in (card["controls"][name] for name in CONTROLS)
        )
        lines.append(
            f"| `{manifest.name}` | {len(manifest.channels)} | {' | '.join(cells)} | "
            f"{card['shorter_baseline']['10s']['10s']:.2f} | {figures['calibration_error']['10s']:.3f} | "
            f"{controls} |"
        )
    return "\n".join(lines)
