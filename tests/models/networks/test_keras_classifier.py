"""The Keras classifier behind inference's port: the same contract as LiteRT's, and no way in for code."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acquisition.signal import StreamInfo
from daemon.engine.network_choice import PipelineMaker
from daemon.settings import Settings
from inference.networks.manifest import Manifest, read_manifest
from inference.port import ClassifierError

pytestmark = pytest.mark.train
pytest.importorskip("tensorflow", reason="the train extra is not installed")

TINY = Path(__file__).resolve().parents[2] / "inference" / "data" / "tiny"
INPUTS = np.random.default_rng(3).normal(size=(4, 1, 10)).round(3)


def _network(*middle: Any, outputs: int = 2) -> Any:
    from models.networks.keras_backend import keras

    layers = keras().layers
    keras().utils.set_random_seed(1)
    body = middle or (layers.Conv1D(8, 1, activation="relu"), layers.Flatten())
    return keras().Sequential([keras().Input((1, 10)), *body, layers.Dense(outputs, activation="softmax")])


def _stored(folder: Path, network: Any, suffix: str = ".keras", **changes: Any) -> Manifest:
    path = folder / f"net{suffix}"
    folder.mkdir(parents=True, exist_ok=True)
    network.save(path, **({"include_optimizer": False} if suffix == ".h5" else {}))
    content = path.read_bytes()
    entry = {"path": path.name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    outputs = np.asarray(network(INPUTS.astype(np.float32))).tolist()
    document = json.loads((TINY / "manifest.json").read_text())
    document |= {"name": "by-keras", "files": {"keras": entry}}
    document["golden"] = {"inputs": INPUTS.tolist(), "outputs": {"keras": outputs}, "tolerance": {}}
    (folder / "manifest.json").write_text(json.dumps(document | changes))
    return read_manifest(folder / "manifest.json")


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_it_answers_as_the_network_does(tmp_path: Path, suffix: str) -> None:
    from models.networks.keras_classifier import KerasClassifier

    network = _network()
    classifier = KerasClassifier(_stored(tmp_path, network, suffix))
    expected = np.asarray(network(INPUTS.astype(np.float32)))
    got = np.array([classifier.predict(features) for features in INPUTS])
    assert np.abs(got - expected).max() < 1e-5
    assert classifier.labels == ("calm", "engaged")
    assert len(classifier.model_id.sha256) == 64
    with pytest.raises(ClassifierError, match=r"wants features \(1, 10\), got \(10,\)"):
        classifier.predict(INPUTS[0][0])
    classifier.close()
    with pytest.raises(ClassifierError, match="closed"):
        classifier.predict(INPUTS[0])


def test_a_changed_file_is_not_opened(tmp_path: Path) -> None:
    from models.networks.keras_classifier import KerasClassifier

    manifest = _stored(tmp_path, _network())
    with (tmp_path / "net.keras").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ClassifierError, match="sha256"):
        KerasClassifier(manifest)


def test_recurrent_layers_and_other_shapes_are_refused_by_name(tmp_path: Path) -> None:
    from models.networks.keras_backend import keras
    from models.networks.keras_classifier import KerasClassifier

    with pytest.raises(ClassifierError, match="CNN-only networks run live by Keras, this has LSTM"):
        KerasClassifier(_stored(tmp_path / "a", _network(keras().layers.LSTM(4))))
    with pytest.raises(ClassifierError, match=r"the manifest has 2 labels, the file gives \[1, 3\]"):
        KerasClassifier(_stored(tmp_path / "b", _network(outputs=3)))
    wrong = {"inputs": INPUTS.tolist(), "outputs": {"keras": [[0.9, 0.1]] * 4}, "tolerance": {}}
    with pytest.raises(ClassifierError, match="golden vectors differ"):
        KerasClassifier(_stored(tmp_path / "c", _network(), golden=wrong))


def test_code_in_the_file_is_refused(tmp_path: Path) -> None:
    from models.networks.keras_backend import keras
    from models.networks.keras_classifier import KerasClassifier

    layers = keras().layers
    hostile = _network(layers.Lambda(lambda x: x * 2, output_shape=(1, 10)), layers.Flatten())
    with pytest.raises(ClassifierError, match=r"by-keras: Keras refuses the file: .*Lambda"):
        KerasClassifier(_stored(tmp_path, hostile))


def test_the_engine_takes_it_for_a_network_without_a_litert_file(tmp_path: Path) -> None:
    _stored(tmp_path / "networks" / "own", _network())
    info = StreamInfo("x", "Muse", ("TP9", "AF7", "AF8", "TP10"), 256.0)
    prepared = PipelineMaker(Settings(state_dir=str(tmp_path)), (tmp_path / "networks",))(info)
    assert prepared.load is not None
    assert prepared.load()().model.name == "by-keras"
    assert "tensorflow" in sys.modules
