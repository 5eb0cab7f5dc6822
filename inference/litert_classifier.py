"""Networks run by LiteRT (TensorFlow Lite): float or full int8, one interpreter, one thread."""

from __future__ import annotations

from typing import Any

import numpy as np

from acquisition.signal import FloatArray
from inference.emotion import ModelId
from inference.model_store import Manifest, read_verified
from inference.port import ClassifierError

SUM_TOLERANCE = 0.02


class LiteRtClassifier:
    """One shipped network. Raises ``ClassifierError`` when the file is not what its manifest says."""

    def __init__(self, manifest: Manifest, variant: str = "float") -> None:
        from ai_edge_litert.interpreter import Interpreter  # costs 0.2 s: only where a network is used

        self._manifest, self._variant = manifest, variant
        content = read_verified(manifest, variant)
        try:
            self._interpreter = Interpreter(model_content=content, num_threads=1)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ClassifierError(f"{manifest.name}: LiteRT refuses the file: {error}") from error
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]
        self._check_shapes()
        self._check_golden()

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    @property
    def model_id(self) -> ModelId:
        return ModelId(self._manifest.name, self._manifest.files[self._variant].sha256)

    @property
    def channels(self) -> tuple[str, ...]:
        return self._manifest.channels

    @property
    def feature_schema(self) -> str:
        return self._manifest.feature_schema

    @property
    def labels(self) -> tuple[str, ...]:
        return self._manifest.labels

    @property
    def sequence_length(self) -> int:
        return self._manifest.sequence_length

    def predict(self, features: FloatArray) -> FloatArray:
        """Probabilities (n_labels,) of features (sequence_length, n_features)."""
        wanted = (self._manifest.sequence_length, self._manifest.n_features)
        if features.shape != wanted:
            raise ClassifierError(f"{self._manifest.name}: wants features {wanted}, got {features.shape}")
        self._interpreter.set_tensor(self._input["index"], _encode(features[np.newaxis], self._input))
        self._interpreter.invoke()
        raw = self._interpreter.get_tensor(self._output["index"])[0]
        return self._checked(_decode(raw, self._output))

    def close(self) -> None:
        """Let go of the interpreter."""
        self._interpreter = None

    def _checked(self, probabilities: FloatArray) -> FloatArray:
        name = self._manifest.name
        if not np.isfinite(probabilities).all():
            raise ClassifierError(f"{name}: the network's answer is not finite")
        total = float(probabilities.sum())
        if abs(total - 1) > SUM_TOLERANCE or probabilities.min() < -1e-6:
            raise ClassifierError(f"{name}: the network's probabilities sum to {total:.3f}, not 1")
        result: FloatArray = np.maximum(probabilities, 0) / probabilities.sum()
        return result

    def _check_shapes(self) -> None:
        manifest = self._manifest
        wanted = [1, manifest.sequence_length, manifest.n_features]
        got = self._input["shape"].tolist()
        if got != wanted:
            raise ClassifierError(f"{manifest.name}: the manifest says input {wanted}, the file has {got}")
        outputs = self._output["shape"].tolist()
        if outputs != [1, len(manifest.labels)]:
            raise ClassifierError(
                f"{manifest.name}: the manifest has {len(manifest.labels)} labels, the file gives {outputs}"
            )

    def _check_golden(self) -> None:
        golden = self._manifest.golden
        tolerance = golden.tolerance.get(self._variant, 1e-3)
        for given, expected in zip(golden.inputs, golden.outputs.get(self._variant, []), strict=False):
            got = self.predict(np.asarray(given, dtype=np.float64))
            error = float(np.abs(got - np.asarray(expected)).max())
            if error > tolerance:
                raise ClassifierError(
                    f"{self._manifest.name}: golden vectors differ by {error:.4f}, allowed {tolerance:g}"
                )


def _encode(values: FloatArray, tensor: dict[str, Any]) -> Any:
    scale, zero = tensor["quantization"]
    if tensor["dtype"] == np.float32 or scale == 0:
        return values.astype(tensor["dtype"])
    limits = np.iinfo(tensor["dtype"])
    return np.clip(np.round(values / scale) + zero, limits.min, limits.max).astype(tensor["dtype"])


def _decode(values: Any, tensor: dict[str, Any]) -> FloatArray:
    scale, zero = tensor["quantization"]
    if tensor["dtype"] == np.float32 or scale == 0:
        return np.asarray(values, dtype=np.float64)
    result: FloatArray = (values.astype(np.float64) - zero) * scale
    return result
