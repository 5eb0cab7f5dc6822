"""``neuroplayer models train NAME`` of a network that ships: bad input is one line, nothing is written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from daemon.cli import main
from inference.networks.model_store import ModelStore
from models.errors import ModelsError
from models.files.folders import shipped


def ask(*words: str) -> int:
    try:
        return main(["models", *words])
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (".", "calm-engaged-muse4 is made of eegmat:FILE.npz, got '.'"),
        ("deap:somewhere", "calm-engaged-muse4 is made of eegmat:FILE.npz, got 'deap:somewhere'"),
        ("eegmat:nowhere.npz", "nowhere.npz"),
    ],
)
def test_what_it_is_not_made_of_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, data: str, said: str
) -> None:
    assert ask("train", "calm-engaged-muse4", data, "--out", str(tmp_path / "out")) == 2
    shown = capsys.readouterr().err.strip()
    assert said in shown
    assert len(shown.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_an_electrode_that_is_lacking_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    meta = {"channels": ["Fp1", "Fp2", "P7"], "fs": 128, "scale_uV_per_lsb": 0.02}
    arrays = {f"A_{state}": np.zeros((3, 8000), np.int16) for state in ("rest", "arith")}
    np.savez(tmp_path / "three.npz", __meta__=np.array(json.dumps(meta)), **arrays)  # type: ignore[arg-type]
    assert ask("train", "calm-engaged-muse4", f"eegmat:{tmp_path / 'three.npz'}", "--out", str(tmp_path)) == 2
    assert "no electrode P8; there are Fp1, Fp2, P7" in capsys.readouterr().err


@pytest.mark.eeg
def test_a_network_whose_residue_does_not_reach_is_not_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, eeg_dir: Path
) -> None:
    """The judgement is given here: that it comes from people kept aside is shown elsewhere."""
    from models.calm_engaged import recipe
    from models.calm_engaged.montages import MUSE4
    from models.calm_engaged.training import RecipeSettings

    leaky = {"10s": 0.7, "interval_95": [0.62, 0.78]}
    judged = {"files": {"int8": {"balanced_accuracy": {}}}, "controls": {"residue": leaky}}
    monkeypatch.setattr(recipe, "judge", lambda *_: judged)
    data = eeg_dir / "eegmat" / "eegmat_128hz_int16.npz"
    with pytest.raises(ModelsError, match=r"must not ship: residue is at least 0\.62 on people kept aside"):
        recipe.make_network(data, MUSE4, RecipeSettings(), tmp_path / "out", lambda _: None)
    assert not (tmp_path / "out").exists()


def test_show_says_whose_controls_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    for manifest in ModelStore((shipped(),)).list():
        assert ask("show", manifest.name) == 0
        shown = capsys.readouterr().out
        assert "controls are of 26 people kept aside: no part in choosing or training" in shown
        assert "control residue: 0." in shown
