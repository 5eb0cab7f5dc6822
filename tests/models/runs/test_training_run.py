"""Trainings from the command line: arrays, people and recipes in; folders, cards and live networks out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daemon.cli import main
from models.ensemble import EmotionEnsemble
from models.errors import DatasetError, ModelFileError, TrainingError
from models.files.inert_pickle import inert_load
from models.runs.recipes import RECIPES
from models.runs.training_run import read_arrays
from support.networks.example_making import SMALL, blobs
from support.recordings.a_head import head_noise

pytest.importorskip("tensorflow", reason="needs the train extra")


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    X, y, groups = blobs(n=60)
    folder = tmp_path / "data"
    folder.mkdir()
    np.save(folder / "X_train.npy", X)
    np.save(folder / "y_train.npy", np.array(["calm", "engaged"])[y])
    np.save(folder / "groups_train.npy", groups)
    return folder


@pytest.fixture
def people(tmp_path: Path) -> Path:
    parts = {}
    for i in range(4):
        for part, seconds, alpha in (("rest", 100, 4.0), ("arith", 40, 0.5)):
            samples = head_noise(10 * i + len(part), 4, 128 * seconds, 128.0, rhythm=alpha)
            parts[f"S{i:02}_{part}"] = np.round(samples / 0.02).astype(np.int16)
    meta = {"channels": ["Fp1", "Fp2", "T5", "T6"], "fs": 128, "scale_uV_per_lsb": 0.02}
    np.savez(tmp_path / "people.npz", __meta__=np.array(json.dumps(meta)), **parts)
    return tmp_path / "people.npz"


def _json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


@pytest.mark.train
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("untraced")
def test_arrays_become_a_timestamped_folder_with_a_card(
    arrays: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["models", "train", "mine", str(arrays), "--architecture", "dense", "--set", "dense_units=8"]
    assert main([*words, "--epochs", "2", "--folds", "2", "--out", str(out), "--json"]) == 0
    told = _json(capsys)
    folder = Path(told["folder"])
    assert folder.parent == out
    assert folder.name.startswith("mine_20")
    names = {path.name for path in folder.iterdir()}
    assert {"mine.h5", "mine_config.json", "mine_encoder.pkl", "mine_history.pkl", "card.json"} <= names
    assert len(inert_load(folder / "mine_history.pkl")["loss"]) == 2
    card = told["card"]
    assert card["leaky"] is False
    assert card["data"]["people"] == 6
    assert len(card["folds_by_group"]["emotion"]["by_fold"]) == 2
    assert card["model"]["training"]["provenance"]["code_revision"]


@pytest.mark.train
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("untraced")
def test_an_ensemble_is_trained_and_stored_by_the_command(
    arrays: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["models", "train", "pair", str(arrays), "--architecture", "dense", "--set", "dense_units=8"]
    words += ["--ensemble", "2", "--epochs", "1", "--out", str(tmp_path / "out"), "--json"]
    assert main(words) == 0
    told = _json(capsys)
    assert told["card"]["members"] == 2
    stored = EmotionEnsemble.from_folder(told["folder"])
    assert [member.model_name for member in stored.members] == ["pair_1", "pair_2"]
    first, second = (member.network.get_weights()[0] for member in stored.members)
    assert not np.allclose(first, second)
    assert set(stored.predict(np.load(arrays / "X_train.npy"))) <= {"calm", "engaged"}


@pytest.mark.train
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("untraced")
def test_arrays_without_groups_are_marked_leaky(
    arrays: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (arrays / "groups_train.npy").unlink()
    words = ["models", "train", "mine", str(arrays), "--architecture", "dense", "--epochs", "1"]
    assert main([*words, "--out", str(tmp_path / "out"), "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["card"]["leaky"] is True
    assert "do not quote" in said.err


@pytest.mark.train
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("untraced")
def test_a_network_trained_on_people_runs_live_is_chosen_and_removed(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["models", "train", "calm", f"eegmat:{people}", "--architecture", "cnn", "--sequence", "4"]
    words += ["--set", "filters=8", "--set", "dense_units=8", "--epochs", "6", "--live", "--json"]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    name = _json(capsys)["stored"]
    assert main(["models", "verify", name, "--json"]) == 0
    assert all(row["ok"] for row in _json(capsys))
    assert main(["models", "use", name, "--json"]) == 0
    assert _json(capsys) == {"selected": name}
    assert main(["models", "remove", name, "--json"]) == 0
    capsys.readouterr()
    assert main(["models", "use", "--json"]) == 0
    assert _json(capsys)["selected"] is None
    assert main(["models", "list", "--json"]) == 0
    assert name not in [row["name"] for row in _json(capsys)]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["train", "x", "{tmp}"], "X_train.npy: No such file"),
        (["train", "x", "eegmat:{tmp}/none.npz"], "none.npz"),
        (["train", "deap_cnn_bilstm", "{tmp}"], "s01.dat and 31 more missing; DEAP has 32 files"),
        (["train", "seed_cnn_bilstm", "{tmp}"], "person 1 needs 3 files"),
        (["train", "x", "{data}", "--architecture", "resnet"], "unknown architecture 'resnet'"),
        (["train", "../x", "{data}"], "model_name must be a plain file name"),
        (["train", "x", "{data}", "--epochs", "0"], "epochs must be a whole number of at least 1, got 0"),
        (["train", "x", "{data}", "--augment", "blur=1"], "--augment 'blur=1' must be KEY=VALUE"),
        (["train", "x", "{data}", "--set", "filters=many"], "--set 'filters=many': the value must be"),
        (["train", "x", "{data}", "--live"], "plain arrays do not say which electrodes"),
        (
            ["train", "x", "{data}", "--live", "--ensemble", "2"],
            "the engine runs one network, not an ensemble",
        ),
        (["train", "x", "{data}", "--ensemble", "65"], "an ensemble has 2 to 64 members, got 65"),
        (["train", "x", "{data}", "--ensemble", "2", "--quantize", "int8"], "an ensemble are not quantised"),
        (["train", "x", "{data}", "--quantize", "int4"], "unknown variant 'int4': one of float, dynamic"),
        (["use", "nobody"], "no network named 'nobody'"),
        (["use", "nobody", "--auto"], "give a NAME or --auto, not both"),
        (["remove", "calm-engaged-muse4"], "came with the product and is not removed"),
        (["remove", "nobody"], "no network named 'nobody'"),
    ],
)
def test_bad_input_gets_one_line_and_exit_status_2(
    words: list[str], says: str, arrays: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [word.format(tmp=tmp_path, data=arrays) for word in words]
    assert main(["models", *given, "--json"]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert "Traceback" not in err
    assert err.strip().splitlines()[-1].startswith("neuroplayer: ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--recorded", "{tmp}/none.npz"], "none.npz"),
        (["--recorded", "eegmat:{people}"], "of several people; choose with --person"),
        (["--recorded", "eegmat:{people}", "--person", "S77"], "no trial of person 'S77'; there are S00"),
        (["--recorded", "eegmat:{people}", "--person", "S00", "--network", "x"], "no network named 'x'"),
        (["--source", "nonsense"], "source: must begin with one of"),
        ([], "name your headset with --source"),
    ],
)
def test_bad_calibrations_get_one_line(
    words: list[str], says: str, people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calibrate", *(word.format(tmp=tmp_path, people=people) for word in words)]) == 2
    assert says in capsys.readouterr().err


def test_calibrate_lists_nothing_and_undoes_nothing_at_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "--list"]) == 0
    assert "no personal network yet" in capsys.readouterr().out
    assert main(["calibrate", "--undo", "--json"]) == 0
    assert _json(capsys) == {"selected": None, "valence": None}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"X_train": np.zeros((3, 4), dtype="U3")}, "X_train.npy: must hold numbers"),
        ({"X_train": np.zeros(60)}, "X_train.npy: must hold numbers"),
        ({"y_train": np.zeros(9)}, "y_train.npy: must hold 60 labels as X_train.npy, got 9"),
        ({"y_train": np.array([{"a": 1}] * 60, dtype=object)}, "y_train.npy: not a plain .npy array"),
    ],
)
def test_bad_arrays_are_named(change: dict[str, Any], says: str, arrays: Path) -> None:
    for name, array in change.items():
        np.save(arrays / f"{name}.npy", array, allow_pickle=True)
    with pytest.raises(DatasetError, match=says):
        read_arrays(arrays)


def test_recipes_say_what_may_be_expected() -> None:
    for name in ("deap_cnn_bilstm", "seed_cnn_bilstm"):
        assert RECIPES[name].architecture == "cnn_bilstm"
        assert "chance" in RECIPES[name].expectation


@pytest.mark.train
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("untraced")
def test_an_ensemble_answers_with_the_mean_of_its_members(tmp_path: Path) -> None:
    X, y, groups = blobs(n=80)
    labels = np.array(["calm", "engaged"])[y]
    ensemble = EmotionEnsemble(2, (20,), n_classes=2, model_name="pair", seed=4)
    ensemble.build_model("dense", **SMALL)
    ensemble.train(X, labels, epochs=3, batch_size=16, groups=groups, progress=False, checkpoints=False)
    parts = [member.predict_proba(X) for member in ensemble.members]
    assert not np.allclose(parts[0], parts[1])
    np.testing.assert_allclose(ensemble.predict_proba(X), np.mean(parts, axis=0))
    ensemble.save_model(tmp_path / "pair")
    again = EmotionEnsemble.from_folder(tmp_path / "pair")
    assert again.predict(X).tolist() == ensemble.predict(X).tolist()
    assert again.evaluate(X, labels)["accuracy"] == ensemble.evaluate(X, labels)["accuracy"]
    (tmp_path / "pair" / "ensemble.json").write_text('{"members": ["../a.keras", "b.keras"]}')
    with pytest.raises(ModelFileError, match="must list the files of two members"):
        EmotionEnsemble.from_folder(tmp_path / "pair")
    with pytest.raises(TrainingError, match="2 to 64 members, got 1"):
        EmotionEnsemble(1, (20,))
