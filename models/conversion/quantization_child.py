"""Conversions: ``python -m models.conversion.quantization_child FOLDER VARIANT ...``.

Reads ``network.keras`` and ``representative.npy`` in FOLDER, writes ``VARIANT.tflite`` and ``VARIANT.json``.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.conversion.quantization import N_GOLDEN
from models.files.writing import write_json
from models.networks.keras_backend import copy_weights, keras
from models.training.training import probabilities

RECURRENT = ("LSTM", "GRU", "Bidirectional")
TIMED = 200


def for_one_example(network: Any, *, unroll: bool) -> Any:
    """The same network for a batch of 1, which recurrent layers need; ``unroll`` replaces their loops."""

    def copy(layer: Any) -> Any:
        config = layer.get_config()
        name = type(layer).__name__
        if unroll and name == "Bidirectional":
            for side in ("layer", "backward_layer"):
                if config.get(side):
                    config[side]["config"]["unroll"] = True
        elif unroll and name in RECURRENT:
            config["unroll"] = True
        return type(layer).from_config(config)

    inputs = keras().Input(batch_shape=(1, *network.input_shape[1:]), name="eeg")
    twin = keras().models.clone_model(network, input_tensors=inputs, clone_function=copy)
    copy_weights(network, twin)
    return twin


def convert(network: Any, variant: str, representative: NDArray[np.float32]) -> bytes:
    """The TensorFlow Lite file of a network for one example; ``representative`` is (n, *input_shape)."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    if variant != "float":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if variant == "int8":

        def examples() -> Iterator[list[NDArray[np.float32]]]:
            for example in representative:
                yield [example[np.newaxis]]

        converter.representative_dataset = examples
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    content: bytes = converter.convert()
    return content


class Runner:
    """A TensorFlow Lite file that answers by head, whatever numbers it computes in."""

    def __init__(self, content: bytes) -> None:
        import tensorflow as tf

        self._interpreter = tf.lite.Interpreter(model_content=content, num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        signature = self._interpreter.get_signature_runner()
        self._outputs = signature.get_output_details()

    def __call__(self, example: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
        """Probabilities (n_classes,) by output of one example (*input_shape,)."""
        scale, zero = self._input["quantization"]
        given = example[np.newaxis]
        if self._input["dtype"] == np.int8:
            given = np.clip(np.round(given / scale) + zero, -128, 127).astype(np.int8)
        self._interpreter.set_tensor(self._input["index"], given)
        self._interpreter.invoke()
        return {name: self._answer(tensor) for name, tensor in self._outputs.items()}

    def _answer(self, tensor: Any) -> NDArray[np.float64]:
        values = np.asarray(self._interpreter.get_tensor(tensor["index"])[0], np.float64)
        scale, zero = tensor["quantization"]
        return (values - zero) * scale if tensor["dtype"] == np.int8 else values


def measure(content: bytes, network: Any, inputs: NDArray[np.float32]) -> dict[str, Any]:
    """Agreement with the Keras network on inputs (n, *input_shape), largest difference, time of one
    prediction, and golden answers.
    """
    runner = Runner(content)
    wanted = probabilities(network, inputs)
    answers = [runner(example) for example in inputs]
    only = next(iter(answers[0]))
    names = {head: head if len(wanted) > 1 else only for head in wanted}
    agreement, error = 1.0, 0.0
    for head, name in names.items():
        told = np.stack([answer[name] for answer in answers])
        agreement = min(agreement, float(np.mean(told.argmax(axis=1) == wanted[head].argmax(axis=1))))
        error = max(error, float(np.abs(told - wanted[head]).max()))
    times = []
    for i in range(TIMED):
        began = time.perf_counter()
        runner(inputs[i % len(inputs)])
        times.append(1e3 * (time.perf_counter() - began))
    p50, p99 = np.percentile(times[TIMED // 10 :], (50, 99))
    return {
        "agreement": agreement,
        "max_error": error,
        "p50_ms": float(p50),
        "p99_ms": float(p99),
        "golden": {
            head: [answer[name].round(5).tolist() for answer in answers[:N_GOLDEN]]
            for head, name in names.items()
        },
    }


def main(arguments: Sequence[str]) -> None:
    """Convert and measure each variant; the folder holds those that are done."""
    warnings.simplefilter("ignore")
    folder = Path(arguments[0])
    network = keras().models.load_model(folder / "network.keras", compile=False)
    inputs = np.load(folder / "representative.npy", allow_pickle=False)
    for variant in arguments[1:]:
        _one(folder, variant, network, inputs)


def _one(folder: Path, variant: str, network: Any, inputs: NDArray[np.float32]) -> None:
    """Loops of recurrent layers are unrolled for int8, and for others where they cannot run as loops."""
    recurrent = any(type(layer).__name__ in RECURRENT for layer in network.layers)
    ways = (True,) if recurrent and variant == "int8" else (False, True) if recurrent else (False,)
    for unroll in ways:
        try:
            content = convert(for_one_example(network, unroll=unroll), variant, inputs)
            figures = measure(content, network, inputs)
            break
        except (RuntimeError, ValueError) as error:
            if unroll == ways[-1]:
                raise SystemExit(f"{variant}: {' '.join(str(error).split()):.200}") from error
    (folder / f"{variant}.tflite").write_bytes(content)
    write_json(folder / f"{variant}.json", figures | {"variant": variant, "unrolled": unroll})


if __name__ == "__main__":
    main(sys.argv[1:])
