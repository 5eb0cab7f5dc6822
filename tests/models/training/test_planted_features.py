"""No architecture is unable to learn what ``dense`` learns, whatever the input's axes mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.networks.architectures import ARCHITECTURES, build_network, settings_for
from models.networks.input_layout import InputLayout
from models.training.splits import Split
from models.training.training import TrainingData, fit, probabilities
from models.training.training_settings import TrainingSettings

pytestmark = [pytest.mark.train, pytest.mark.timeout(600)]
pytest.importorskip("tensorflow", reason="needs the train extra")

N_CLASSES = 4
N_TRAIN, N_TEST = 480, 160
LAYOUTS = {
    "flat": InputLayout(("feature",), (40,)),
    "time": InputLayout(("time", "feature"), (24, 3)),
    "electrode": InputLayout(("electrode", "band"), (19, 3)),
}
SMALL: dict[str, Any] = {"filters": (16, 32), "lstm_units": (32,), "dense_units": (32,), "dropout": 0.0}


def planted(layout: InputLayout, seed: int = 0) -> TrainingData:
    """Noise, and one value that is large: which of four neighbours it is, in the middle, is the class."""
    rng = np.random.default_rng(seed)
    n = N_TRAIN + N_TEST
    y = rng.integers(0, N_CLASSES, n)
    X = rng.normal(size=(n, *layout.shape)).astype(np.float32)
    middle = [length // 2 for length in layout.shape]
    for example, which in zip(X, y, strict=True):
        place = list(middle)
        place[0] += which - N_CLASSES // 2
        example[tuple(place)] += 5.0
    rows = np.arange(n)
    targets = {"emotion": np.eye(N_CLASSES, dtype=np.float32)[y]}
    return TrainingData(X, targets, Split(rows[:N_TRAIN], rows[N_TRAIN:], "group"))


def accuracy(architecture: str, layout: InputLayout, epochs: int = 20) -> float:
    data = planted(layout)
    settings = settings_for(architecture, SMALL)
    network = build_network(architecture, layout.shape, {"emotion": N_CLASSES}, layout, settings)
    fit(network, data, layout, TrainingSettings(epochs=epochs, patience=epochs, learning_rate=3e-3))
    X, targets = data.half(data.split.validate)
    return float(np.mean(probabilities(network, X)["emotion"].argmax(1) == targets["emotion"].argmax(1)))


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("architecture", [name for name in ARCHITECTURES if name != "eegnet"])
def test_which_value_is_large_is_learnt_wherever_it_stands(architecture: str, name: str) -> None:
    assert accuracy(architecture, LAYOUTS[name]) > 0.75  # chance 0.25
