"""Data sets in their published formats, behind one interface."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from models.datasets import ExampleSettings, Trial, build_examples, open_dataset
from models.datasets.deap import Deap
from models.datasets.ratings import five, quadrant, rated_labels
from models.datasets.seed import TRUE_ORDER, Seed
from models.errors import DatasetError
from support.networks.dataset_making import (
    deap_arrays,
    dreamer_structure,
    python_2_pickle,
    rhythm,
    write_seed,
)

FOUR = ("Fp1", "Fp2", "P7", "P8")


@pytest.fixture(scope="module")
def deap(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, Any]:
    folder = tmp_path_factory.mktemp("deap")
    data, ratings = deap_arrays()
    content = python_2_pickle({"labels": ratings, "data": data})
    for number in range(1, 33):
        path = folder / f"s{number:02}.dat"
        if number == 1:
            path.write_bytes(content)
        else:
            path.hardlink_to(folder / "s01.dat")
    return folder, data, ratings


def test_the_made_file_is_what_python_reads_with_latin1(deap: tuple[Path, Any, Any]) -> None:
    folder, data, ratings = deap
    theirs = pickle.loads((folder / "s01.dat").read_bytes(), encoding="latin1")  # noqa: S301 - our own file
    np.testing.assert_array_equal(theirs["data"], data)
    np.testing.assert_array_equal(theirs["labels"], ratings)


def test_deap_gives_forty_trials_a_person_with_their_ratings(deap: tuple[Path, Any, Any]) -> None:
    folder, data, ratings = deap
    source = open_dataset(f"deap:{folder}")
    assert len(source.info.channels) == 32
    assert "not to be passed on" in source.info.licence
    trials: list[Trial] = []
    for trial in source.trials():
        trials.append(trial)
        if len(trials) == 41:
            break
    assert [trials[0].key, trials[39].key, trials[40].key] == ["s01/1/001", "s01/1/040", "s02/1/001"]
    np.testing.assert_array_equal(trials[7].samples_uv, data[7, :32])
    assert trials[0].baseline_s == 3.0
    assert trials[0].labels == {
        "valence": "high", "arousal": "high", "quadrant": "HVHA", "emotion": "happy"
    }  # fmt: skip
    assert trials[1].labels["emotion"] == "sad"
    assert trials[2].labels["emotion"] == "neutral"
    assert trials[3].ratings["valence"] == ratings[3, 0]


def test_deap_examples_have_their_rest_removed(deap: tuple[Path, Any, Any]) -> None:
    folder, _, _ = deap

    class OneTrial(Deap):
        def trials(self) -> Any:
            yield next(super().trials())

    made = build_examples(OneTrial(folder, ("01",)), ExampleSettings(hop_s=1.0))
    assert made.input_shape == (160,)
    assert made.layout.axes == ("electrode", "band")
    assert len(made.X) > 40
    alpha = made.X.reshape(-1, 32, 5)[:, :, 2]
    theta = made.X.reshape(-1, 32, 5)[:, :, 1]
    # the rhythm is twice as large as at rest: ln 2 in entropy, and nothing elsewhere
    assert np.median(alpha) == pytest.approx(np.log(2), abs=0.25)
    assert abs(np.median(theta)) < 0.3
    assert made.heads(("valence", "arousal", "emotion")) == {"valence": 2, "arousal": 2, "emotion": 5}


def test_deap_in_matlab_files_is_the_same(deap: tuple[Path, Any, Any], tmp_path: Path) -> None:
    folder, data, ratings = deap
    savemat(tmp_path / "s01.mat", {"data": data, "labels": ratings}, do_compression=True)
    ours = next(Deap(tmp_path, ("01",)).trials())
    theirs = next(Deap(folder, ("01",)).trials())
    np.testing.assert_array_equal(ours.samples_uv, theirs.samples_uv)
    assert ours.labels == theirs.labels


def test_seed_orders_trials_by_number_with_the_true_labels(tmp_path: Path) -> None:
    write_seed(tmp_path, people=(2,))
    source = Seed(tmp_path, ("2",))
    trials = list(source.trials())
    assert len(trials) == 45
    assert [trial.number for trial in trials[:15]] == list(range(1, 16))
    names = {1: "positive", 0: "neutral", -1: "negative"}
    assert [trial.labels["emotion"] for trial in trials[15:30]] == [names[label] for label in TRUE_ORDER]
    lengths = [trial.samples_uv.shape[1] for trial in trials[:15]]
    assert lengths == sorted(lengths)
    assert lengths[0] != lengths[14]
    assert [trial.session for trial in (trials[0], trials[15], trials[30])] == ["1", "2", "3"]


def test_seed_examples_come_at_the_rate_of_the_model(tmp_path: Path) -> None:
    write_seed(tmp_path, people=(1,), seconds=5)

    class OneSession(Seed):
        def trials(self) -> Any:
            for trial in super().trials():
                if trial.session == "1" and trial.number <= 3:
                    yield trial

    source = OneSession(tmp_path, ("1",))
    made = build_examples(source)
    assert made.input_shape == (310,)
    assert set(made.groups) == {"01"}
    assert set(made.trials) == {"01/1/001", "01/1/002", "01/1/003"}
    raw = build_examples(source, ExampleSettings(kind="raw", window_s=1.0))
    assert raw.input_shape == (62, 128)
    assert raw.layout.axes == ("electrode", "sample")


def test_dreamer_has_a_minute_before_each_clip(tmp_path: Path) -> None:
    savemat(tmp_path / "DREAMER.mat", dreamer_structure())
    source = open_dataset(str(tmp_path))
    trials = list(source.trials())
    assert [trial.key for trial in trials] == [
        f"{person}/1/{clip:03}" for person in ("01", "02") for clip in (1, 2, 3)
    ]
    assert trials[0].samples_uv.shape == (14, 2 * 8 * 128)
    assert trials[0].baseline_s == 8.0
    assert [trial.labels["emotion"] for trial in trials[:3]] == ["focused", "neutral", "relaxed"]
    assert trials[0].ratings == {"valence": 1.0, "arousal": 5.0}
    assert len(build_examples(source).X) > 10


@pytest.mark.eeg
def test_eegmat_is_blocks_after_the_persons_own_rest(eeg_dir: Path) -> None:
    source = open_dataset(str(eeg_dir / "eegmat" / "eegmat_128hz_int16.npz"), FOUR)
    trials = []
    for trial in source.trials():
        if trial.person != "S00" and trials and trial.person != trials[0].person:
            break
        trials.append(trial)
    labels = [trial.labels["emotion"] for trial in trials]
    assert labels == sorted(labels)
    assert labels.count("calm") >= 5
    assert labels.count("engaged") == 3
    assert all(trial.baseline_s == 60 for trial in trials)
    assert trials[0].samples_uv.shape == (4, 80 * 128)


def _folder_of_recordings(folder: Path, **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    for name, alpha in (("monday", 12.0), ("tuesday", 10.0)):
        samples = np.concatenate(
            [rhythm(4, 256 * 70, 256.0, 1, alpha), rhythm(4, 256 * 10, 256.0, 2, alpha / 4)], axis=1
        )
        times = np.arange(samples.shape[1]) / 256 + 1_700_000_000
        table = np.column_stack([times, samples.T, np.zeros(len(times))])
        header = "timestamps,TP9,AF7,AF8,TP10,Right AUX"
        np.savetxt(folder / f"{name}.csv", table, delimiter=",", header=header, comments="", fmt="%.6f")
    entry = {
        "person": "me",
        "baseline": [0, 60],
        "segments": [
            {"start_s": 60, "end_s": 70, "label": "calm"}, {"start_s": 70, "end_s": 80, "label": "engaged"}
        ],
    }  # fmt: skip
    description: dict[str, Any] = {
        "name": "evenings",
        "licence": "mine",
        "labels": ["calm", "engaged"],
        "recordings": [{"file": "monday.csv", **entry}, {"file": "tuesday.csv", "session": "2", **entry}],
    }
    (folder / "dataset.json").write_text(json.dumps(description | changes))
    return folder


def test_own_recordings_become_examples(tmp_path: Path) -> None:
    source = open_dataset(str(_folder_of_recordings(tmp_path / "own")))
    assert source.info.channels == ("TP9", "AF7", "AF8", "TP10")
    assert source.info.licence == "mine"
    made = build_examples(source, ExampleSettings(schema="de5@1", hop_s=1.0))
    assert sorted(set(made.trials)) == [
        f"me/{session}/{number:03}" for session in ("1:monday", "2:tuesday") for number in (1, 2)
    ]
    alpha = made.X.reshape(-1, 4, 5)[:, :, 2].mean(axis=1)
    assert alpha[made.y["emotion"] == "engaged"].mean() < alpha[made.y["emotion"] == "calm"].mean() - 1
    in_order = build_examples(source, ExampleSettings(sequence=4))
    assert in_order.layout.shape == (4, 4, 5)
    assert in_order.X.shape[1] == 80


@pytest.mark.eeg
def test_edf_and_openbci_files_stand_behind_the_same_interface(eeg_dir: Path, tmp_path: Path) -> None:
    for name, path in {
        "edf": eeg_dir / "eegmat" / "Subject01_1.edf",
        "openbci": eeg_dir / "openbci" / "OpenBCI_GUI-v6-blinks-jawClench-alpha.txt",
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / path.name).symlink_to(path)
        segment = {"start_s": 30, "end_s": 50, "label": "closed"}
        entry = {"file": path.name, "person": "p", "segments": [segment]}
        text = json.dumps({"name": name, "labels": ["open", "closed"], "recordings": [entry]})
        (folder / "dataset.json").write_text(text)
        with pytest.raises(DatasetError, match="lies outside the folder"):
            open_dataset(str(folder))
        (folder / path.name).unlink()
        (folder / path.name).write_bytes(path.read_bytes())
        assert len(build_examples(open_dataset(str(folder))).X) > 5


@pytest.mark.parametrize(
    ("valence", "arousal", "names"),
    [
        (9, 9, ("HVHA", "happy")),
        (9, 1, ("HVLA", "relaxed")),
        (1, 9, ("LVHA", "focused")),
        (1, 1, ("LVLA", "sad")),
        (5, 5, ("LVLA", "neutral")),
        (5.5, 5.5, ("HVHA", "neutral")),
        (5.0, 6.0, ("LVHA", "focused")),
    ],
)
def test_ratings_become_quadrants_and_five_labels(
    valence: float, arousal: float, names: tuple[str, str]
) -> None:
    assert (quadrant(valence, arousal), five(valence, arousal)) == names


def _deap_missing(folder: Path) -> Any:
    for number in range(1, 33):
        if number not in (3, 17):
            (folder / f"s{number:02}.dat").write_bytes(b"")
    return open_dataset(f"deap:{folder}")


def _deap_evil(folder: Path) -> Any:
    content = python_2_pickle({"labels": np.zeros((40, 4)), "data": np.zeros((2, 2), np.int8)})
    (folder / "s01.dat").write_bytes(content.replace(b"cnumpy\ndtype\n", b"cposix\nsystem\n"))
    return list(Deap(folder, ("01",)).trials())


def _deap_shape(folder: Path) -> Any:
    (folder / "s01.dat").write_bytes(
        python_2_pickle({"labels": np.zeros((40, 4)), "data": np.zeros((40, 40, 99), np.int8)})
    )
    return list(Deap(folder, ("01",)).trials())


def _seed_order(folder: Path) -> Any:
    write_seed(folder, people=(1,), seconds=1)
    savemat(folder / "label.mat", {"label": np.array([sorted(TRUE_ORDER)])})
    return Seed(folder, ("1",))


def _seed_lacks_session(folder: Path) -> Any:
    write_seed(folder, people=(1,), seconds=1)
    (folder / "1_20131106.mat").unlink()
    return Seed(folder, ("1",))


def _seed_lacks_clip(folder: Path) -> Any:
    write_seed(folder, people=(1,), seconds=1)
    savemat(folder / "1_20131027.mat", {"djc_eeg1": np.zeros((62, 400))})
    return list(Seed(folder, ("1",)).trials())


def _dreamer_torn(folder: Path) -> Any:
    savemat(folder / "DREAMER.mat", dreamer_structure())
    content = (folder / "DREAMER.mat").read_bytes()
    (folder / "DREAMER.mat").write_bytes(content[: len(content) // 3])
    return list(open_dataset(str(folder)).trials())


def _dreamer_other(folder: Path) -> Any:
    savemat(folder / "DREAMER.mat", {"DREAMER": np.zeros(3)})
    return list(open_dataset(str(folder)).trials())


def _own(**changes: Any) -> Any:
    return lambda folder: open_dataset(str(_folder_of_recordings(folder / "own", **changes)))


def _entry(**changes: Any) -> list[dict[str, Any]]:
    segment = {"start_s": 60, "end_s": 70, "label": "calm"}
    return [{"file": "monday.csv", "person": "me", "segments": [segment], **changes}]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_deap_missing, r"s03.dat and 1 more missing; DEAP has 32 files"),
        (_deap_evil, r"s01.dat: .*names posix.system"),
        (_deap_shape, r"data must be \(40, 40, 8064\) and labels \(40, 4\), got \(40, 40, 99\)"),
        (lambda folder: open_dataset(f"deap:{folder / 'none'}"), "none: no such folder"),
        (_seed_order, "the order of labels must be .1, 0, -1"),
        (_seed_lacks_session, "person 1 needs 3 files 1_DATE.mat, got 2"),
        (_seed_lacks_clip, r"1_20131027.mat: needs clips NAME_eeg1 to NAME_eeg15, got \[1\]"),
        (_dreamer_torn, r"DREAMER.mat: not a readable .mat file"),
        (_dreamer_other, r"DREAMER.mat: not DREAMER's structure"),
        (lambda folder: open_dataset(str(folder)), "no data set is seen there; write KIND:PATH"),
        (_own(recordings=[]), "names no recording"),
        (_own(recordings=_entry(file="none.csv")), r"none.csv: no such file"),
        (_own(recordings=_entry(file="../../../etc/passwd")), "lies outside the folder"),
        (_own(recordings=_entry(baseline=[50, 90])), r"inside 0..80 s, got 50..90"),
        (_own(labels=["rest", "engaged"]), "label 'calm' is not one of rest, engaged"),
        (_own(surprise=1), r"dataset.json: .*surprise"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_sets_that_are_not_whole_get_one_clear_error(make: Any, says: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=says):
        make(tmp_path)


def test_ratings_outside_their_scale_are_named() -> None:
    with pytest.raises(DatasetError, match=r"s01, trial 3: arousal must lie inside 1..9, got 0"):
        rated_labels(5, 0, where="s01, trial 3")
