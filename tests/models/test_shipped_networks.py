"""The networks that ship: their files are what their manifests say, and their cards hold every figure."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import models
from acquisition.signal import FloatArray
from inference.features.schemas import schema_named
from inference.networks.litert_classifier import LiteRtClassifier
from inference.networks.manifest import MANIFEST, Manifest, map_channels, read_card, read_verified
from inference.networks.model_store import ModelStore
from models.calm_engaged.card import LIMIT, not_reaching
from models.conversion.manifest_writing import describe, write_manifest

SHIPPED = Path(models.__file__).parent / "pretrained"
NAMES = ("calm-engaged-cyton8", "calm-engaged-full19", "calm-engaged-muse4")
ONE_MB = 1_000_000


@pytest.fixture(params=NAMES)
def manifest(request: pytest.FixtureRequest) -> Manifest:
    return ModelStore((SHIPPED,)).get(request.param)


def test_each_file_has_the_hash_and_size_of_its_manifest(manifest: Manifest) -> None:
    assert set(manifest.files) == {"float", "int8"}
    for variant, entry in manifest.files.items():
        assert len(read_verified(manifest, variant)) == entry.bytes < ONE_MB


def answers(manifest: Manifest, variant: str, runs: list[FloatArray]) -> FloatArray:
    classifier = LiteRtClassifier(manifest, variant)
    found = np.array([classifier.predict(run)[1] for run in runs])
    classifier.close()
    return found


def test_both_files_run_and_agree_on_at_least_99_percent(manifest: Manifest) -> None:
    """On sequences spread evenly over what the network can answer, from surely calm to surely engaged."""
    rng = np.random.default_rng(5)
    shape = (manifest.sequence_length, manifest.n_features)
    # the direction the network listens to, found by asking it about one feature at a time
    probes = [np.zeros(shape), *(np.eye(shape[1])[i] * np.ones(shape) for i in range(shape[1]))]
    logits = np.log(1 / (1 / answers(manifest, "float", probes) - 1))
    slope = (logits[1:] - logits[0]) / np.linalg.norm(logits[1:] - logits[0]) ** 2
    wanted = rng.uniform(-3, 3, 600) - logits[0]
    runs = [np.clip(want * slope + rng.normal(0, 0.3, shape), -4, 4) for want in wanted]
    plain, whole = answers(manifest, "float", runs), answers(manifest, "int8", runs)
    assert 0.2 < np.mean(plain > 0.5) < 0.8
    assert np.mean((plain > 0.5) == (whole > 0.5)) >= 0.99


def test_nothing_above_30_hz_changes_an_answer(manifest: Manifest) -> None:
    bands = schema_named(manifest.feature_schema).bands
    high = np.tile([low >= 30 for low, _ in bands], manifest.n_features // len(bands))
    assert high.any()
    rng = np.random.default_rng(9)
    runs = list(rng.normal(0, 1, (20, manifest.sequence_length, manifest.n_features)))
    tensed = [np.where(high, 4.0, run) for run in runs]
    for variant in ("float", "int8"):
        assert answers(manifest, variant, tensed).tolist() == answers(manifest, variant, runs).tolist()


def test_the_card_holds_figures_of_people_left_out_and_of_people_kept_aside(manifest: Manifest) -> None:
    card = read_card(manifest)
    aside = card["kept_aside"]
    for figures in (card["leave_one_person_out"], *aside["files"].values()):
        for horizon in ("window", "10s", "30s"):
            low, high = figures["interval_95"][horizon]
            assert 0.5 < low < figures["balanced_accuracy"][horizon] < high < 1
        for wanted in ("per_person", "spread", "recall", "calibration_error", "coverage", "chance"):
            assert figures[wanted]
    parts = [part["people"] for part in aside["parts"]]
    assert sorted(name for part in parts for name in part) == card["provenance"]["people"]
    assert set(aside["one_electrode_missing"]) == {"since_the_rest", "from_the_start"}
    assert card["float_int8_agreement"] >= 0.99
    assert "Zyma" in card["attribution"]
    assert len(card["provenance"]["data_sha256"]) == 64


def test_the_residue_of_people_kept_aside_reaches_chance_and_the_card_says_whose(manifest: Manifest) -> None:
    card = read_card(manifest)
    assert not_reaching(card["controls"]) == ""
    assert card["controls_limit"] == LIMIT
    assert card["controls_kept"]["on"].startswith("26 people kept aside")
    assert set(LIMIT) <= set(card["controls"])
    low, _ = card["controls"]["residue"]["interval_95"]
    assert low <= 0.55
    assert card["controls"]["shuffled"]["least"] < 0.5 < card["controls"]["shuffled"]["most"]


def test_people_kept_aside_are_read_with_an_honest_confidence(manifest: Manifest) -> None:
    aside = read_card(manifest)["kept_aside"]
    for figures in aside["files"].values():
        assert figures["calibration_error"]["30s"] <= 0.10
        for horizon in ("10s", "30s"):
            coverage = figures["coverage"][horizon]
            assert coverage["0.7"] - coverage["1"] >= 0.02
    assert aside["rest_of_10s"]["costs"]["10s"] <= 0.05
    settled = aside["settled"]
    assert settled["rest"]["share_right"] > 0.8
    assert settled["task"]["share_right"] > settled["task"]["share_wrong"]


def test_a_muse_is_read_by_the_four_electrode_network() -> None:
    chosen = ModelStore((SHIPPED,)).choose_for(("TP9", "AF7", "AF8", "TP10"))
    assert chosen is not None
    assert chosen.name == "calm-engaged-muse4"
    assert map_channels(chosen, ("TP9", "AF7", "AF8", "TP10")) == ("AF7", "AF8", "TP9", "TP10")


def test_manifests_are_plain_json(manifest: Manifest) -> None:
    content = json.loads((Path(manifest.folder) / "manifest.json").read_text("utf-8"))
    assert content["format"] == 1


def test_the_one_writer_writes_the_very_manifest_that_ships(manifest: Manifest, tmp_path: Path) -> None:
    names = {variant: entry.path for variant, entry in manifest.files.items()}
    for name in names.values():
        shutil.copy(Path(manifest.folder) / name, tmp_path / name)
    described = describe(
        manifest.name,
        manifest.version,
        montage=manifest.montage,
        channels=manifest.channels,
        labels=manifest.labels,
        schema=manifest.feature_schema,
        sequence_length=manifest.sequence_length,
        window_s=manifest.window_s,
        hop_s=manifest.hop_s,
        rate_hz=manifest.rate_hz,
        substitutes=manifest.substitutes,
        population=(manifest.population_centre, manifest.population_scale),
    )
    write_manifest(tmp_path, described, names, manifest.golden.inputs, manifest.golden.outputs)
    assert (tmp_path / MANIFEST).read_bytes() == (Path(manifest.folder) / MANIFEST).read_bytes()
