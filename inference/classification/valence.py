"""The wearer's own reading of pleasant against unpleasant: a small dense network from JSON, or nothing.

Valence does not transfer across people, so there is no shipped one. A wearer's calibration stores what it
learnt together with how it did on music it was not trained on; a file that does not beat guessing is refused.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path

import msgspec
import numpy as np

from acquisition.signal import FloatArray
from inference.port import ClassifierError

MAX_BYTES = 2_000_000
MAX_HIDDEN = 256
ALPHA = 0.05
CHANCE = 0.5


class ValenceNetwork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Normalisation, one hidden layer of ReLU, the log-odds of "pleasant", and the proof it was kept for.

    ``hidden`` is (n_features, n_hidden), ``output`` (n_hidden,). ``windows`` consecutive z-scored windows are
    averaged before they are read.
    """

    format: int
    feature_schema: str
    channels: tuple[str, ...]
    window_s: float
    hop_s: float
    windows: int
    mean: list[float]
    scale: list[float]
    hidden: list[list[float]]
    hidden_bias: list[float]
    output: list[float]
    output_bias: float
    balanced_accuracy: float
    p_value: float
    pieces: int


class ValenceReader:
    """Reads one stream's z-scores. Raises ``ClassifierError`` for a network that may not be used."""

    def __init__(self, network: ValenceNetwork) -> None:
        _check(network)
        self.network = network
        self._mean, self._scale = np.array(network.mean), np.array(network.scale)
        self._hidden, self._hidden_bias = np.array(network.hidden), np.array(network.hidden_bias)
        self._output = np.array(network.output)
        self._recent: deque[FloatArray] = deque(maxlen=network.windows)

    def forget(self) -> None:
        """Drop the windows heard, as after a gap."""
        self._recent.clear()

    def logit(self, z: FloatArray) -> float:
        """Log-odds of "pleasant" after one more window's z-scores (n_features,)."""
        self._recent.append(z)
        middle = (np.mean(self._recent, axis=0) - self._mean) / self._scale
        hidden = np.maximum(middle @ self._hidden + self._hidden_bias, 0)
        return float(np.clip(hidden @ self._output + self.network.output_bias, -20, 20))


def read_valence(path: Path) -> ValenceReader:
    """Read one stored file. Raises ``ClassifierError`` naming the file and the rule."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ClassifierError(f"{path}: at most {MAX_BYTES} bytes")
        return ValenceReader(msgspec.json.decode(path.read_bytes(), type=ValenceNetwork))
    except (OSError, msgspec.MsgspecError, ValueError, ClassifierError) as error:
        raise ClassifierError(f"{path}: {error}") from error


def _check(network: ValenceNetwork) -> None:
    n, hidden = len(network.mean), len(network.hidden_bias)
    proof = f"accuracy {network.balanced_accuracy:.2f}, p {network.p_value:.3f}"
    rules = (
        (network.format == 1, f"format must be 1, got {network.format}"),
        (0 < hidden <= MAX_HIDDEN, f"1-{MAX_HIDDEN} hidden units, got {hidden}"),
        (1 <= network.windows <= 256, f"windows must be 1-256, got {network.windows}"),
        (len(network.scale) == len(network.hidden) == n, f"{n} means need as many scales and hidden rows"),
        (all(len(row) == hidden for row in network.hidden), f"every hidden row needs {hidden} weights"),
        (len(network.output) == hidden, f"output needs {hidden} weights, got {len(network.output)}"),
        (min(network.scale, default=0.0) > 0, "scales must be above 0"),
        (
            network.balanced_accuracy > CHANCE and network.p_value <= ALPHA,
            f"valence must beat chance on held-out pieces: {proof}",
        ),
    )
    broken = next((rule for kept, rule in rules if not kept), None)
    if broken is not None:
        raise ClassifierError(broken)
