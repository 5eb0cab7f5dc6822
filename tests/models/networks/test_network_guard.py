"""Stored networks are searched for code before Keras sees them (F39)."""

from __future__ import annotations

import contextlib
import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import ModelFileError
from models.files.network_guard import check_network_file
from models.networks.architectures import ARCHITECTURES, build_network, settings_for
from models.networks.input_layout import layout_for
from models.networks.keras_backend import keras

pytestmark = [pytest.mark.train, pytest.mark.timeout(400)]
pytest.importorskip("tensorflow", reason="needs the train extra")
h5py = pytest.importorskip("h5py")

SMALL = {"filters": (4,), "lstm_units": (3,), "dense_units": (5,), "temporal_filters": 2}


def _network(architecture: str = "dense") -> Any:
    shape = (4, 64) if architecture == "eegnet" else (6,)
    settings = settings_for(architecture, SMALL)
    return build_network(architecture, shape, {"emotion": 2}, layout_for(shape, architecture), settings)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("plain")
    network = _network()
    for suffix in ("keras", "h5"):
        network.save(folder / f"net.{suffix}")
    return {suffix: (folder / f"net.{suffix}").read_bytes() for suffix in ("keras", "h5")}


@pytest.mark.parametrize(
    ("architecture", "suffix"), [*((name, "keras") for name in ARCHITECTURES), ("cnn_bilstm", "h5")]
)
def test_our_own_networks_pass(architecture: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"net.{suffix}"
    _network(architecture).save(path)
    check_network_file(path)


def _lambda_network() -> Any:
    inputs = keras().Input((3,))
    return keras().Model(inputs, keras().layers.Lambda(lambda x: x + 1, output_shape=(3,))(inputs))


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_lambda_layers_are_refused_by_name(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"evil.{suffix}"
    _lambda_network().save(path)
    with pytest.raises(ModelFileError, match=f"evil.{suffix}: holds 'Lambda'; only plain Keras layers"):
        check_network_file(path)


def _rewrite_config(content: bytes, change: Callable[[dict[str, Any]], None], path: Path) -> None:
    """The same ``.keras`` archive with another ``config.json``."""
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.namelist():
            part = old.read(entry)
            if entry == "config.json":
                config = json.loads(part)
                change(config)
                part = json.dumps(config).encode()
            new.writestr(entry, part)


def _call_module(config: dict[str, Any]) -> None:
    config["config"]["layers"][1]["module"] = "os"


def _registered(config: dict[str, Any]) -> None:
    config["config"]["layers"][1]["registered_name"] = "evil>Layer"


def _hidden_initializer(config: dict[str, Any]) -> None:
    layer = next(one for one in config["config"]["layers"] if one["class_name"] == "Dense")
    layer["config"]["kernel_initializer"] = {"class_name": "__lambda__", "config": {"value": "x"}}


def _torch_wrapper(config: dict[str, Any]) -> None:
    config["config"]["layers"][1]["class_name"] = "TorchModuleWrapper"


def _function(config: dict[str, Any]) -> None:
    layer = next(one for one in config["config"]["layers"] if one["class_name"] == "Dense")
    layer["config"]["activation"] = {"module": "builtins", "class_name": "function", "config": "eval"}


@pytest.mark.parametrize(
    "change", [_call_module, _registered, _hidden_initializer, _torch_wrapper, _function]
)
def test_code_in_the_architecture_is_refused(
    change: Callable[[dict[str, Any]], None], plain: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "evil.keras"
    _rewrite_config(plain["keras"], lambda config: None, path)
    check_network_file(path)
    _rewrite_config(plain["keras"], change, path)
    with pytest.raises(ModelFileError, match=r"evil.keras: (holds|names)"):
        check_network_file(path)


def test_archives_with_other_members_are_refused(plain: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "extra.keras"
    path.write_bytes(plain["keras"])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../evil.py", "boom")
    with pytest.raises(ModelFileError, match=r"must hold just config.json"):
        check_network_file(path)


def test_links_and_outside_data_are_refused(plain: dict[str, bytes], tmp_path: Path) -> None:
    for name, add in {
        "soft": lambda f: f.__setitem__("out", h5py.SoftLink("/model_weights")),
        "external": lambda f: f.__setitem__("out", h5py.ExternalLink("/etc/passwd", "/")),
        "raw": lambda f: f.create_dataset("out", (9,), "u1", external=[("/etc/passwd", 0, 9)]),
    }.items():
        path = tmp_path / f"{name}.h5"
        path.write_bytes(plain["h5"])
        with h5py.File(path, "a") as file:
            add(file)
        with pytest.raises(ModelFileError, match=r"'out' (is a link|keeps its data in another file)"):
            check_network_file(path)


def test_a_group_inside_itself_is_refused(plain: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "loop.h5"
    path.write_bytes(plain["h5"])
    with h5py.File(path, "a") as file:
        file["model_weights"]["again"] = file["model_weights"]
    with pytest.raises(ModelFileError, match="'again' is a group that is reached twice"):
        check_network_file(path)


def test_weights_that_claim_too_much_memory_are_refused(plain: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "bomb.h5"
    path.write_bytes(plain["h5"])
    with h5py.File(path, "a") as file:
        file.create_dataset("bomb", (10**9,), "f8", chunks=(1000,), compression="gzip")
    assert path.stat().st_size < 1_000_000
    with pytest.raises(ModelFileError, match="claims more than 512000000 bytes"):
        check_network_file(path)


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_damaged_files_get_one_error(
    suffix: str, plain: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.files.network_guard.CPU_S", 2)
    rng, path = random.Random(5), tmp_path / f"torn.{suffix}"
    content = plain[suffix]
    for length in (0, 8, len(content) // 2):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFileError, match=f"torn.{suffix}: "):
            check_network_file(path)
    for _ in range(4):
        torn = bytearray(content)
        for _ in range(40):
            torn[rng.randrange(len(torn))] = rng.randrange(256)
        path.write_bytes(bytes(torn))
        with contextlib.suppress(ModelFileError):
            check_network_file(path)


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"none.h5: No such file"):
        check_network_file(tmp_path / "none.h5")
    pickle_file = tmp_path / "net.pkl"
    pickle_file.write_bytes(b"N.")
    with pytest.raises(ModelFileError, match=r"ends in .h5 or .keras, got '.pkl'"):
        check_network_file(pickle_file)
    weights = tmp_path / "weights.h5"
    with h5py.File(weights, "w") as file:
        file["x"] = np.zeros(3)
    with pytest.raises(ModelFileError, match="holds no architecture"):
        check_network_file(weights)
