"""The network that ships to TensorFlow Lite: as ``models.conversion`` does it, built inside the child."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from acquisition.signal import FloatArray
from models.calm_engaged.fisher import Direction
from models.calm_engaged.network import CalmEngaged
from models.conversion.manifest_writing import VARIANTS
from models.conversion.quantization import TIMEOUT_S
from models.conversion.quantization_child import convert as to_tflite
from models.errors import ModelsError
from models.files.child import ChildError, run_child


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
        try:
            run_child("models.calm_engaged.conversion", [name], timeout_s=TIMEOUT_S)
        except ChildError as error:
            raise ModelsError(f"the converter {error}") from error
        return {variant: (folder / f"{variant}.tflite").read_bytes() for variant in VARIANTS}


def _convert_here(folder: Path) -> None:
    with np.load(folder / "network.npz", allow_pickle=False) as held:
        direction = Direction(held["weights"], float(held["offset"]))
        network = CalmEngaged(direction, float(held["gain"]), float(held["ceiling"]), int(held["length"]))
        representative = held["representative"]
    model = network.keras_model()
    for variant in VARIANTS:
        (folder / f"{variant}.tflite").write_bytes(to_tflite(model, variant, representative))


if __name__ == "__main__":
    _convert_here(Path(sys.argv[1]))
