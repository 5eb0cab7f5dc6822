"""Where each sample of a recording stands on its device's own count, by its stamps or by its counter.

The one rule of all formats. A device counts evenly by a clock of its own; what is lost leaves places empty.
Stamps tell of it, but they jitter, come in bursts, and may be set forward or back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from acquisition.grid.sample_counter import counter_steps
from acquisition.signal import FloatArray
from acquisition.stream.timeline import BRIDGE_S
from acquisition.units import stamp_unit_s

NEAR = 0.01
"""Crystals are within half a percent of what they are called: a pace further off is believed only of stamps
that are clean, or steady."""
STEADY = 0.015
"""Share by which the pace of four fifths of all stretches of two seconds may differ and be one rate."""
MOST_DOUBT = 0.001
"""Share of the pace that a regression may be wrong by to be believed."""
LAG_S = 2.0
LOOK_S = 0.5
"""So much before and behind a step is looked at to tell lost samples from a late burst."""
LEAST_LOOK, MOST_LOOK = 6, 64
CLEAN_PERIODS = 0.3
CLEAN_SHARE = 0.99
MOSTLY = 0.6
FEW = 16.0
"""Stamps are clean where so great a share lies within so much of a whole number of periods (if few), and most
lie one period apart."""
BURST_PERIODS = 0.4
"""Stamps nearer than that came together."""
LEAST_LOST = 0.75
"""A step of so many periods is a lost sample,"""
NOISES = 5.0
"""if it is so many times its doubt;"""
SUSPECT = 3.0
"""a stamp this many times the jitter behind its line is looked at."""
MAD_TO_SD = 1.4826
PASSES = 5
FOLLOW = 0.1
"""Share of what stays that is taken for the clock's own change."""
LOW_SHARE = 0.25
"""Samples come late, never early, so the lower edge is the truest."""
BACK_S = 0.25
"""Steps back by more are a clock that was set."""
NEIGHBOURS = 7
STRAY_PERIODS = 4.5
STRAY_AT_ENDS_S = 600.0
"""Single stamps so far from those around them are astray; at the ends a pause looks the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """``places`` (n,) whole numbers that rise, from 0; ``times_s`` (n,) the stamps, without clock settings;
    ``period_s`` between two places by the stamps, None where they tell nothing.
    """

    places: FloatArray
    times_s: FloatArray
    period_s: float | None


def mended_stamps_s(stamps: FloatArray, rate_hz: float) -> FloatArray:
    """Stamps (n,) in whatever unit as seconds, without single ones that are far from all around them."""
    n = len(stamps)
    if n < 2 * NEIGHBOURS:
        return stamps
    lag = max(1, min(round(LAG_S * rate_hz), n // 2))
    with np.errstate(over="ignore", invalid="ignore"):
        times_s = stamps * stamp_unit_s(float(np.median(stamps[lag:] - stamps[:-lag])) / lag, rate_hz)
        around_s = ndimage.median_filter(times_s, NEIGHBOURS, mode="mirror")
        away_s = np.abs(times_s - around_s)
    most_s = np.full(n, STRAY_PERIODS / rate_hz)
    most_s[: NEIGHBOURS // 2] = most_s[n - NEIGHBOURS // 2 :] = STRAY_AT_ENDS_S
    good = np.flatnonzero(~(away_s > most_s))
    if len(good) == n:
        return times_s
    places = np.arange(n)
    first, last = good[[0, -1]]
    mended: FloatArray = np.interp(places, good, times_s[good])
    mended += (np.minimum(places - first, 0) + np.maximum(places - last, 0)) / rate_hz
    return mended


def usual_period_s(times_s: FloatArray, rate_hz: float) -> float:
    """The pace of stamps (n,) of a device that samples at about ``rate_hz``; what is lost hardly moves it."""
    apart_s = np.diff(times_s)
    clean_s = _clean_period_s(apart_s, float(np.median(apart_s)))
    if clean_s is not None:
        return clean_s
    lag = max(1, min(round(LOOK_S * rate_hz), len(times_s) // 2))
    return float(np.percentile(times_s[lag:] - times_s[:-lag], 100 * LOW_SHARE)) / lag


def places_by_counter(counter: FloatArray, times_s: FloatArray, rate_hz: float) -> Places | None:
    """By the device's own numbers ``counter`` (n,); whole turns by the stamps (n,), where those rise."""
    found = counter_steps(counter)
    if found is None:
        return None
    steps, turn = found
    places = np.concatenate([[0.0], np.cumsum(steps)])
    if not _rises(times_s, rate_hz):
        return Places(places, places / rate_hz, None)
    period_s = _near_period_s(times_s, places, rate_hz)
    for at, by_s in _jumps(times_s, places * period_s, period_s).items():
        steps[at - 1] += max(0, round(by_s / period_s / turn)) * turn
    places = np.concatenate([[0.0], np.cumsum(steps)])
    times_s = _without_settings(times_s, places * period_s, period_s)
    begins = np.flatnonzero(steps > BRIDGE_S * rate_hz) + 1
    return Places(places, times_s, _near_period_s(times_s, places, rate_hz, begins.tolist()))


