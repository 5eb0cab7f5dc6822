"""To TensorFlow Lite, in a process of its own: the converter may take its process down with it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from acquisition.signal import FloatArray
from models.calm_engaged.fisher import Direction
from models.calm_engaged.network import CalmEngaged
from models.errors import ModelsError

VARIANTS = ("float", "int8")
TIMEOUT_S = 300.0


def convert(network: CalmEngaged, representative: FloatArray) -> dict[str, bytes]:
    """The float and the full-int8 file; ``representative`` are sequences (n, length, n_features).

    Raises ``ModelsError`` when the converter fails.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(
            folder / "network.npz",
            weights=network.direction.weights,
            offset=network.direction.offset,
            gain=network.gain,
            ceiling=network.ceiling,
            length=network.sequence_length,
            representative=representative.astype(np.float32),
        )
        command = [sys.executable, "-m", "models.calm_engaged.conversion", name]
        try:
            done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired as error:
            raise ModelsError(f"the converter took more than {TIMEOUT_S:g} s") from error
        if done.returncode != 0:
            last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no word"]
            raise ModelsError(f"the converter ended with {done.returncode}: {last[0]:.300}")
        return {variant: (folder / f"{variant}.tflite").read_bytes() for variant in VARIANTS}


def _convert_here(folder: Path) -> None:
    with np.load(folder / "network.npz", allow_pickle=False) as held:
        direction = Direction(held["weights"], float(held["offset"]))
        network = CalmEngaged(direction, float(held["gain"]), float(held["ceiling"]), int(held["length"]))
        representative = held["representative"]
    model = network.keras_model()
    import tensorflow

    plain = tensorflow.lite.TFLiteConverter.from_keras_model(model)
    (folder / "float.tflite").write_bytes(plain.convert())
    whole = tensorflow.lite.TFLiteConverter.from_keras_model(model)
    whole.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    whole.representative_dataset = lambda: ([run[np.newaxis]] for run in representative)
    whole.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]
    whole.inference_input_type = whole.inference_output_type = tensorflow.int8
    (folder / "int8.tflite").write_bytes(whole.convert())


if __name__ == "__main__":
    _convert_here(Path(sys.argv[1]))
