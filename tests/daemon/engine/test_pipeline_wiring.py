"""Which classifier an engine gets for which headset, and what it says when a network cannot be used."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from acquisition.signal import EegChunk, StreamInfo
from daemon.engine.baseline_store import BaselineStore
from daemon.engine.network_choice import PipelineMaker
from daemon.engine.prepared import PreparedPipeline
from daemon.settings import Settings
from daemon.wearers.wearer import wearer_of
from inference.baseline.baseline import Baseline
from inference.emotion import BaselineProgress
from inference.networks.model_store import ModelStore
from support.recordings.a_head import head_noise

TINY = Path(__file__).resolve().parents[2] / "inference" / "data" / "tiny"
MUSE = StreamInfo("lsl:Muse", "Muse", ("TP9", "AF7", "AF8", "TP10"), 256.0)
CYTON = StreamInfo("x", "Cyton", ("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2"), 250.0)
NAMELESS = StreamInfo("x", "some board", ("1", "2", "3"), 250.0)


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path]:
    shutil.copytree(TINY, tmp_path / "networks" / "tiny")
    return (tmp_path / "networks",)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=str(tmp_path / "state"))


def _loaded(settings: Settings, roots: tuple[Path], info: StreamInfo) -> PreparedPipeline:
    """What the engine has once the network was waited for."""
    return _once_loaded(PipelineMaker(settings, roots)(info))


def _once_loaded(prepared: PreparedPipeline) -> PreparedPipeline:
    return prepared.load()() if prepared.load is not None else prepared


def test_the_network_for_these_electrodes(roots: tuple[Path], settings: Settings) -> None:
    prepared = _loaded(settings, roots, MUSE)
    assert prepared.model.name == "tiny"
    assert len(prepared.model.sha256) == 64
    assert prepared.baseline_s == 45.0
    assert prepared.notes == ()


def test_stand_ins_are_named(roots: tuple[Path], settings: Settings) -> None:
    prepared = _loaded(settings, roots, CYTON)
    assert prepared.model.name == "tiny"
    assert "P7 stands in for TP9 (nearest)" in prepared.notes
    assert "Fp1 stands in for AF7 (nearest)" in prepared.notes


def test_a_changed_file_is_not_loaded_and_the_other_one_is_taken(
    roots: tuple[Path], settings: Settings
) -> None:
    file = roots[0] / "tiny" / "tiny_int8.tflite"
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    prepared = _loaded(settings, roots, MUSE)
    assert prepared.model.name == "tiny"
    assert any("sha256" in note for note in prepared.notes)


@pytest.mark.parametrize("damage", ["files", "manifest", "nothing"])
def test_without_a_usable_network_the_rule_reads_and_says_so(
    roots: tuple[Path], settings: Settings, damage: str
) -> None:
    folder = roots[0] / "tiny"
    if damage == "files":
        for file in folder.glob("*.tflite"):
            file.write_bytes(b"TFL3" * 100)
    elif damage == "manifest":
        (folder / "manifest.json").write_text("{")
    else:
        shutil.rmtree(folder)
    prepared = _loaded(settings, roots, MUSE)
    assert prepared.model.name == "band-power-rule"
    assert "band-power rule" in prepared.notes[-1]
    assert len(prepared.notes) > 1


def test_electrodes_without_names_are_read_by_the_rule(roots: tuple[Path], settings: Settings) -> None:
    prepared = _loaded(settings, roots, NAMELESS)
    assert prepared.model.name == "band-power-rule"
    assert any("no stored network fits" in note for note in prepared.notes)


def test_the_rule_reads_until_the_network_is_loaded(roots: tuple[Path], settings: Settings) -> None:
    prepared = PipelineMaker(settings, roots)(MUSE)
    assert prepared.model.name == "band-power-rule"
    assert prepared.load is not None
    swapped = prepared.load()()
    assert swapped.pipeline is prepared.pipeline
    assert swapped.load is None
    assert swapped.renew() is None


def _change_version(folder: Path, version: str, **changes: object) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= {"version": version, **changes}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2))


def test_a_replaced_network_is_swapped_in_while_the_pipeline_runs(
    roots: tuple[Path], settings: Settings
) -> None:
    prepared = _loaded(settings, roots, MUSE)
    _change_version(roots[0] / "tiny", "2")
    renewed = prepared.renew()
    assert renewed is not None
    assert renewed.load is not None
    swapped = renewed.load()()
    assert swapped.pipeline is prepared.pipeline
    assert swapped.model.name == "tiny"


def test_a_network_with_other_features_begins_a_new_pipeline(roots: tuple[Path], settings: Settings) -> None:
    prepared = _loaded(settings, roots, MUSE)
    _change_version(roots[0] / "tiny", "2", hop_s=1.0)
    renewed = prepared.renew()
    assert renewed is not None
    assert renewed.pipeline is not prepared.pipeline
    assert renewed.baseline_s == 45.0


def test_a_network_that_went_away_leaves_the_rule(roots: tuple[Path], settings: Settings) -> None:
    prepared = _loaded(settings, roots, MUSE)
    shutil.rmtree(roots[0] / "tiny")
    renewed = prepared.renew()
    assert renewed is not None
    assert renewed.model.name == "band-power-rule"


def test_a_selected_network_that_does_not_fit_is_refused_by_its_missing_electrodes(
    roots: tuple[Path], settings: Settings
) -> None:
    ModelStore(roots).select("tiny")
    info = StreamInfo("x", "two electrodes", ("Fp1", "Fp2"), 250.0)
    notes = _loaded(settings, roots, info).notes
    assert any("TP9 (or T7, P7), TP10 (or T8, P8) missing" in note for note in notes)


def test_a_stored_rest_that_does_not_agree_is_taken_anew_and_it_is_said(
    roots: tuple[Path], settings: Settings
) -> None:
    settings = msgspec.structs.replace(settings, baseline="last")
    samples_uv = head_noise(2, 4, 256 * 20, 256.0)
    times_s = np.arange(samples_uv.shape[1]) / 256
    far = Baseline("symde5@1", MUSE.channels, np.full(10, 9.0), np.full(10, 0.3), 45.0)
    BaselineStore(wearer_of(settings).baselines).save(MUSE, far)
    prepared = _loaded(settings, roots, MUSE)
    assert prepared.baseline_s == 0.0
    readings = prepared.pipeline.push(EegChunk(samples_uv, times_s))
    assert any(isinstance(reading, BaselineProgress) for reading in readings)
    renewed = prepared.renew()
    assert renewed is not None
    assert "does not agree" in renewed.notes[-1]
    assert renewed.renew() is None


def test_a_valence_calibration_is_used_with_the_network_it_was_made_with(
    roots: tuple[Path], settings: Settings
) -> None:
    weights = {"mean": [0.0] * 10, "scale": [1.0] * 10, "hidden": [[0.1]] * 10, "hidden_bias": [0.0]}
    document = {
        "format": 1,
        "feature_schema": "symde5@1",
        "channels": MUSE.channels,
        "window_s": 2.0,
        "hop_s": 0.5,
        "windows": 1,
        **weights,
        "output": [1.0],
        "output_bias": 0.0,
        "balanced_accuracy": 0.75,
        "p_value": 0.01,
        "pieces": 12,
    }
    path = wearer_of(settings).valence
    path.parent.mkdir(parents=True)
    make = PipelineMaker(settings, roots)  # one engine's: it tries the network's file in a child only once
    for changes, note in (
        ({}, "valence by your own calibration: 75% on 12 held-out pieces"),
        ({"p_value": 0.3}, "your valence calibration is not used: "),
        ({"hop_s": 1.0}, "belongs to another network: valence stays unknown"),
    ):
        path.write_text(json.dumps(document | changes))
        assert any(note in told for told in _once_loaded(make(MUSE)).notes)
    running = _once_loaded(make(MUSE))
    path.write_text(json.dumps(document, indent=1))
    renewed = running.renew()
    assert renewed is not None
    assert renewed.pipeline is running.pipeline, "the session goes on with its rest"
    assert [note for note in renewed.notes if "valence" in note] == [
        "valence by your own calibration: 75% on 12 held-out pieces"
    ]
    path.unlink()
    renewed = renewed.renew()
    assert renewed is not None
    assert not [note for note in renewed.notes if "valence" in note]
    assert renewed.renew() is None
