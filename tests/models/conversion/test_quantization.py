"""Quantised files: sizes, agreement with the Keras network, recurrent layers, and converters that fail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.conversion.quantization import quantize, table
from models.emotion_recognition_model import EmotionRecognitionModel
from models.errors import ModelsError, TrainingError
from models.networks.input_layout import InputLayout
from support.networks.example_making import SMALL, blobs

pytestmark = [pytest.mark.train, pytest.mark.timeout(400)]
pytest.importorskip("tensorflow", reason="needs the train extra")


def _trained(
    architecture: str, epochs: int, **settings: object
) -> tuple[EmotionRecognitionModel, np.ndarray]:
    X, y, groups = blobs(n=200)
    model = EmotionRecognitionModel((20,), n_classes=2, model_name=architecture)
    model.build_model(architecture, **settings)
    model.train(X, y, groups=groups, epochs=epochs, batch_size=16, progress=False)
    return model, X


def test_every_variant_of_a_network_agrees_with_it(tmp_path: Path) -> None:
    model, X = _trained("cnn", 12, filters=(64, 128), dense_units=(256,))
    files = quantize(model.network, X, tmp_path, "cnn")
    assert [file.variant for file in files] == ["float", "dynamic", "float16", "int8"]
    by_name = {file.variant: file for file in files}
    assert all(file.faithful for file in files), table(files)
    assert by_name["float"].max_error < 1e-4
    assert by_name["float"].bytes > 1.7 * by_name["float16"].bytes
    assert by_name["float"].bytes > 2.5 * by_name["int8"].bytes
    assert (tmp_path / "cnn_int8.tflite").stat().st_size == by_name["int8"].bytes
    assert "| int8 |" in table(files)


def test_a_recurrent_network_with_three_heads_is_quantised_too(tmp_path: Path) -> None:
    X, y, groups = blobs(n=120)
    heads = {"valence": 2, "arousal": 2, "emotion": 2}
    layout = InputLayout(("time", "feature"), (5, 4))
    model = EmotionRecognitionModel((20,), heads=heads, model_name="r", layout=layout)
    model.build_model("cnn_bilstm", **SMALL)
    labels = {"valence": y, "arousal": 1 - y, "emotion": y}
    model.train(X, labels, groups=groups, epochs=8, batch_size=8, progress=False, learning_rate=0.02)
    files = quantize(model.network, X, tmp_path, "r", ("float", "int8"))
    assert [file.unrolled for file in files] == [False, True]
    assert files[0].max_error < 1e-4
    assert files[1].faithful, table(files)


def test_bad_data_and_a_converter_that_fails_leave_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = EmotionRecognitionModel((20,), n_classes=2, model_name="bad").build_model("dense", **SMALL)
    with pytest.raises(TrainingError, match="representative data must be finite"):
        quantize(model.network, np.zeros((4, 21)), tmp_path, "bad")
    with pytest.raises(TrainingError, match="unknown variant 'int4'"):
        quantize(model.network, np.zeros((4, 20)), tmp_path, "bad", ("int4",))
    monkeypatch.setattr("models.conversion.quantization.TIMEOUT_S", 0.05)
    with pytest.raises(ModelsError, match=r"bad: converting it to int8 took longer than 0.05 s"):
        quantize(model.network, np.zeros((4, 20)), tmp_path, "bad", ("int8",))
    assert list(tmp_path.iterdir()) == []
