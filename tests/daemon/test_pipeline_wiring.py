"""Which classifier an engine gets for which headset, and what it says when a network cannot be used."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from acquisition.signal import StreamInfo
from daemon.settings import Settings
from daemon.wiring.pipeline_wiring import PipelineMaker

TINY = Path(__file__).resolve().parents[1] / "inference" / "data" / "tiny"
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


def test_the_network_for_these_electrodes(roots: tuple[Path], settings: Settings) -> None:
    prepared = PipelineMaker(settings, roots)(MUSE)
    assert prepared.model.name == "tiny"
    assert len(prepared.model.sha256) == 64
    assert prepared.baseline_s == 45.0
    assert prepared.notes == ()


def test_stand_ins_are_named(roots: tuple[Path], settings: Settings) -> None:
    prepared = PipelineMaker(settings, roots)(CYTON)
    assert prepared.model.name == "tiny"
    assert "P7 stands in for TP9" in prepared.notes
    assert "Fp1 stands in for AF7" in prepared.notes


def test_a_changed_file_is_not_loaded_and_the_other_one_is_taken(
    roots: tuple[Path], settings: Settings
) -> None:
    file = roots[0] / "tiny" / "tiny_int8.tflite"
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    prepared = PipelineMaker(settings, roots)(MUSE)
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
    prepared = PipelineMaker(settings, roots)(MUSE)
    assert prepared.model.name == "band-power-rule"
    assert "band-power rule" in prepared.notes[-1]
    assert len(prepared.notes) > 1


def test_electrodes_without_names_are_read_by_the_rule(roots: tuple[Path], settings: Settings) -> None:
    prepared = PipelineMaker(settings, roots)(NAMELESS)
    assert prepared.model.name == "band-power-rule"
    assert any("no stored network fits" in note for note in prepared.notes)
