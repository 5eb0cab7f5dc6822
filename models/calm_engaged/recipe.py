"""The whole recipe: choose, judge on people kept aside, train on everybody, convert, write."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from acquisition.readers.npz_people import open_people
from acquisition.signal import FloatArray
from inference.networks.manifest import Manifest
from inference.pipeline import PipelineSettings
from models.calm_engaged.card import (
    ATTRIBUTION,
    LIMIT,
    LIMITS,
    SHIPS_BY,
    figures,
    kept,
    not_reaching,
    residue_and_score,
    unreadable,
)
from models.calm_engaged.controls import alone, results_of, with_disturbances
from models.calm_engaged.fisher import FisherSettings
from models.calm_engaged.kept_aside.judged import choice_of, judge
from models.calm_engaged.kept_aside.parts import everybody, learned, written
from models.calm_engaged.montages import ShippedMontage
from models.calm_engaged.network import CalmEngaged
from models.calm_engaged.people import People, load_people
from models.calm_engaged.protocol import BASELINE_S, PersonResult
from models.calm_engaged.selection import Choice, Figures, select
from models.calm_engaged.shipping import answers, write_card
from models.calm_engaged.training import RecipeSettings
from models.datasets.identity import sample_hashes
from models.errors import ModelsError
from models.files.writing import sha256_of

Notify = Callable[[str], None]
SEED = 7
SHORT_BASELINES_S = (10.0, 30.0)
LIBRARIES = ("numpy", "tensorflow-cpu", "tensorflow", "ai-edge-litert")
AGREE_ON = 2000


def make_network(
    data: Path,
    montage: ShippedMontage,
    settings: RecipeSettings,
    folder: Path,
    notify: Notify,
    seed: int = SEED,
) -> Manifest:
    """Everything for one montage; the folder gets files, manifest and card.

    Raises ``ModelsError``, and writes nothing, where people kept aside are read from the residue.
    """
    people = load_people(data, montage.channels, settings.schema, PipelineSettings())
    people = with_disturbances(people, data, seed)
    notify(f"{montage.name}: {len(people.people)} people, {people.n_features} features")
    aside = judge(data, people, montage, settings, seed, notify)
    notify(
        f"  kept aside {aside['files']['int8']['balanced_accuracy']} residue {aside['controls']['residue']}"
    )
    if lacking := not_reaching(aside["controls"]):
        raise ModelsError(f"{montage.name} must not ship: {lacking}")
    card = _controlled(aside) | _left_out(data, people, montage, settings, seed)
    fisher, found = select(people, alone(data, montage, settings), "", settings.train_baselines_s)
    settings = replace(settings, fisher=fisher)
    notify(f"  chosen {fisher}")
    network = learned(people, settings)
    manifest = written(folder, montage, network, people, seed)
    runs, _ = everybody(people, settings.sequence_length)
    picked = np.random.default_rng(seed).permutation(len(runs))
    card |= _agreement(folder, runs[picked[:AGREE_ON]]) | {"chosen_among": _candidates(found)}
    card |= _facts(manifest, montage, settings, data, people, seed, network)
    write_card(folder, card)
    notify(f"  {folder}: {card['files']} agreement {card['float_int8_agreement']}")
    return manifest


def _controlled(aside: Mapping[str, Any]) -> dict[str, Any]:
    """People kept aside, and their controls with the limits."""
    rest = {name: part for name, part in aside.items() if name != "controls"}
    controls = aside["controls"]
    return {
        "kept_aside": rest,
        "controls": controls,
        "controls_limit": LIMIT,
        "controls_kept": kept(controls, f"{aside['people']} {aside['whose']}"),
        "ships_by": SHIPS_BY,
    }


def _left_out(
    data: Path, people: People, montage: ShippedMontage, settings: RecipeSettings, seed: int
) -> dict[str, Any]:
    """Each person read by all others' choice and network: figures, and who cannot be read."""
    residue = alone(data, montage, settings)
    baselines_s = settings.train_baselines_s
    choices = {person.name: select(people, residue, person.name, baselines_s)[0] for person in people.people}

    def read(baseline_s: float = BASELINE_S) -> Sequence[PersonResult]:
        return results_of(people, settings, choices, baseline_s)

    results = read()
    return {
        "leave_one_person_out": figures(results, seed),
        "unreadable": unreadable(results),
        "residue_and_score": residue_and_score(alone(data, montage, settings, 1), results),
        "shorter_baseline": {
            f"{seconds:g}s": figures(read(seconds), seed)["balanced_accuracy"]
            for seconds in SHORT_BASELINES_S
        },
    }


def _candidates(found: Mapping[FisherSettings, Figures]) -> list[dict[str, Any]]:
    """What there was to choose from, for what ships: each read by leaving one of all people out."""
    return [
        choice_of(one)
        | {
            "balanced_accuracy": round(figures.balanced_accuracy, 4),
            "residue": round(figures.residue, 4),
            "muscle_alone": round(figures.muscle_alone, 4),
            "tensed_rest": round(figures.muscle, 4),
            "eligible": Choice().eligible(figures),
        }
        for one, figures in found.items()
    ]


def _agreement(folder: Path, runs: FloatArray) -> dict[str, Any]:
    plain, whole = answers(folder, "float", runs)[:, 1], answers(folder, "int8", runs)[:, 1]
    return {
        "float_int8_agreement": round(float(np.mean((plain > 0.5) == (whole > 0.5))), 4),
        "float_int8_largest_difference": round(float(np.abs(plain - whole).max()), 4),
    }


def _facts(
    manifest: Manifest,
    montage: ShippedMontage,
    settings: RecipeSettings,
    data: Path,
    people: People,
    seed: int,
    network: CalmEngaged,
) -> dict[str, Any]:
    n, length = people.n_features, settings.sequence_length
    return {
        "name": manifest.name,
        "version": manifest.version,
        "montage": montage.title,
        "channels": list(montage.channels),
        "labels": list(manifest.labels),
        "architecture": "Conv1D over windows, mean over time, tanh, softmax (CNN only)",
        "parameters": n + 1 + 4,
        "macs": n * length + 2,
        "files": {variant: entry.bytes for variant, entry in manifest.files.items()},
        "attribution": ATTRIBUTION,
        "data_licence": "ODC-By 1.0",
        "limits": list(LIMITS),
        "provenance": {
            "data": data.name,
            "data_sha256": sha256_of(data),
            "people": [person.name for person in people.people],
            "people_samples": hashes_of(data, montage.channels[0]),
            "schema": settings.schema,
            "within_shares": list(settings.fisher.within_shares),
            **choice_of(settings.fisher),
            "train_baselines_s": list(settings.train_baselines_s),
            "gain": round(network.gain, 6),
            "ceiling": network.ceiling,
            "seed": seed,
            "python": platform.python_version(),
            "libraries": _versions(),
        },
    }


def hashes_of(data: Path, electrode: str) -> dict[str, list[str]]:
    """By person what they are known again by: hashes of the samples of their rest at one electrode."""
    opened = open_people(data)
    row = opened.channels.index(electrode)
    return {name: list(sample_hashes(opened.part_uv(f"{name}_rest")[row])) for name in opened.people}


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
