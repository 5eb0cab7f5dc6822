"""Evidence: a network's answers over the last seconds, told as one logit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from acquisition.signal import FloatArray
from models.datasets.against_rest import sequences

HORIZONS_S: Mapping[str, float] = MappingProxyType({"window": 0.0, "10s": 10.0, "30s": 30.0})
"""Names of the lengths of evidence that figures are quoted for; ``window`` is one window alone."""

LogitFunction = Callable[[FloatArray], FloatArray]
"""Sequences of windows (n, sequence_length, n_features) to log-odds of being engaged (n,)."""


def windows_in(horizon_s: float, window_s: float, hop_s: float) -> int:
    """How many windows lie wholly inside the last ``horizon_s`` seconds; at least one."""
    return 1 if horizon_s <= window_s else int((horizon_s - window_s) / hop_s + 1e-9) + 1


def evidence_logits(windows: FloatArray, logit: LogitFunction, length: int, n_windows: int) -> FloatArray:
    """Log-odds from each run of ``n_windows`` windows of z-scores (n, n_features), and from nothing else.

    A network that wants a longer sequence than the evidence hears the oldest window again, as the engine
    does after its start; with more evidence than one sequence the logits are averaged.
    """
    if len(windows) < n_windows:
        return np.zeros(0)
    if n_windows < length:
        runs = sequences(windows, n_windows)
        padding = np.repeat(runs[:, :1], length - n_windows, axis=1)
        return logit(np.concatenate([padding, runs], axis=1))
    return moving_mean(logit(sequences(windows, length)), n_windows - length + 1)


def moving_mean(values: FloatArray, n: int) -> FloatArray:
    """Mean of every ``n`` consecutive values (m,), shape (m - n + 1,); empty where there are fewer."""
    if len(values) < n:
        return np.zeros(0)
    total = np.concatenate([[0.0], np.cumsum(values)])
    result: FloatArray = (total[n:] - total[:-n]) / n
    return result
