"""The surface users were promised: build, train, save, load, predict, evaluate."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.emotion_recognition_model import EmotionRecognitionModel
from models.errors import ModelFileError, ModelsError, TrainingError
from models.files.writing import read_json
from models.networks.architectures import ARCHITECTURES
from models.networks.input_layout import InputLayout
from models.networks.keras_backend import keras, seed_everything
from models.networks.model_files import read_model
from support.networks.example_making import EMOTIONS, SMALL, blobs

pytestmark = [pytest.mark.train, pytest.mark.timeout(400)]
pytest.importorskip("tensorflow", reason="needs the train extra")
h5py = pytest.importorskip("h5py")

QUICK: dict[str, Any] = {"epochs": 2, "batch_size": 32, "progress": False}
HEADS = {"valence": 2, "arousal": 2, "emotion": 5}


@pytest.fixture(scope="module")
def trained() -> EmotionRecognitionModel:
    X, y, groups = blobs(n=200)
    model = EmotionRecognitionModel((20,), n_classes=2, model_name="blobs", seed=3)
    model.build_model("dense", dense_units=(8,))
    model.train(
        X,
        np.array(["calm", "engaged"])[y],
        groups=groups,
        epochs=12,
        batch_size=16,
        progress=False,
        checkpoints=False,
    )
    return model


def test_a_trained_network_has_learnt(trained: EmotionRecognitionModel) -> None:
    X, y, _ = blobs(n=100, seed=1)
    labels = np.array(["calm", "engaged"])[y]
    told = trained.evaluate(X, labels)
    assert told["accuracy"] > 0.9
    assert told["labels"] == ["calm", "engaged"]
    assert np.sum(told["confusion_matrix"]) == 100
    assert told["classification_report"]["calm"]["support"] == 50
    assert (trained.predict(X) == labels).mean() == pytest.approx(told["accuracy"])
    assert trained.predict_proba(X).shape == (100, 2)
    assert trained.predict(X[0]).tolist() == trained.predict(X[:1]).tolist()
    assert trained.history["loss"][-1] < trained.history["loss"][0]


def test_our_figures_are_those_of_scikit_learn(trained: EmotionRecognitionModel) -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="needs the train extra")
    X, y, _ = blobs(n=90, seed=2)
    labels = np.array(["calm", "engaged"])[(y + (np.arange(90) % 7 == 0)) % 2]
    told, predicted = trained.evaluate(X, labels), trained.predict(X)
    assert told["confusion_matrix"] == metrics.confusion_matrix(labels, predicted).tolist()
    assert told["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(labels, predicted))
    theirs = metrics.classification_report(labels, predicted, output_dict=True)
    for name in ("calm", "engaged", "macro avg"):
        assert told["classification_report"][name] == pytest.approx(theirs[name])
    assert told["macro_f1"] == pytest.approx(metrics.f1_score(labels, predicted, average="macro"))
    assert told["cross_entropy"] == pytest.approx(
        metrics.log_loss(labels, trained.predict_proba(X)), rel=1e-4
    )


@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_trains_saves_and_loads_with_three_heads(
    architecture: str, tmp_path: Path
) -> None:
    shape = (4, 64) if architecture == "eegnet" else (20,)
    X, y, groups = blobs(shape, n=40, n_classes=5)
    labels = {"valence": y % 2, "arousal": (y > 2).astype(int), "emotion": np.array(EMOTIONS)[y]}
    model = EmotionRecognitionModel(shape, heads=HEADS, model_name="three")
    model.build_model(architecture, **SMALL)
    model.train(X, labels, groups=groups, epochs=1, progress=False)
    path = tmp_path / f"three.{'keras' if architecture in ('cnn', 'bilstm') else 'h5'}"
    model.save_model(path)
    again = EmotionRecognitionModel(shape).load_model(path)
    assert again.heads == HEADS
    assert again.layout == model.layout
    for head, answers in model.predict_proba(X).items():
        np.testing.assert_allclose(again.predict_proba(X)[head], answers, atol=1e-6)
    assert set(again.predict(X)["emotion"]) <= set(EMOTIONS)
    assert set(again.evaluate(X, labels)) == set(HEADS)


def test_all_files_are_written_and_the_pickles_are_what_others_expect(
    trained: EmotionRecognitionModel, tmp_path: Path
) -> None:
    trained.save_model(tmp_path / "blobs.h5")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "blobs.h5",
        "blobs_config.json",
        "blobs_encoder.json",
        "blobs_encoder.pkl",
        "blobs_history.json",
        "blobs_history.pkl",
    ]
    history = pickle.loads((tmp_path / "blobs_history.pkl").read_bytes())  # noqa: S301 - our own file
    assert history == trained.history
    config = read_json(tmp_path / "blobs_config.json")
    assert config["architecture"] == "dense"
    assert config["leaky"] is False
    assert config["training"]["split"] == "group"
    assert config["training"]["provenance"]["seed"] == 3
    assert len(config["training"]["provenance"]["data_sha256"]) == 64
    assert "keras" in config["training"]["provenance"]["libraries"]
    assert config["parameters"] > config["macs"] > 0


def test_a_foreign_h5_with_only_an_encoder_pickle_is_read(
    trained: EmotionRecognitionModel, tmp_path: Path
) -> None:
    trained.save_model(tmp_path / "blobs.h5")
    for path in tmp_path.glob("*.json"):
        path.unlink()
    X, _, _ = blobs(n=10)
    model = EmotionRecognitionModel.from_file(tmp_path / "blobs.h5")
    assert model.predict(X).tolist() == trained.predict(X).tolist()
    assert model.history == trained.history


@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_other_programs_networks_are_read_whatever_way_they_were_put_together(
    suffix: str, tmp_path: Path
) -> None:
    k = keras()
    seed_everything(0)
    dense, softmax = k.layers.Dense, {"activation": "softmax"}
    inputs = k.Input((20,))
    hidden = dense(4)(inputs)
    heads = [dense(2, name="valence", **softmax)(hidden), dense(5, name="emotion", **softmax)(hidden)]
    one_after_another = k.Sequential([k.Input((20,)), dense(4), dense(5, **softmax)])
    X = np.random.default_rng(0).normal(size=(3, 20)).astype(np.float32)
    for network, given, sizes in (
        (one_after_another, X, {"emotion": 5}),
        (k.Model(inputs, heads), X, {"valence": 2, "emotion": 5}),
        (k.Model([inputs], [heads[1]]), [X], {"emotion": 5}),
    ):
        network.save(tmp_path / f"theirs{suffix}")
        model = EmotionRecognitionModel((20,)).load_model(tmp_path / f"theirs{suffix}")
        assert sorted(model.heads.values()) == sorted(sizes.values())
        expected = network(given)
        answer = model.predict_proba(X)
        expected = expected[0] if isinstance(expected, list) and len(sizes) == 1 else expected
        pairs = [(expected, answer)] if len(sizes) == 1 else zip(expected, answer.values(), strict=True)
        for theirs, ours in pairs:
            np.testing.assert_allclose(ours, np.asarray(theirs), atol=1e-5)
        model.save_model(tmp_path / f"ours{suffix}")
        assert "parameters" in model.summary()
    two = k.Model([inputs, k.Input((3,))], heads[1])
    two.save(tmp_path / f"two{suffix}")
    with pytest.raises(ModelFileError, match=r"one input of a fixed shape is read, got \[\(20,\), \(3,\)\]"):
        EmotionRecognitionModel((20,)).load_model(tmp_path / f"two{suffix}")


def test_the_same_seed_gives_the_same_network() -> None:
    X, y, groups = blobs(n=60)
    answers = []
    for _ in range(2):
        model = EmotionRecognitionModel((20,), n_classes=2, model_name="seeded", seed=11)
        model.build_model("cnn", **SMALL)
        how = {"noise": 0.2, "mixup": 0.2}
        model.train(X, y, groups=groups, augmentation=how, **QUICK)
        answers.append(model.predict_proba(X))
    np.testing.assert_array_equal(answers[0], answers[1])


@pytest.mark.usefixtures("untraced")
def test_a_random_split_warns_in_red_and_marks_the_model(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    X, y, _ = blobs(n=40)
    model = EmotionRecognitionModel((20,), n_classes=2, model_name="leaky").build_model("dense", **SMALL)
    model.train(X, y, **QUICK)
    assert "\x1b[1;31mwarning: no groups were given" in capsys.readouterr().err
    assert model.config()["leaky"] is True
    model.train(X, y, groups=np.arange(40) % 4, **QUICK)
    assert capsys.readouterr().err == ""
    assert model.config()["leaky"] is False


def test_the_bar_shows_epochs_and_figures(capsys: pytest.CaptureFixture[str]) -> None:
    X, y, groups = blobs(n=40)
    model = EmotionRecognitionModel((20,), n_classes=2, model_name="shown").build_model("dense", **SMALL)
    model.train(X, y, groups=groups, epochs=2)
    shown = capsys.readouterr().err
    assert "2/2" in shown
    assert f"val {model.history['val_loss'][-1]:.3f} best" in shown


@pytest.mark.usefixtures("untraced")
def test_the_layout_reaches_the_convolution_and_the_configuration(tmp_path: Path) -> None:
    layout = InputLayout(("electrode", "band"), (4, 5))
    X, y, groups = blobs(n=40)
    model = EmotionRecognitionModel((20,), n_classes=2, model_name="electrodes", layout=layout)
    model.build_model("cnn", **SMALL).train(X, y, groups=groups, **QUICK)
    model.save_model(tmp_path / "electrodes.keras")
    again = EmotionRecognitionModel.from_file(tmp_path / "electrodes.keras")
    assert again.layout == layout
    assert again.network.get_layer("conv0").input.shape[1:] == (4, 5)


BAD_TRAINING = [
    ({"X": np.zeros((10, 21))}, r"X must have shape \(n, 20\), got \(10, 21\)"),
    ({"X": np.full((40, 20), np.nan)}, "X must be finite, got NaN or infinity in 40 of 40"),
    ({"X": np.zeros((0, 20))}, "X holds no example"),
    ({"X": [["a"] * 20]}, "X must hold numbers"),
    ({"y": np.zeros(39)}, "one label for each of 40 examples, got 39|only"),
    ({"y": np.zeros(40)}, "at least 2 classes, got only"),
    ({"y": np.arange(40) % 3}, "n_classes is 2, but y has 3 labels"),
    ({"y": {"mood": np.zeros(40)}}, r"y must name the heads \['emotion'\], got \['mood'\]"),
    ({"groups": np.zeros(40)}, "at least 2 groups, got 1"),
    ({"groups": np.zeros(7)}, "groups must name each of the 40 examples, got 7"),
    ({"validation_split": 1.0}, r"validation_split must be .* below 1, got 1.0"),
    ({"epochs": 0}, "epochs must be a whole number of at least 1, got 0"),
    ({"learning_rate": -1.0}, "learning_rate must be above 0"),
    ({"schedule": "steps"}, "schedule must be one of plateau, cosine, constant"),
    ({"patients": 3}, "unknown setting 'patients'"),
    ({"augmentation": {"blur": 1}}, "unknown augmentation 'blur': one of channel_dropout, frequency_shift"),
    ({"augmentation": ["noise"]}, "augmentation must map names to strengths, got"),
    ({"augmentation": {"noise": "much"}}, "augmentation noise must be 0 or more, got 'much'"),
    ({"learning_rate": "slow"}, "learning_rate must be above 0 and at most 1, got 'slow'"),
    ({"label_smoothing": "some"}, "label_smoothing must be at least 0"),
    ({"augmentation": {"channel_dropout": 0.2}}, "channel_dropout needs an axis of electrode"),
    ({"augmentation": {"noise": -1}}, "augmentation noise must be 0 or more, got -1"),
]


@pytest.mark.parametrize(("change", "says"), BAD_TRAINING, ids=[says[:40] for _, says in BAD_TRAINING])
def test_bad_training_input_gets_one_clear_error(change: dict[str, Any], says: str) -> None:
    X, y, groups = blobs(n=40)
    model = EmotionRecognitionModel((20,), n_classes=2, model_name="bad").build_model("dense", **SMALL)
    arguments = {"X": X, "y": y, "groups": groups, **QUICK} | change
    with pytest.raises(TrainingError, match=says):
        model.train(**arguments)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: EmotionRecognitionModel((20,), 1), "2 classes or more"),
        (lambda: EmotionRecognitionModel((20,), 2, "../evil"), "plain file name"),
        (lambda: EmotionRecognitionModel((20,)).build_model("transformer"), "unknown architecture"),
        (lambda: EmotionRecognitionModel((20,)).predict(np.zeros((1, 20))), "call build_model"),
        (lambda: EmotionRecognitionModel((20,)).save_model("x.h5"), "call build_model"),
    ],
)
def test_bad_use_gets_one_clear_error(make: Any, says: str) -> None:
    with pytest.raises(ModelsError, match=says):
        make()


def test_bad_files_get_one_clear_error(trained: EmotionRecognitionModel, tmp_path: Path) -> None:
    path = tmp_path / "blobs.h5"
    with pytest.raises(ModelFileError, match=r"ends in .h5 or .keras"):
        trained.save_model(tmp_path / "blobs.pb")
    trained.save_model(path)
    with pytest.raises(ModelFileError, match=r"its input is \(20,\), this model's input_shape \(21,\)"):
        EmotionRecognitionModel((21,)).load_model(path)
    (tmp_path / "blobs_encoder.json").write_text('{"emotion": ["calm", "engaged", "sad"]}')
    with pytest.raises(ModelFileError, match="output 'emotion' has 2 values, its labels are 3"):
        read_model(path)
    (tmp_path / "blobs_encoder.json").write_text('{"mood": ["calm", "engaged"]}')
    with pytest.raises(ModelFileError, match="names heads"):
        read_model(path)
    with h5py.File(path, "a") as file:
        file.attrs["changed"] = 1
    with pytest.raises(ModelFileError, match=r"describes another file than blobs.h5"):
        read_model(path)


def test_a_failed_save_leaves_the_old_model_whole(
    trained: EmotionRecognitionModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "blobs.h5"
    trained.save_model(path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("models.networks.model_files.write_encoder_pickle", fail)
    with pytest.raises(OSError, match="no space"):
        trained.save_model(path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
