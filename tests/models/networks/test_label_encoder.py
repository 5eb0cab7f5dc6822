"""Label encoders: native JSON, a pickle for other programs, and wrong ones (F41)."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from models.errors import ModelFileError, TrainingError
from models.networks.label_encoder import (
    LabelEncoder,
    read_encoder_json,
    read_encoder_pickle,
    write_encoder_json,
    write_encoder_pickle,
)


@pytest.mark.parametrize(
    ("y", "n_classes", "classes"),
    [
        (["sad", "happy", "sad"], 2, ("happy", "sad")),
        (np.array([0.0, 2.0, 2.0]), 3, (0, 1, 2)),
        (np.array([-1, 0, 1, 1]), 3, (-1, 0, 1)),
        ([3, 7], 2, (3, 7)),
        ([10, 9, 10], 2, (9, 10)),
    ],
)
def test_classes_are_the_sorted_labels(y: object, n_classes: int, classes: tuple[object, ...]) -> None:
    encoder = LabelEncoder.fit(np.asarray(y), n_classes)
    assert encoder.classes == classes
    labels = np.asarray(y)
    np.testing.assert_array_equal(encoder.inverse(encoder.transform(labels)), labels)


@pytest.mark.parametrize(
    ("y", "n_classes", "says"),
    [
        (["sad", "sad"], 2, "at least 2 classes, got only .'sad'"),
        (["a", "b", "c"], 2, "n_classes is 2, but y has 3 labels"),
        (["a", "b"], 3, "n_classes is 3, but y has 2 labels"),
        ([0.5, 1.0], 2, "text or a whole number, got 0.5"),
        ([float("nan"), 1.0], 2, "text or a whole number, got nan"),
        ([None, "a"], 2, "text or a whole number, got None"),
    ],
)
def test_labels_that_do_not_match_are_named(y: list[object], n_classes: int, says: str) -> None:
    with pytest.raises(TrainingError, match=says):
        LabelEncoder.fit(np.asarray(y, dtype=object), n_classes)


def test_unknown_and_repeated_labels_are_named() -> None:
    with pytest.raises(TrainingError, match=r"unknown label 'angry': one of \['happy', 'sad'\]"):
        LabelEncoder(("happy", "sad")).transform(["happy", "angry"])
    with pytest.raises(TrainingError, match="different ones"):
        LabelEncoder(("a", "a"))
    with pytest.raises(TrainingError, match="all text or all whole numbers"):
        LabelEncoder(("a", 1))


@pytest.mark.parametrize("classes", [("happy", "sad"), (-1, 0, 1)], ids=["text", "numbers"])
def test_both_forms_come_back_the_same(classes: tuple[str | int, ...], tmp_path: Path) -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing", reason="needs the train extra")
    encoder = LabelEncoder(classes)
    write_encoder_pickle(tmp_path / "m_encoder.pkl", encoder)
    assert read_encoder_pickle(tmp_path / "m_encoder.pkl") == encoder
    theirs = pickle.loads((tmp_path / "m_encoder.pkl").read_bytes())  # noqa: S301 - our own file
    assert isinstance(theirs, preprocessing.LabelEncoder)
    assert theirs.inverse_transform([0, 1]).tolist() == list(classes[:2])
    write_encoder_json(tmp_path / "m_encoder.json", {"emotion": encoder, "valence": LabelEncoder((0, 1))})
    assert read_encoder_json(tmp_path / "m_encoder.json")["emotion"] == encoder


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"classes": ["a"]}, "holds no list of classes"),
        (["a", "a"], "different ones"),
        ([1.5, 2], "text or a whole number"),
        ([], "different ones"),
        (np.zeros((2, 2)), "holds no list of classes"),
        ([["a"], ["b"]], "text or a whole number"),
    ],
    ids=["dict", "repeated", "fraction", "empty", "matrix", "nested"],
)
def test_pickles_of_other_things_are_refused(value: object, says: str, tmp_path: Path) -> None:
    path = tmp_path / "other_encoder.pkl"
    path.write_bytes(pickle.dumps(value))
    with pytest.raises(ModelFileError, match=f"other_encoder.pkl.*{says}"):
        read_encoder_pickle(path)


@pytest.mark.parametrize("text", ['["a"]', '{"emotion": "ab"}', '{"emotion": []}', '{"emotion": [null]}'])
def test_json_of_other_things_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "other_encoder.json"
    path.write_text(text)
    with pytest.raises(ModelFileError, match=r"other_encoder.json"):
        read_encoder_json(path)
