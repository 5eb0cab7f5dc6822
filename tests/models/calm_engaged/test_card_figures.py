"""The cards' figures come out again from the recordings, for people nobody trained on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acquisition.readers.npz_people import open_people
from inference.networks.manifest import read_card
from inference.networks.model_store import ModelStore
from inference.pipeline import PipelineSettings
from models.calm_engaged.controls import alone, taught, with_disturbances
from models.calm_engaged.kept_aside.parts import pairs_of
from models.calm_engaged.montages import MUSE4
from models.calm_engaged.people import load_people
from models.calm_engaged.protocol import BASELINE_S, balanced_accuracy, read_person
from models.calm_engaged.recipe import SEED
from models.calm_engaged.selection import select
from models.calm_engaged.training import RecipeSettings
from models.evaluation.evidence import HORIZONS_S
from models.evaluation.people_evaluation import evaluate_people
from models.files.folders import shipped

DATA = Path("eegmat") / "eegmat_128hz_int16.npz"
SOME = ("S00", "S12", "S25")


@pytest.mark.eeg
@pytest.mark.slow
def test_people_left_out_are_read_as_the_card_says(eeg_dir: Path) -> None:
    card = read_card(ModelStore((shipped(),)).get(MUSE4.name))
    settings = RecipeSettings()
    people = load_people(eeg_dir / DATA, MUSE4.channels, settings.schema, PipelineSettings())
    people = with_disturbances(people, eeg_dir / DATA, SEED)
    residue = alone(eeg_dir / DATA, MUSE4, settings)
    for person in people.people:
        if person.name not in SOME:
            continue
        _, scale = people.population(without=person.name)
        chosen = select(people, residue, person.name, settings.train_baselines_s)[0]
        others = people.only(lambda name, left_out=person.name: name != left_out)  # type: ignore[misc]
        pairs = pairs_of(others, settings, scale)
        network = taught(people, pairs, replace(settings, fisher=chosen), person.name)
        read = read_person(people, person, network.logit, settings.sequence_length, scale, BASELINE_S)
        told = card["leave_one_person_out"]["per_person"][person.name]
        for horizon in HORIZONS_S:
            again = balanced_accuracy(read.rest[horizon], read.task[horizon])
            assert again == pytest.approx(told[horizon], abs=0.02), (person.name, horizon)


@pytest.mark.eeg
def test_the_shipped_file_reads_the_people_it_was_trained_on_at_least_as_well(eeg_dir: Path) -> None:
    manifest = ModelStore((shipped(),)).get(MUSE4.name)
    document, evaluations = evaluate_people(manifest, eeg_dir / DATA)
    unseen = read_card(manifest)["leave_one_person_out"]["balanced_accuracy"]
    assert document["trained_on_these"]
    assert document["people"] == 26
    for horizon in HORIZONS_S:
        assert document["balanced_accuracy"][horizon] >= unseen[horizon] - 0.01
    assert [one.model for one in evaluations] == [MUSE4.name] * 3


@pytest.mark.eeg
def test_training_people_saved_anew_under_other_names_are_known(eeg_dir: Path, tmp_path: Path) -> None:
    manifest = ModelStore((shipped(),)).get(MUSE4.name)
    whole = open_people(eeg_dir / DATA)
    rows = [whole.channels.index(name) for name in reversed(MUSE4.channels)]
    meta = {"channels": list(reversed(MUSE4.channels)), "fs": whole.rate_hz, "scale_uV_per_lsb": 1.0}
    arrays: dict[str, Any] = {"__meta__": np.array(json.dumps(meta))}
    for ours, theirs in (("S00", "anna"), ("S12", "bert")):
        for part in ("rest", "arith"):
            arrays[f"{theirs}_{part}"] = whole.part_uv(f"{ours}_{part}")[rows].astype(np.float32)
    arrays["carl_rest"], arrays["carl_arith"] = arrays["anna_rest"][:, ::-1], arrays["anna_arith"][:, ::-1]
    np.savez(tmp_path / "anew.npz", **arrays)
    document, _ = evaluate_people(manifest, tmp_path / "anew.npz")
    assert document["people_trained_on"] == ["anna", "bert"]
    assert document["trained_on_these"]