def places_by_stamps(times_s: FloatArray, rate_hz: float) -> Places:
    """By the stamps (n,) alone, of a device that is said to sample at ``rate_hz``."""
    places = np.arange(len(times_s), dtype=np.float64)
    if len(times_s) < 3 or not _rises(times_s, rate_hz):
        return Places(places, places / rate_hz, None)
    apart_s = np.diff(times_s)
    clean = _clean_period_s(apart_s, float(np.median(apart_s)))
    if clean is not None:
        return _by_differences(times_s, apart_s, clean)
    rate_hz = _steady_hz(times_s, rate_hz)
    begins: set[int] = set()
    for _ in range(PASSES):
        period_s = _near_period_s(times_s, places, rate_hz, sorted(begins))
        found = _jumps(times_s, places * period_s, period_s)
        new = {at for at, by_s in found.items() if by_s > 0} - begins
        if not new:
            break
        begins |= new
        period_s = _near_period_s(times_s, places, rate_hz, sorted(begins))
        places = _counted(times_s, sorted(begins), period_s)
    times_s = _without_settings(times_s, places * period_s, period_s)
    return Places(places, times_s, period_s)


def _counted(times_s: FloatArray, begins: list[int], period_s: float) -> FloatArray:
    """Places (n,) with as many left empty before each of ``begins`` as its stamps and all behind it say.

    What rounding leaves is carried on, so that a loss that is taken for one sample too few is made up for.
    """
    index = np.arange(len(times_s), dtype=np.float64)
    ends = _packet_ends(times_s, period_s)
    away_s = (times_s - index * period_s)[ends]
    parts = np.split(away_s, np.searchsorted(ends, begins))
    middles_s = [_low_s(part) if len(part) else np.nan for part in parts]
    missing = np.zeros(len(times_s))
    lost, off_s = 0, 0.0
    for at, middle_s in zip(begins, middles_s[1:], strict=True):
        beyond_s = middle_s - middles_s[0] - off_s
        if not np.isfinite(beyond_s):
            continue
        more = max(0, round(beyond_s / period_s) - lost)
        lost += more
        missing[at] = more
        off_s += FOLLOW * (beyond_s - lost * period_s)
    return index + np.cumsum(missing)


