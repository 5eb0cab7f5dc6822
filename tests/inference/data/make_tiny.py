"""Make the small network of this folder anew: run this file, with TensorFlow installed.

It reads a Muse headband's symmetric band features and says "engaged" for little alpha, learnt from invented
numbers. Tests need a real LiteRT file, float and int8, on machines without TensorFlow.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent / "tiny"
CHANNELS = ("TP9", "AF7", "AF8", "TP10")
N_FEATURES = 10


def main() -> None:
    """Write ``tiny/``."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(7)
    rng = np.random.default_rng(7)
    z = rng.normal(size=(4000, 1, N_FEATURES)).astype(np.float32)
    engaged = (z[:, 0, [2, 7]].sum(axis=1) + 0.7 * rng.normal(size=len(z)) < 0).astype(int)
    network = keras.Sequential(
        [
            keras.Input(batch_shape=(1, 1, N_FEATURES)),
            keras.layers.Conv1D(8, 1, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    trainable = keras.Sequential([keras.Input((1, N_FEATURES)), *network.layers])
    trainable.compile("adam", "sparse_categorical_crossentropy")
    trainable.fit(z, engaged, epochs=6, batch_size=64, verbose=0)
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    files = {"float": converter.convert(), "int8": _int8(tf, network, z)}
    (HERE).mkdir(exist_ok=True)
    for variant, content in files.items():
        (HERE / f"tiny_{variant}.tflite").write_bytes(content)
    _write_manifest(files, z[:8])


def _int8(tf: Any, network: Any, z: Any) -> bytes:
    def samples() -> Iterator[list[Any]]:
        for row in z[:300]:
            yield [row[np.newaxis]]

    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def _write_manifest(files: dict[str, bytes], inputs: Any) -> None:
    outputs = {variant: _run(content, inputs) for variant, content in files.items()}
    manifest = {
        "format": 1,
        "name": "tiny",
        "version": "1",
        "montage": "muse",
        "channels": CHANNELS,
        "substitutes": {"TP9": ["T7", "P7"], "TP10": ["T8", "P8"], "AF7": ["Fp1"], "AF8": ["Fp2"]},
        "rate_hz": 128.0,
        "window_s": 2.0,
        "hop_s": 0.5,
        "feature_schema": "symde5@1",
        "sequence_length": 1,
        "labels": ["calm", "engaged"],
        "temperature": 1.0,
        "evidence_s": 12.0,
        "baseline_s": 30.0,
        "population_scale": [0.4] * N_FEATURES,
        "population_centre": [1.5] * N_FEATURES,
        "files": {
            variant: {
                "path": f"tiny_{variant}.tflite",
                "sha256": hashlib.sha256(content).hexdigest(),
                "bytes": len(content),
            }
            for variant, content in files.items()
        },
        "golden": {
            "inputs": [[[round(float(v), 5) for v in step] for step in row] for row in inputs],
            "outputs": outputs,
            "tolerance": {"float": 0.001, "int8": 0.02},
        },
        "card": "card.json",
    }
    (HERE / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    card = {"name": "tiny", "note": "made for tests from invented numbers; it knows nothing of people"}
    (HERE / "card.json").write_text(json.dumps(card) + "\n")


def _run(content: bytes, inputs: Any) -> list[list[float]]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    given, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    rows = []
    for row in inputs:
        value = np.round(row, 5)[np.newaxis]
        scale, zero = given["quantization"]
        if scale:
            value = np.clip(np.round(value / scale) + zero, -128, 127).astype(np.int8)
        interpreter.set_tensor(given["index"], value.astype(given["dtype"]))
        interpreter.invoke()
        out = interpreter.get_tensor(answer["index"])[0].astype(np.float64)
        scale, zero = answer["quantization"]
        rows.append([round(float(v), 6) for v in ((out - zero) * scale if scale else out)])
    return rows


if __name__ == "__main__":
    main()
