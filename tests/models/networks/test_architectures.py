"""The five networks: shapes, heads, layout, size."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from models.errors import TrainingError
from models.networks.architectures import ARCHITECTURES, build_network, settings_for
from models.networks.complexity import complexity
from models.networks.input_layout import InputLayout, layout_for

THREE = {"valence": 2, "arousal": 2, "emotion": 5}
SMALL = {"filters": (4, 6), "lstm_units": (3,), "dense_units": (5,), "temporal_filters": 2}


def test_importing_models_does_not_import_tensorflow() -> None:
    code = (
        "import sys, pkgutil, importlib, models\n"
        "for m in pkgutil.walk_packages(models.__path__, 'models.'):\n"
        "    if not m.name.endswith('__main__'): importlib.import_module(m.name)\n"
        "heavy = {'tensorflow', 'keras', 'sklearn', 'h5py', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.train
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("heads", [{"emotion": 5}, THREE], ids=["one-head", "three-heads"])
def test_each_architecture_answers_with_probabilities(architecture: str, heads: dict[str, int]) -> None:
    pytest.importorskip("tensorflow", reason="needs the train extra")
    shape = (4, 64) if architecture == "eegnet" else (20,)
    layout = layout_for(shape, architecture)
    network = build_network(architecture, shape, heads, layout, settings_for(architecture, SMALL))
    answer = network(np.zeros((2, *shape), np.float32))
    answers = answer if isinstance(answer, dict) else {"emotion": answer}
    assert {head: tuple(p.shape) for head, p in answers.items()} == {h: (2, n) for h, n in heads.items()}
    for probabilities in answers.values():
        np.testing.assert_allclose(np.asarray(probabilities).sum(axis=1), 1, rtol=1e-5)


@pytest.mark.train
def test_the_convolution_runs_over_the_axis_that_has_an_order() -> None:
    pytest.importorskip("tensorflow", reason="needs the train extra")
    settings = settings_for("cnn", {"filters": (4,), "dense_units": ()})
    flat = build_network("cnn", (20,), {"emotion": 2}, layout_for((20,), "cnn"), settings)
    electrodes = InputLayout(("electrode", "band"), (4, 5))
    by_electrode = build_network("cnn", (20,), {"emotion": 2}, electrodes, settings)
    over_time = build_network("cnn", (6, 4, 5), {"emotion": 2}, layout_for((6, 4, 5), "cnn"), settings)
    raw = InputLayout(("electrode", "sample"), (4, 64))
    over_samples = build_network("cnn", (4, 64), {"emotion": 2}, raw, settings)
    shapes = [net.get_layer("conv0").input.shape[1:] for net in (flat, by_electrode, over_time, over_samples)]
    assert shapes == [(1, 20), (4, 5), (6, 20), (64, 4)]


@pytest.mark.train
def test_parameters_and_multiplications_are_those_counted_by_hand() -> None:
    pytest.importorskip("tensorflow", reason="needs the train extra")
    settings = settings_for("cnn_bilstm", {"filters": (4,), "lstm_units": (3,), "dense_units": (5,)})
    layout = InputLayout(("electrode", "band"), (4, 5))
    network = build_network("cnn_bilstm", (4, 5), {"emotion": 2}, layout, settings)
    size = complexity(network)
    lstm = 4 * (4 * 3 + 3 * 3)
    steps, both = 4, 2 * 3
    assert size.macs == 4 * (3 * 5 * 4) + 2 * 4 * lstm + steps * both * 5 + 5 * 2
    lstm_weights = 2 * (lstm + 4 * 3)
    assert size.trainable == 3 * 5 * 4 + 2 * 4 + lstm_weights + steps * both * 5 + 5 + 5 * 2 + 2


@pytest.mark.parametrize(
    ("architecture", "changes", "says"),
    [
        ("resnet", {}, "unknown architecture 'resnet': one of cnn_bilstm"),
        ("cnn", {"filter": 3}, "unknown setting 'filter'"),
        ("cnn", {"dropout": 1.0}, "dropout must be"),
        ("cnn", {"filters": (0,)}, "filters must be"),
        ("cnn", {"filters": 8}, "filters must be integers from 1 to 4096, got 8"),
        ("cnn", {"dropout": "half"}, "dropout must be at least 0 and below 1, got 'half'"),
        ("eegnet", {"depth": 0}, "depth must be an integer from 1 to 4096, got 0"),
    ],
)
def test_wrong_settings_are_named(architecture: str, changes: dict[str, object], says: str) -> None:
    with pytest.raises(TrainingError, match=says):
        settings_for(architecture, changes)


@pytest.mark.parametrize(
    ("shape", "architecture", "layout", "says"),
    [
        ((167,), "eegnet", None, r"eegnet wants raw windows .* got shape \(167,\)"),
        ((0,), "cnn", None, "positive integers"),
        ((2, 3, 4, 5), "cnn", None, "1 to 3 axes"),
        ((21,), "cnn", InputLayout(("electrode", "band"), (4, 5)), "layout .* 20 values, the input"),
    ],
)
def test_wrong_shapes_are_named(
    shape: tuple[int, ...], architecture: str, layout: InputLayout | None, says: str
) -> None:
    with pytest.raises(TrainingError, match=says):
        layout_for(shape, architecture, layout)
