"""A device's own running numbers, as its recorder wrote them: how far each sample is from the one before."""

from __future__ import annotations

import numpy as np

from acquisition.signal import FloatArray

REGULAR_SHARE = 0.6
"""Numbers of which fewer follow each other as most do, count nothing."""
PAIRED_SHARE = 0.3
MOST_NUMBERS = 256
MODULO = 256.0
"""Where a counter is not seen to begin anew often enough to tell."""


def counter_steps(counter: FloatArray) -> tuple[FloatArray, int] | None:
    """Places that each sample (n,) lies behind the one before (n - 1,), and after how many places the
    counter begins anew. None where the numbers do not count.

    The Cyton counts to 255, with a Daisy in twos, the Ganglion gives two samples one number.
    """
    numbers = np.round(counter)
    apart = np.diff(numbers)
    moved = apart[apart != 0]
    if not len(moved) or not np.isfinite(numbers).all() or numbers.min() < 0:
        return None
    step = _most(moved[moved > 0])
    if step < 1:
        return None
    falls = np.flatnonzero(apart < 0)
    drop = _most(apart[falls]) if len(falls) else 0.0
    modulo = step - drop if len(falls) and (apart[falls] == drop).mean() > 0.5 else MODULO
    each = 2 if float((apart == 0).mean()) > PAIRED_SHARE else 1
    groups = np.round((apart % modulo) / step)
    regular = np.isin(apart % modulo, (0.0, step) if each == 2 else (step,))
    if regular.mean() < REGULAR_SHARE:
        return None
    steps = np.maximum(1.0, groups) if each == 1 else _paired(numbers, groups)
    return steps, round(modulo / step) * each


def _paired(numbers: FloatArray, groups: FloatArray) -> FloatArray:
    """Steps (n - 1,) where most numbers are given twice: of those that came once, the second was lost.

    Some numbers are always given once (the Ganglion's 0): those lack nothing.
    """
    begins = np.concatenate([[0], np.flatnonzero(groups > 0) + 1])
    sizes = np.diff(np.append(begins, len(numbers)))
    named, which = np.unique(numbers[begins], return_inverse=True)
    usual = (
        np.array([np.median(sizes[which == i]) for i in range(len(named))])
        if len(named) <= MOST_NUMBERS
        else 2.0
    )
    lacking = np.maximum(0.0, np.broadcast_to(usual, len(named))[which] - sizes)
    steps = np.ones(len(groups))
    steps[begins[1:] - 1] += lacking[:-1] + 2 * (groups[begins[1:] - 1] - 1)
    return steps


def _most(values: FloatArray) -> float:
    if not len(values):
        return 0.0
    found, counts = np.unique(values, return_counts=True)
    return float(found[int(np.argmax(counts))])
