"""Windows against the wearer's own rest, in the runs that networks read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acquisition.signal import BoolArray, FloatArray
from inference.baseline.baseline import Baseline, fit_baseline
from inference.offline import FeatureSequence

ROBUST_FROM_WINDOWS = 20
"""From so many windows of rest on, features are robust z-scores; with fewer only their mean at rest goes."""


def own_baseline(
    windows: FeatureSequence,
    rest_s: float,
    *,
    schema: str,
    channels: tuple[str, ...],
    population_scale: FloatArray | None = None,
) -> Baseline:
    """The live engine's baseline over the first ``rest_s`` seconds of these windows.

    ``population_scale`` (n_features,) is the spread of rest over people. Raises ``ValueError`` where fewer
    than four clean windows lie there.
    """
    return fit_baseline(
        windows.clean(0, rest_s),
        schema=schema,
        channels=channels,
        seconds=rest_s,
        population_scale=population_scale,
    )


def against_rest(
    windows: FeatureSequence, rest_s: float, *, schema: str, channels: tuple[str, ...]
) -> FloatArray:
    """All windows (n, n_features) against the first ``rest_s`` seconds of them, whatever the rest is worth.

    A masked feature reads as rest (0), as it does live; it stays NaN where there is no rest to read by.
    """
    rest = windows.clean(0, rest_s)
    if not len(rest):
        return windows.features
    if len(rest) >= ROBUST_FROM_WINDOWS:
        return own_baseline(windows, rest_s, schema=schema, channels=channels).z(windows.features)
    seen = np.isfinite(rest)
    mean = np.where(seen, rest, 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    known = np.isfinite(windows.features) & seen.any(axis=0)
    centred: FloatArray = np.where(known, windows.features - mean, 0.0)
    return centred


def filled_from_others(values: FloatArray, people: NDArray[np.str_]) -> FloatArray:
    """Values (n, ...) with what is masked (NaN) at the mean of the same person's other windows, or else of
    everyone's: in a set without rest that is what says least. ``people`` (n,) names each row's.
    """
    if np.isfinite(values).all():
        return values
    filled = values.copy()
    for rows in (*(people == person for person in np.unique(people)), np.ones(len(people), dtype=np.bool_)):
        part = filled[rows]
        seen = np.isfinite(part)
        mean = np.where(seen, part, 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
        filled[rows] = np.where(seen | ~seen.any(axis=0), part, mean)
    return np.nan_to_num(filled, nan=0.0)


def runs_of(
    windows: FeatureSequence, values: FloatArray, chosen: BoolArray, length: int, *, pad: bool = False
) -> FloatArray:
    """Every run (n, length, n_features) of chosen windows, from ``values`` (n_windows, n_features).

    As live, what was not chosen (n_windows,) is passed over and a gap begins anew. With ``pad`` what is
    shorter than ``length`` begins with its first window repeated.
    """
    runs = [np.zeros((0, length, values.shape[1]))]
    for gap in np.unique(windows.gaps[chosen]):
        part = values[chosen & (windows.gaps == gap)]
        if pad and len(part) < length:
            part = np.concatenate([np.repeat(part[:1], length - len(part), axis=0), part])
        runs.append(sequences(part, length))
    return np.concatenate(runs)


def sequences(windows: FloatArray, length: int, stride: int = 1) -> FloatArray:
    """Every ``stride``-th run of ``length`` consecutive windows, shape (n, length, n_features)."""
    if len(windows) < length:
        return np.zeros((0, length, windows.shape[1]))
    view = np.lib.stride_tricks.sliding_window_view(windows, length, axis=0)[::stride]
    return np.ascontiguousarray(np.moveaxis(view, 2, 1))
