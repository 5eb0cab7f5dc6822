"""Networks run by LiteRT (TensorFlow Lite): float or full int8, one interpreter, one thread."""

from __future__ import annotations

from typing import Any

import numpy as np

from acquisition.signal import FloatArray
from inference.networks.manifest import Manifest, read_verified
from inference.networks.stored_network import StoredNetwork, check_golden, checked_probabilities
from inference.port import ClassifierError, MissingRuntimeError


def load_interpreter() -> Any:
    """LiteRT's class; costs 0.2 s, so only where a network is used. Raises ``ClassifierError``."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except (ImportError, OSError, AttributeError) as error:
        raise MissingRuntimeError(
            "LiteRT is missing, so no network can run", "install the package ai-edge-litert anew"
        ) from error
    return Interpreter


class LiteRtClassifier(StoredNetwork):
    """One shipped network. Raises ``ClassifierError`` when the file is not what its manifest says."""

    def __init__(self, manifest: Manifest, variant: str = "float") -> None:
        Interpreter = load_interpreter()
        super().__init__(manifest, variant)
        content = read_verified(manifest, variant)
        try:
            self._interpreter = Interpreter(model_content=content, num_threads=1)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ClassifierError(f"{manifest.name}: LiteRT refuses the file: {error}") from error
        given, answer = self._interpreter.get_input_details()[0], self._interpreter.get_output_details()[0]
        self._check_shapes(given["shape"].tolist(), answer["shape"].tolist())
        self._input, self._output = _Tensor(given), _Tensor(answer)
        self._buffer = np.zeros((1, *self._wanted), dtype=given["dtype"])
        check_golden(manifest, variant, self.predict)

    def predict(self, features: FloatArray) -> FloatArray:
        """Probabilities (n_labels,) of features (sequence_length, n_features). Raises ``ClassifierError``."""
        self._check_features(features)
        interpreter = self._interpreter
        if interpreter is None:
            raise ClassifierError(f"{self._manifest.name}: it was closed")
        self._buffer[0] = self._input.encode(features)
        try:
            interpreter.set_tensor(self._input.index, self._buffer)
            interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise ClassifierError(f"{self._manifest.name}: LiteRT cannot run the file: {error}") from error
        answer = self._output.decode(interpreter.get_tensor(self._output.index)[0])
        return checked_probabilities(self._manifest.name, answer)

    def close(self) -> None:
        """Let go of the interpreter."""
        self._interpreter = None


class _Tensor:
    """Where a tensor stands in the interpreter, and how its numbers are stored."""

    def __init__(self, details: dict[str, Any]) -> None:
        self.index = int(details["index"])
        scale, self._zero = details["quantization"]
        self._scale = float(scale) if details["dtype"] != np.float32 else 0.0
        self._limits = np.iinfo(details["dtype"]) if self._scale else None

    def encode(self, values: FloatArray) -> Any:
        """Real numbers to what the tensor holds, before the cast to its type."""
        if self._limits is None:
            return values
        stored = np.rint(values * (1 / self._scale) + self._zero)
        np.maximum(stored, self._limits.min, out=stored)
        return np.minimum(stored, self._limits.max, out=stored)

    def decode(self, stored: Any) -> FloatArray:
        """What the tensor holds to real numbers."""
        values: FloatArray = stored.astype(np.float64)
        return values if self._limits is None else (values - self._zero) * self._scale
