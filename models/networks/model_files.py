"""The files of a trained model: NAME.h5 or NAME.keras with its encoder, configuration and history.

JSON is the native form of the side files; the ``.pkl`` twins are written for programs that expect them.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from models.errors import ModelFileError, TrainingError
from models.files.inert_pickle import InertError, inert_load
from models.files.network_guard import check_network_file
from models.files.writing import WholeSet, read_json, sha256_of, write_json
from models.networks.keras_backend import keras
from models.networks.label_encoder import (
    LabelEncoder,
    read_encoder_json,
    read_encoder_pickle,
    write_encoder_json,
    write_encoder_pickle,
)

FORMAT = 1
SUFFIXES = (".h5", ".keras")
MAX_HISTORY_BYTES = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class StoredModel:
    """What is read back: the network, the labels by head, configuration and history."""

    network: Any
    encoders: Mapping[str, LabelEncoder]
    config: Mapping[str, Any]
    history: Mapping[str, list[float]]


def side_file(path: Path, what: str) -> Path:
    """``models/NAME.h5`` and ``config.json`` give ``models/NAME_config.json``."""
    return path.with_name(f"{path.stem}_{what}")


def check_name(path: Path) -> Path:
    """The path itself, if a network may be called so. Raises ``ModelFileError``."""
    if path.suffix not in SUFFIXES:
        raise ModelFileError(f"{path}: a model ends in {' or '.join(SUFFIXES)}, got {path.suffix!r}")
    return path


def main_head(heads: Mapping[str, Any]) -> str:
    """The head that the one encoder pickle is about: ``emotion`` where there is one, else the first."""
    return "emotion" if "emotion" in heads else next(iter(heads))


def write_model(path: Path, stored: StoredModel) -> dict[str, Any]:
    """Write all files, the network under its final name last; returns the configuration written."""
    check_name(path)
    files = WholeSet()
    config: dict[str, Any] = dict(stored.config) | {"format": FORMAT}
    encoder = stored.encoders[main_head(stored.encoders)]
    history = {name: [float(v) for v in values] for name, values in stored.history.items()}
    try:
        draft = files.write(path, partial(_save_network, stored.network))
        config["network_sha256"] = sha256_of(draft)
        files.write(side_file(path, "config.json"), partial(_json, config))
        files.write(side_file(path, "encoder.json"), partial(_encoders, dict(stored.encoders)))
        files.write(side_file(path, "encoder.pkl"), lambda to: write_encoder_pickle(to, encoder))
        files.write(side_file(path, "history.json"), partial(_json, history))
        files.write(side_file(path, "history.pkl"), lambda to: to.write_bytes(pickle.dumps(history, 4)))
        files.commit()
    finally:
        files.discard()
    return config


def _json(value: Any, to: Path) -> None:
    write_json(to, value)


def _encoders(encoders: dict[str, LabelEncoder], to: Path) -> None:
    write_encoder_json(to, encoders)


def _save_network(network: Any, to: Path) -> None:
    # .h5 with its optimizer, then .keras from the same object, would lose the optimizer of the second
    options = {"include_optimizer": False} if to.suffix == ".h5" else {}
    network.save(to, **options)


def read_model(path: Path) -> StoredModel:
    """Read a model, ours or another program's. Raises ``ModelFileError`` naming the file and the rule.

    The network file is searched for code first. Without a configuration the heads are the outputs and the
    labels those of the encoder, or numbers.
    """
    check_name(path)
    check_network_file(path)
    config = _read_config(path)
    try:
        network = _as_ours(keras().models.load_model(path, compile=False, safe_mode=True))
    except Exception as error:
        raise ModelFileError(f"{path}: Keras cannot read it: {' '.join(str(error).split()):.160}") from error
    if len(network.inputs) != 1 or None in network.inputs[0].shape[1:]:
        shapes = [tuple(one.shape[1:]) for one in network.inputs]
        raise ModelFileError(f"{path}: one input of a fixed shape is read, got {shapes}")
    sizes = _output_sizes(path, network)
    encoders = _read_encoders(path, sizes)
    for head, size in sizes.items():
        if len(encoders[head].classes) != size:
            raise ModelFileError(
                f"{path}: output {head!r} has {size} values, its labels are {len(encoders[head].classes)}"
            )
    return StoredModel(network, encoders, config, _read_history(path))


def _as_ours(network: Any) -> Any:
    """The same layers as our own networks have them: a graph, with several outputs by name."""
    if isinstance(network, keras().Sequential):
        inputs = x = keras().Input(network.input_shape[1:])
        for layer in network.layers:
            x = layer(x)
        return keras().Model(inputs, x, name=network.name)
    inputs, outputs = network.inputs, network.output
    if isinstance(outputs, list | tuple):
        named = dict(zip(network.output_names, outputs, strict=True))
        outputs = named if len(named) > 1 else outputs[0]
    return keras().Model(inputs[0] if len(inputs) == 1 else inputs, outputs, name=network.name)


def _read_config(path: Path) -> dict[str, Any]:
    beside = side_file(path, "config.json")
    if not beside.exists():
        return {}
    config = read_json(beside)
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ModelFileError(f"{beside}: format {FORMAT} is read, got {config!s:.60}")
    if config.get("network_sha256") not in (None, sha256_of(path)):
        raise ModelFileError(f"{beside}: describes another file than {path.name} (its sha256 differs)")
    return config


def _output_sizes(path: Path, network: Any) -> dict[str, int]:
    outputs = network.output
    if isinstance(outputs, Mapping):
        shapes = {str(head): tensor.shape for head, tensor in outputs.items()}
    else:
        shapes = {str(network.layers[-1].name): outputs.shape}
    if any(len(shape) != 2 or shape[1] is None or shape[1] < 2 for shape in shapes.values()):
        raise ModelFileError(f"{path}: each output must give 2 probabilities or more, got {shapes}")
    return {head: int(shape[1]) for head, shape in shapes.items()}


def _read_encoders(path: Path, sizes: Mapping[str, int]) -> dict[str, LabelEncoder]:
    native, pickled = side_file(path, "encoder.json"), side_file(path, "encoder.pkl")
    if native.exists():
        encoders = read_encoder_json(native)
        if set(encoders) != set(sizes):
            raise ModelFileError(f"{native}: names heads {sorted(encoders)}, the network has {sorted(sizes)}")
        return encoders
    encoders = {head: LabelEncoder(tuple(range(size))) for head, size in sizes.items()}
    if pickled.exists():
        encoders[main_head(sizes)] = read_encoder_pickle(pickled)
    return encoders


def _read_history(path: Path) -> dict[str, list[float]]:
    """The history, from JSON or a pickled dictionary; that of other programs is left out where unreadable."""
    native, pickled = side_file(path, "history.json"), side_file(path, "history.pkl")
    try:
        if native.exists():
            found = read_json(native)
        elif pickled.exists():
            found = inert_load(pickled, max_bytes=MAX_HISTORY_BYTES)
        else:
            return {}
        return {str(name): [float(v) for v in values] for name, values in found.items()}
    except InertError:
        return {}
    except (TypeError, ValueError, AttributeError, TrainingError) as error:
        raise ModelFileError(f"{native}: not a training history: {error!s:.80}") from error