def _steady_hz(times_s: FloatArray, rate_hz: float) -> float:
    """The rate of the stamps where it is another one throughout; else what the device is said to have.

    Lost packets make it another one, too, but never as evenly, and not where none was lost.
    """
    lag = max(1, min(round(LAG_S * rate_hz), len(times_s) // 4))
    low_s, usual_s, high_s = np.percentile(times_s[lag:] - times_s[:-lag], (10, 50, 90)) / lag
    as_said = abs(low_s * rate_hz - 1) < NEAR
    return (
        1 / float(usual_s) if usual_s > 0 and high_s - low_s < STEADY * usual_s and not as_said else rate_hz
    )


def _near_period_s(
    times_s: FloatArray, places: FloatArray, rate_hz: float, begins: Sequence[int] = ()
) -> float:
    """The pace of the stamps between the losses, where they tell it and it can be the device's."""
    ends = _packet_ends(times_s, 1 / rate_hz)
    above = below = left = 0.0
    for part in np.split(ends, np.searchsorted(ends, begins)):
        if len(part) < 3:
            continue
        at, stamps_s = places[part] - places[part].mean(), times_s[part] - times_s[part].mean()
        above += float(at @ stamps_s)
        below += float(at @ at)
        left += float(stamps_s @ stamps_s)
    if not below:
        return 1 / rate_hz
    period_s = above / below
    doubt_s = np.sqrt(max(0.0, left - period_s * above) / below / len(ends))
    told = abs(period_s * rate_hz - 1) < NEAR and doubt_s * rate_hz < MOST_DOUBT
    return period_s if told else 1 / rate_hz


def _rises(times_s: FloatArray, rate_hz: float) -> bool:
    """Whether the stamps tell of time at all: some programs write one and the same to every row."""
    return bool(np.ptp(times_s) > 0.3 * len(times_s) / rate_hz)


def _clean_period_s(apart_s: FloatArray, usual_s: float) -> float | None:
    """The period of stamps that each say when a sample was; None where they jitter or come in bursts.

    Stamps that lie evenly within a chunk and jump between chunks are none: their rate is not the true one.
    """
    if usual_s <= 0:
        return None
    periods = apart_s / usual_s
    single = np.abs(periods - 1) < CLEAN_PERIODS
    near = np.abs(periods[periods < FEW] - np.round(periods[periods < FEW])) < CLEAN_PERIODS
    if single.mean() < MOSTLY or near.mean() < CLEAN_SHARE:
        return None
    return float(apart_s[single].mean())


def _by_differences(times_s: FloatArray, apart_s: FloatArray, period_s: float) -> Places:
    steps = np.maximum(1.0, np.round(apart_s / period_s))
    back = apart_s < -BACK_S
    times_s = times_s - np.concatenate([[0.0], np.cumsum(np.where(back, apart_s - period_s, 0.0))])
    places = np.concatenate([[0.0], np.cumsum(steps)])
    begins = np.flatnonzero(back | (steps > BRIDGE_S / period_s)) + 1
    return Places(places, times_s, _near_period_s(times_s, places, 1 / period_s, begins.tolist()))


def _jumps(times_s: FloatArray, line_s: FloatArray, period_s: float) -> dict[int, float]:
    """From which samples on stamps leave their line for good, and by how many seconds: forth or back."""
    ends = _packet_ends(times_s, period_s)
    away_s = (times_s - line_s)[ends]
    ahead_s = np.diff(away_s)
    if len(ahead_s) < 2:
        return {}
    noise_s = MAD_TO_SD * float(np.median(np.abs(ahead_s - np.median(ahead_s)))) / np.sqrt(2)
    look = int(np.clip(round(LOOK_S * len(ends) / (len(times_s) * period_s)), LEAST_LOOK, MOST_LOOK))
    least_s = LEAST_LOST * period_s
    suspects = np.abs(ahead_s) > max(0.5 * period_s, SUSPECT * noise_s)
    found: dict[int, float] = {}
    begin = 0
    for last in np.flatnonzero(suspects).tolist():
        before_s, behind_s = (
            away_s[max(begin, last + 1 - look) : last + 1],
            away_s[last + 1 : last + 1 + look],
        )
        doubt_s = NOISES * noise_s * np.sqrt(1 / len(before_s) + 1 / len(behind_s))
        by_s = _low_s(behind_s) - _low_s(before_s)
        if by_s > max(least_s, doubt_s):
            # the next loss may lie so near that it is seen from here as well
            found[int(ends[last]) + 1] = min(by_s, float(ahead_s[last]) + SUSPECT * noise_s)
            begin = last + 1
        elif by_s < -max(BACK_S, doubt_s) and ahead_s[last] < -BACK_S:
            found[int(ends[last]) + 1] = by_s
            begin = last + 1
    return found


def _packet_ends(times_s: FloatArray, period_s: float) -> NDArray[np.int64]:
    """The last samples of what came together: their stamps say most nearly when they were measured."""
    apart_s = np.diff(times_s)
    if np.median(np.abs(apart_s)) > BURST_PERIODS * period_s:
        return np.arange(len(times_s))
    return np.append(np.flatnonzero(np.abs(apart_s) > BURST_PERIODS * period_s), len(times_s) - 1)


def _low_s(part_s: FloatArray) -> float:
    place = int((len(part_s) - 1) * LOW_SHARE)
    return float(np.partition(part_s, place)[place])


def _without_settings(times_s: FloatArray, line_s: FloatArray, period_s: float) -> FloatArray:
    """Stamps with the steps back taken out: a clock that was set while the samples went on."""
    back = np.zeros(len(times_s))
    for at, by_s in _jumps(times_s, line_s, period_s).items():
        if by_s < 0:
            back[at] = by_s
    return times_s - np.cumsum(back)


__all__ = [
    "BRIDGE_S",
    "Places",
    "mended_stamps_s",
    "places_by_counter",
    "places_by_stamps",
    "usual_period_s",
]
