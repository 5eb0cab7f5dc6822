"""What may stand in a stored Keras network: known layers and their weights, and nothing that runs code."""

from __future__ import annotations

import io
import json
import math
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.errors import ModelFileError
from models.files.child import ChildError, run_child

MAX_NETWORK_BYTES = 256_000_000
MAX_WEIGHTS_BYTES = 512_000_000
MAX_CONFIG_BYTES = 4_000_000
MAX_ITEMS = 20_000
CPU_S = 20

SAFE_CLASSES = frozenset(
    {
        # layers
        "Functional",
        "Sequential",
        "Model",
        "InputLayer",
        "Dense",
        "Conv1D",
        "Conv2D",
        "DepthwiseConv2D",
        "DepthwiseConv1D",
        "SeparableConv1D",
        "SeparableConv2D",
        "BatchNormalization",
        "LayerNormalization",
        "Normalization",
        "Activation",
        "ReLU",
        "LeakyReLU",
        "ELU",
        "Softmax",
        "Dropout",
        "SpatialDropout1D",
        "SpatialDropout2D",
        "GaussianNoise",
        "GaussianDropout",
        "Flatten",
        "Reshape",
        "Permute",
        "RepeatVector",
        "MaxPooling1D",
        "MaxPooling2D",
        "AveragePooling1D",
        "AveragePooling2D",
        "GlobalAveragePooling1D",
        "GlobalAveragePooling2D",
        "GlobalMaxPooling1D",
        "GlobalMaxPooling2D",
        "LSTM",
        "LSTMCell",
        "GRU",
        "GRUCell",
        "Bidirectional",
        "TimeDistributed",
        "Masking",
        "ZeroPadding1D",
        "ZeroPadding2D",
        "Cropping1D",
        "Concatenate",
        "Add",
        "Multiply",
        "Subtract",
        "Average",
        "Maximum",
        # initializers, constraints, regularizers and types that layers are described with
        "Zeros",
        "Ones",
        "Constant",
        "GlorotUniform",
        "GlorotNormal",
        "HeNormal",
        "HeUniform",
        "LecunNormal",
        "LecunUniform",
        "Orthogonal",
        "RandomNormal",
        "RandomUniform",
        "TruncatedNormal",
        "VarianceScaling",
        "Identity",
        "MaxNorm",
        "NonNeg",
        "UnitNorm",
        "MinMaxNorm",
        "L1",
        "L2",
        "L1L2",
        "DTypePolicy",
        "__tuple__",
        "__keras_tensor__",
    }
)
_KERAS_ARCHIVE = {"config.json", "metadata.json", "model.weights.h5"}


def check_network_file(path: Path) -> None:
    """Refuse what is not plain layers and weights, before Keras sees the file.

    Refused are Lambda and every other class outside ``SAFE_CLASSES`` (custom code), links out of the file,
    data kept in other files, and datasets that claim more memory than ``MAX_WEIGHTS_BYTES``. A child process
    reads the file whole first: HDF5 can crash or loop for ever on a damaged one.
    Raises ``ModelFileError`` naming the file and what it holds.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror or error}") from error
    if size > MAX_NETWORK_BYTES:
        raise ModelFileError(f"{path}: a network is at most {MAX_NETWORK_BYTES} bytes, got {size}")
    if path.suffix not in _CHECKS:
        raise ModelFileError(f"{path}: a network ends in .h5 or .keras, got {path.suffix!r}")
    try:
        complaint = run_child(
            "models.files.network_guard", [str(path)], timeout_s=6 * CPU_S, cpu_s=CPU_S, memory_bytes=4 << 30
        )
    except ChildError as error:
        raise ModelFileError(f"{path}: damaged, reading it {error}") from None
    if complaint:
        raise ModelFileError(complaint.decode("utf-8", "replace"))


def _check_h5(path: Path) -> None:
    import h5py

    try:
        with h5py.File(path, "r") as stored:
            config = stored.attrs.get("model_config")
            _check_weights(path, stored, h5py)
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise ModelFileError(f"{path}: not a readable HDF5 file: {error!s:.120}") from error
    if config is None:
        raise ModelFileError(f"{path}: holds no architecture (model_config)")
    _check_config(path, config)


def _check_archive(path: Path) -> None:
    import h5py

    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
            if set(sizes) != _KERAS_ARCHIVE or len(archive.infolist()) != len(_KERAS_ARCHIVE):
                raise ModelFileError(f"{path}: must hold just {', '.join(sorted(_KERAS_ARCHIVE))}")
            if sizes["config.json"] > MAX_CONFIG_BYTES or sizes["model.weights.h5"] > MAX_NETWORK_BYTES:
                raise ModelFileError(f"{path}: a part of it is too large")
            _check_config(path, archive.read("config.json"))
            with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as weights:
                _check_weights(path, weights, h5py)
    except (OSError, RuntimeError, KeyError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise ModelFileError(f"{path}: not a readable .keras file: {error!s:.120}") from error


def _check_weights(path: Path, stored: Any, h5py: Any) -> None:
    total = seen = 0
    groups = [stored["/"]]
    known = set(groups)  # h5py's groups are equal where they are the same place of the file
    while groups:
        group = groups.pop()
        for name in group:
            seen += 1
            if seen > MAX_ITEMS:
                raise ModelFileError(f"{path}: holds more than {MAX_ITEMS} items")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ModelFileError(f"{path}: {name!r} is a link, which is not followed")
            item = group[name]
            if isinstance(item, h5py.Group):
                if item in known:
                    raise ModelFileError(
                        f"{path}: {name!r} is a group that is reached twice, or lies in itself"
                    )
                known.add(item)
                groups.append(item)
                continue
            if item.external or item.is_virtual:
                raise ModelFileError(f"{path}: {name!r} keeps its data in another file")
            total += math.prod(item.shape or ()) * item.dtype.itemsize
            if total > MAX_WEIGHTS_BYTES:
                raise ModelFileError(f"{path}: claims more than {MAX_WEIGHTS_BYTES} bytes of weights")
            item[()]


def _check_config(path: Path, text: str | bytes) -> None:
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path}: its architecture is not JSON: {error!s:.120}") from error
    pending = [config]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, dict):
            _check_entry(path, value)
            pending.extend(item for key, item in value.items() if key != "compile_config")
    if not isinstance(config, dict):
        raise ModelFileError(f"{path}: its architecture is not an object")


def _check_entry(path: Path, entry: dict[str, Any]) -> None:
    name = entry.get("class_name")
    if isinstance(name, str) and name not in SAFE_CLASSES:
        raise ModelFileError(
            f"{path}: holds {name!r}; only plain Keras layers are loaded, no Lambda or custom code"
        )
    module = entry.get("module")
    if isinstance(module, str) and not (module == "keras" or module.startswith("keras.")):
        raise ModelFileError(f"{path}: names code of {module!r}; only Keras itself is loaded")
    if entry.get("registered_name") not in (None, "", name, "Functional", "Sequential"):
        raise ModelFileError(f"{path}: holds custom code {entry['registered_name']!r:.60}")


_CHECKS: Mapping[str, Callable[[Path], None]] = {".h5": _check_h5, ".keras": _check_archive}


def main(arguments: Sequence[str]) -> None:
    """Check the file named and write what is wrong with it, if anything, to standard output."""
    path = Path(arguments[0])
    try:
        _CHECKS[path.suffix](path)
    except ModelFileError as error:
        sys.stdout.write(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
