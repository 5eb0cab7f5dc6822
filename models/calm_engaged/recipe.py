"""The whole recipe: score leave-one-person-out, control, train on everybody, convert, write."""

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
    built_in_controls,
    figures,
    kept,
    residue_and_score,
    unreadable,
)
from models.calm_engaged.controls import (
    OTHER_RESIDUE_BANDS,
    RESIDUE_BANDS,
    by_horizon,
    residue_people,
    results_of,
    shuffled,
)
from models.calm_engaged.conversion import convert
from models.calm_engaged.fisher import FisherSettings
from models.calm_engaged.montages import ShippedMontage
from models.calm_engaged.network import CalmEngaged
from models.calm_engaged.people import People, load_people
from models.calm_engaged.protocol import BASELINE_S, PersonResult, scored_windows
from models.calm_engaged.selection import select
from models.calm_engaged.shipping import answers, write_card, write_network
from models.calm_engaged.training import RecipeSettings, train
from models.datasets.against_rest import sequences
from models.datasets.identity import sample_hashes
from models.files.writing import sha256_of

Notify = Callable[[str], None]
SEED = 7
N_REPRESENTATIVE = 400
SHORT_BASELINES_S = (10.0, 30.0)
LIBRARIES = ("numpy", "tensorflow-cpu", "tensorflow", "ai-edge-litert")


def make_network(
    data: Path,
    montage: ShippedMontage,
    settings: RecipeSettings,
    folder: Path,
    notify: Notify,
    seed: int = SEED,
) -> Manifest:
    """Everything for one montage; the folder gets files, manifest and card."""
    people = load_people(data, montage.channels, settings.schema, PipelineSettings())
    notify(f"{montage.name}: {len(people.people)} people, {people.n_features} features")
    residues = {n: residue_people(data, montage, settings, n) for n in (RESIDUE_BANDS, *OTHER_RESIDUE_BANDS)}
    choices, final = _choose(people, residues[RESIDUE_BANDS], settings)
    results = results_of(people, settings, choices)
    card: dict[str, Any] = {"leave_one_person_out": figures(results, seed), "unreadable": unreadable(results)}
    notify(f"  balanced accuracy {card['leave_one_person_out']['balanced_accuracy']}, {final}")
    card |= _controlled(people, residues, results, choices, settings, seed)
    notify(f"  controls {card['controls']} kept {card['controls_kept']}")
    card["shorter_baseline"] = {
        f"{seconds:g}s": figures(results_of(people, settings, choices, seconds), seed)["balanced_accuracy"]
        for seconds in SHORT_BASELINES_S
    }
    settings = replace(settings, fisher=final)
    runs, engaged = everybody(people, settings.sequence_length)
    _, scale = people.population()
    pairs = [
        (scored.rest, scored.task)
        for person in people.people
        for seconds in settings.train_baselines_s
        for scored in (scored_windows(people, person, seconds, scale),)
    ]
    network = train(pairs, settings)
    picked = np.random.default_rng(seed).permutation(len(runs))
    files = convert(network, runs[picked[:N_REPRESENTATIVE]])
    place = network.logit(runs) * np.where(engaged > 0, 1, -1)
    # one sequence of either state that is named rightly and not at the very edge
    golden = runs[[np.flatnonzero((engaged == side) & (place > 0.5) & (place < 1.8))[0] for side in (0, 1)]]
    manifest = write_network(folder, montage, network, files, people, golden)
    card |= _agreement(folder, runs[picked[:2000]])
    card |= _facts(manifest, montage, settings, data, people, seed, network)
    write_card(folder, card)
    notify(f"  {folder}: {card['files']} agreement {card['float_int8_agreement']}")
    return manifest


def _controlled(
    people: People,
    residues: Mapping[int, People],
    results: Sequence[PersonResult],
    choices: Mapping[str, FisherSettings],
    settings: RecipeSettings,
    seed: int,
) -> dict[str, Any]:
    """The four controls with their limits, and the residue told in other ways."""
    heard = {n: by_horizon(results_of(others, settings, choices)) for n, others in residues.items()}
    controls = {
        "residue": heard[RESIDUE_BANDS],
        "shuffled": shuffled(people, settings, choices, seed),
    } | built_in_controls(results)
    return {
        "controls": controls,
        "controls_limit": LIMIT,
        "controls_kept": kept(controls),
        "residue_by_number_of_bands": {str(n): values for n, values in sorted(heard.items())},
        "residue_and_score": residue_and_score(residues[1], results),
    }


def _choose(
    people: People, residue: People, settings: RecipeSettings
) -> tuple[dict[str, FisherSettings], FisherSettings]:
    """What the others choose without each person (for the figures), and what all choose (for what ships)."""
    baselines_s = settings.train_baselines_s
    choices = {person.name: select(people, residue, person.name, baselines_s)[0] for person in people.people}
    return choices, select(people, residue, "", baselines_s)[0]


def _everyone(people: People) -> list[Any]:
    _, scale = people.population()
    return [scored_windows(people, person, BASELINE_S, scale) for person in people.people]


def everybody(people: People, length: int) -> tuple[FloatArray, FloatArray]:
    """Sequences of all people (n, length, n_features) and whether each is of the task (n,)."""
    runs, engaged = [], []
    for scored in _everyone(people):
        for side, windows in ((0.0, scored.rest), (1.0, scored.task)):
            found = sequences(windows, length)
            runs.append(found)
            engaged.append(np.full(len(found), side))
    return np.concatenate(runs), np.concatenate(engaged)


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
            "shrinkage": settings.fisher.shrinkage,
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
