"""Makes a probability mean what it says: gain and bias fitted on people nobody trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from acquisition.signal import FloatArray
from models.calm_engaged.network import SURE


def fit_gain(calm: Sequence[FloatArray], engaged: Sequence[FloatArray], steps: int = 200) -> float:
    """The gain for which ``SURE * tanh(gain * place)`` has the least cross-entropy (Platt 1999, slope only).

    ``calm`` and ``engaged`` hold each person's places on the axis; every person and state weighs the same.
    The bias stays 0: the threshold is the discriminant's own.
    """
    candidates = np.geomspace(0.005, 5.0, steps)
    losses = [_loss(gain, calm, engaged) for gain in candidates]
    return float(candidates[int(np.argmin(losses))])


def _loss(gain: float, calm: Sequence[FloatArray], engaged: Sequence[FloatArray]) -> float:
    total = 0.0
    for side, parts in ((1.0, calm), (-1.0, engaged)):
        for part in parts:
            if len(part):
                total += float(np.mean(np.logaddexp(0, side * SURE * np.tanh(gain * part))))
    return total
