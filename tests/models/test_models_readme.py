"""What models/README.md shows, run: Python as written, and every command line parsed by the real commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from support.networks.example_making import blobs
from support.recordings.a_head import head_noise

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "models" / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", TEXT, flags=re.DOTALL)
COMMANDS = [
    line
    for kind, block in BLOCKS
    if not kind
    for line in block.splitlines()
    if line.startswith("neuroplayer")
]


def _people_set(path: Path) -> str:
    channels = ["Fp1", "Fp2", "T5", "T6"]
    arrays = {}
    for i in range(3):
        for part, seconds, alpha in (("rest", 100, 4.0), ("arith", 40, 0.5)):
            samples = head_noise(10 * i + len(part), 4, 128 * seconds, 128.0, rhythm=alpha)
            arrays[f"S{i:02}_{part}"] = np.round(samples / 0.02).astype(np.int16)
    meta = '{"channels": ["Fp1", "Fp2", "T5", "T6"], "fs": 128, "scale_uV_per_lsb": 0.02}'
    assert len(channels) == 4
    np.savez(path, __meta__=np.array(meta), **arrays)
    return f"eegmat:{path}"


@pytest.mark.train
@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("untraced")
def test_the_python_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tensorflow", reason="needs the train extra")
    monkeypatch.chdir(tmp_path)
    X, y, subjects = blobs((167,), n=60, n_classes=5)
    X_personal, y_personal, _ = blobs((167,), n=80, n_classes=5, seed=1)
    names: dict[str, Any] = {
        "X": X,
        "y": y,
        "subjects": subjects,
        "X_test": X,
        "y_test": y,
        "valence": y % 2,
        "arousal": (y > 2).astype(int),
        "X_personal": X_personal,
        "y_personal": y_personal,
        "trials_personal": np.array([f"{label}-{i // 40}" for i, label in enumerate(y_personal)]),
        "X_small": np.random.default_rng(0).normal(size=(20, 20)).astype(np.float32),
        "eegmat": _people_set(tmp_path / "people.npz"),
    }
    quick = "\n".join(block for kind, block in BLOCKS if kind == "python")
    quick = re.sub(r"epochs=\d+", "epochs=1, progress=False", quick)
    quick = quick.replace("freeze_layers=10, epochs=1, progress=False)", "freeze_layers=10, epochs=1)")
    quick = quick.replace("trials_personal, freeze_layers", "trials_personal, n_folds=2, freeze_layers")
    exec(compile(quick, "models/README.md", "exec"), names)  # noqa: S102 - the document under test
    assert names["probabilities"].shape == (60, 5)
    assert (tmp_path / "models" / "my_custom_model_history.pkl").exists()
    assert (tmp_path / "models" / "personalized" / "my_custom_model_me.h5").exists()
    assert len(names["files"]) == 2
    assert isinstance(names["verdict"].kept, bool)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_line_is_one_the_product_takes(line: str) -> None:
    from daemon.cli import cli

    command: click.Command = cli
    words = shlex.split(line)[1:]
    parent = click.Context(cli, info_name="neuroplayer")
    while isinstance(command, click.Group):
        name = words.pop(0)
        found = command.get_command(parent, name)
        assert found is not None, f"{line}: no command {name!r}"
        command = found
    command.make_context(line, words, parent=parent)


def test_the_ignored_files_are_those_listed() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    listed = TEXT.split("## .gitignore")[1].split("```")[1].split()
    assert len(listed) >= 7
    assert set(listed) <= set(ignored)


def test_the_citation_names_the_data_that_shipped_networks_contain() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert citation.startswith("cff-version: 1.2.0\n")
    assert "10.3390/data4010014" in citation
    assert "license: Apache-2.0" in citation
