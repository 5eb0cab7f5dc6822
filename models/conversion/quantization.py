"""Smaller and faster files of a trained network: TensorFlow Lite in float, dynamic range, float16 and int8.

Conversion runs in a child process, since TensorFlow's converter can crash on a recurrent network.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from models.errors import ModelsError, TrainingError
from models.files.child import ChildError, run_child
from models.files.writing import read_json, sha256_of, whole_file

Variant = Literal["float", "dynamic", "float16", "int8"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
WANTED_AGREEMENT = 0.99
MAX_REPRESENTATIVE = 512
N_GOLDEN = 2
TIMEOUT_S = 900


@dataclass(frozen=True, slots=True)
class QuantizedFile:
    """One file. ``agreement`` is the share of examples with the label of the Keras network (worst head).

    ``max_error`` is the largest difference of a probability; ``p50_ms`` and ``p99_ms`` the time of one
    prediction on one thread of this machine; ``unrolled`` whether recurrent layers were unrolled.
    """

    variant: Variant
    path: str
    bytes: int
    sha256: str
    agreement: float
    max_error: float
    p50_ms: float
    p99_ms: float
    unrolled: bool
    golden: dict[str, list[list[float]]] = field(default_factory=dict, repr=False)
    """Answers by head to the first ``N_GOLDEN`` representative examples, for a check before use."""

    @property
    def faithful(self) -> bool:
        return self.agreement >= WANTED_AGREEMENT

    def as_json(self) -> dict[str, Any]:
        """Plain values for a card."""
        return asdict(self)


def check_variants(variants: Sequence[str]) -> None:
    """Raises ``TrainingError`` naming the first that there is not."""
    unknown = [variant for variant in variants if variant not in VARIANTS]
    if unknown:
        raise TrainingError(f"unknown variant {unknown[0]!r}: one of {', '.join(VARIANTS)}")


def quantize(
    network: Any,
    representative: Any,
    folder: Path,
    name: str,
    variants: Sequence[str] = VARIANTS,
) -> tuple[QuantizedFile, ...]:
    """Write ``folder/NAME_VARIANT.tflite`` of each variant and measure it on ``representative`` inputs.

    ``representative`` (n, *input_shape) are examples as they come in use: int8 takes its ranges from them.
    The files take one example at a time. Raises ``TrainingError`` for bad arguments, ``ModelsError`` where a
    conversion fails.
    """
    check_variants(variants)
    inputs = np.asarray(representative, np.float32)
    shape = tuple(network.input_shape[1:])
    if inputs.shape[1:] != shape or len(inputs) < 2 or not np.isfinite(inputs).all():
        raise TrainingError(
            f"representative data must be finite and of shape (n >= 2, {shape}), got {inputs.shape}"
        )
    work = Path(tempfile.mkdtemp(prefix="neuroplayer-quantize-"))
    try:
        network.save(work / "network.keras")
        np.save(work / "representative.npy", _spread(inputs))
        _run(work, variants, name)
        return tuple(
            _store_variant(work, variant, folder / f"{name}_{variant}.tflite") for variant in variants
        )
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _spread(inputs: Any) -> Any:
    """At most ``MAX_REPRESENTATIVE`` examples, evenly from all of them."""
    if len(inputs) <= MAX_REPRESENTATIVE:
        return inputs
    return inputs[np.linspace(0, len(inputs) - 1, MAX_REPRESENTATIVE).astype(np.intp)]


def _run(work: Path, variants: Sequence[str], name: str) -> None:
    try:
        run_child("models.conversion.quantization_child", [str(work), *variants], timeout_s=TIMEOUT_S)
    except ChildError as error:
        failed = next((v for v in variants if not (work / f"{v}.json").exists()), variants[-1])
        raise ModelsError(f"{name}: converting it to {failed} {error}") from None


def _store_variant(work: Path, variant: str, path: Path) -> QuantizedFile:
    with whole_file(path) as draft:
        shutil.copyfile(work / f"{variant}.tflite", draft)
    measured = read_json(work / f"{variant}.json")
    return QuantizedFile(path=str(path), bytes=path.stat().st_size, sha256=sha256_of(path), **measured)


def table(files: Sequence[QuantizedFile]) -> str:
    """The files as a Markdown table, sizes relative to the float file where there is one."""
    whole = next((file.bytes for file in files if file.variant == "float"), None)
    lines = [
        "| variant | KiB | of float | same label | largest difference | ms p50 | ms p99 |",
        "|---|---|---|---|---|---|---|",
    ]
    for file in files:
        share = f"{file.bytes / whole:.2f}" if whole else "-"
        lines.append(
            f"| {file.variant} | {file.bytes / 1024:.1f} | {share} | {file.agreement:.1%} "
            f"| {file.max_error:.4f} | {file.p50_ms:.3f} | {file.p99_ms:.3f} |"
        )
    return "\n".join(lines)
