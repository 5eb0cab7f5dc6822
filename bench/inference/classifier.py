"""The classifier wrapper against the bare LiteRT interpreter, on networks of the published size.

``python bench/inference/classifier.py`` with the extra ``train``: TensorFlow builds the networks, with random
weights, for their speed does not depend on what they know. Writes to bench/results/.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from measuring import in_turns, one_core, write  # noqa: E402

one_core()

import numpy as np  # noqa: E402

from inference.features.montages import DEAP_32  # noqa: E402
from inference.networks.litert_classifier import LiteRtClassifier  # noqa: E402
from inference.networks.manifest import read_manifest  # noqa: E402

LABELS = ("neutral", "happy", "sad", "relaxed", "focused")
N = 167
PUBLISHED_MS = {"cnn": 5.0, "cnn_bilstm": 10.0}
TARGET_MS = {("cnn", "float"): 0.15, ("cnn", "int8"): 0.07, ("cnn_bilstm", "float"): 0.6}


def build(architecture: str) -> Any:
    """The published layouts on (167, 1): 142 k and 305 k parameters, batch of one."""
    import keras

    layers = keras.layers
    x = inputs = keras.Input(batch_shape=(1, 1, N))
    x = layers.Reshape((N, 1))(x)
    for filters in (64, 128, 256) if architecture == "cnn" else (64, 128):
        x = layers.Conv1D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling1D(2)(x)
    if architecture == "cnn":
        x = layers.GlobalAveragePooling1D()(x)
        x = layers.Dense(64, activation="relu")(x)
    else:
        x = layers.Bidirectional(layers.LSTM(128))(x)
        x = layers.Dense(64, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(len(LABELS), activation="softmax")(x))


def convert(network: Any, variant: str) -> bytes:
    """Float, or full int8 with random representative inputs."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    if variant == "int8":

        def samples() -> Iterator[list[Any]]:
            rng = np.random.default_rng(0)
            for _ in range(64):
                yield [rng.normal(size=(1, 1, N)).astype(np.float32)]

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = samples
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def bare(content: bytes) -> tuple[Callable[[], Any], Callable[[Any], list[float]]]:
    """What anyone would write: set the input, invoke, get the output."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    given, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    values = np.random.default_rng(1).normal(size=(1, 1, N)).astype(np.float32)
    scale, zero = given["quantization"]

    def stored(x: Any) -> Any:
        if not scale:
            return x.astype(np.float32)
        return np.clip(np.round(x / scale) + zero, -128, 127).astype(np.int8)

    def run(x: Any = values) -> Any:
        interpreter.set_tensor(given["index"], stored(x))
        interpreter.invoke()
        return interpreter.get_tensor(answer["index"])

    def golden(x: Any) -> list[float]:
        out = run(x)[0].astype(np.float64)
        out_scale, out_zero = answer["quantization"]
        return [float(v) for v in ((out - out_zero) * out_scale if out_scale else out)]

    return run, golden


def wrapped(content: bytes, variant: str, folder: Path, golden: Callable[[Any], list[float]]) -> Any:
    """The product's classifier on a network stored as the product stores it."""
    given = np.random.default_rng(2).normal(size=(1, 1, N)).astype(np.float32).round(4)
    (folder / "x.tflite").write_bytes(content)
    manifest = {
        "format": 1,
        "name": "bench",
        "version": "1",
        "montage": "deap",
        "channels": DEAP_32,
        "substitutes": {},
        "rate_hz": 128.0,
        "window_s": 4.0,
        "hop_s": 0.5,
        "feature_schema": "deap167",
        "sequence_length": 1,
        "labels": LABELS,
        "temperature": 1.0,
        "evidence_s": 10.0,
        "baseline_s": 30.0,
        "population_scale": [],
        "population_centre": [],
        "card": "card.json",
        "files": {
            variant: {
                "path": "x.tflite",
                "sha256": hashlib.sha256(content).hexdigest(),
                "bytes": len(content),
            }
        },
        "golden": {
            "inputs": given.tolist(),
            "outputs": {variant: [golden(given)]},
            "tolerance": {variant: 0.01},
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return LiteRtClassifier(read_manifest(folder / "manifest.json"), variant)


def main() -> None:
    """Every network both ways, in turns."""
    document: dict[str, Any] = {}
    lines = [
        "167 features, five labels, one thread. Target: the wrapper's median. Published: what others say.",
        "",
        "| network | file | parameters | bare interpreter p50 | wrapper p50 | ratio | target | published |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for architecture, variant in (("cnn", "float"), ("cnn", "int8"), ("cnn_bilstm", "float")):
        network = build(architecture)
        content = convert(network, variant)
        run, golden = bare(content)
        with tempfile.TemporaryDirectory() as folder:
            classifier = wrapped(content, variant, Path(folder), golden)
            features = np.random.default_rng(1).normal(size=(1, N))
            ways = {"bare": run, "wrapper": lambda c=classifier, x=features: c.predict(x)}
            times = in_turns(ways, rounds=400, calls=5)
        ratio = round(times["wrapper"]["p50_us"] / times["bare"]["p50_us"], 2)
        target, published = TARGET_MS[architecture, variant], PUBLISHED_MS[architecture]
        kept = "kept" if times["wrapper"]["p50_us"] <= 1e3 * target else "missed"
        lines.append(
            f"| {architecture} | {variant}, {len(content) // 1024} KiB | {network.count_params()} "
            f"| {times['bare']['p50_us']} us | {times['wrapper']['p50_us']} us | {ratio} "
            f"| {target} ms: {kept} | {published:g} ms |"
        )
        document[f"{architecture}_{variant}"] = {**times, "ratio": ratio, "target_ms": target}
    write("inference_classifier", "Classifier wrapper against the bare interpreter", document, lines)


if __name__ == "__main__":
    main()
