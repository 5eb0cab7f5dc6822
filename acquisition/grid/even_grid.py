"""Lays what a reader found on the even grid of its nominal rate, at the times at which it was measured.

The device's clock is followed: its rate is the regression of the stamps over its own count between the gaps,
and slow changes of it are taken up block by block. What lies between two samples is interpolated by splines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from acquisition.grid.recording import Measured, Recording, check_rate, check_samples, check_span
from acquisition.grid.sample_places import (
    BRIDGE_S,
    Places,
    mended_stamps_s,
    places_by_counter,
    places_by_stamps,
    usual_period_s,
)
from acquisition.port import UnknownSourceError
from acquisition.signal import FloatArray, StreamInfo

RATE_TOLERANCE = 0.1
KNOT_S = 2.0
"""Over so much the median of the stamps is taken to follow the device's clock."""
SLOW_BLOCKS = 15
"""A clock changes slowly: over so many blocks its changes are smoothed."""
MOST_LEFT = 2.0
"""Places by which blocks may lie off that: beyond it something was lost that the stamps hide."""
ON_THE_GRID = 0.02
"""Samples this near to the grid, in places, are taken as they are."""
BESIDE = 0.1
"""A stretch reaches this far beyond its first and last sample, in places."""
SPLINE = 5
BEYOND = 12


@dataclass(frozen=True, slots=True, eq=False)
class _Clock:
    """One stretch without a gap: samples ``begin`` to ``end``, and knots that tie places to seconds."""

    begin: int
    end: int
    knot_places: FloatArray
    knot_s: FloatArray


def lay_evenly(measured: Measured) -> Recording:
    """The recording on its even grid. Raises ``UnknownSourceError`` naming file, rule and value."""
    path, n_channels = measured.path, measured.samples_uv.shape[0]
    if n_channels != len(measured.channels) or not measured.channels:
        raise UnknownSourceError(f"{path}: {len(measured.channels)} names for {n_channels} rows of samples")
    for rate_hz in measured.rates_hz:
        check_rate(path, rate_hz)
    check_samples(path, n_channels, measured.samples_uv.shape[1])
    if measured.lost is not None:
        return _with_lost(measured)
    if measured.times_s is not None or measured.counter is not None:
        samples_uv, rate_hz = _placed(measured)
    else:
        samples_uv, rate_hz = measured.samples_uv, measured.rates_hz[0]
    n_samples = samples_uv.shape[1]
    if n_samples < rate_hz:
        raise UnknownSourceError(f"{path}: at least one second of samples is needed, got {n_samples} samples")
    info = StreamInfo(
        f"replay:{path}",
        measured.device,
        measured.channels,
        rate_hz,
        simulated=measured.simulated,
        identity=path.name,
    )
    return Recording(info, np.ascontiguousarray(samples_uv), np.arange(n_samples) / rate_hz)


def _with_lost(measured: Measured) -> Recording:
    """The marks of lost samples are laid on the grid as a channel more."""
    rows = np.vstack([measured.samples_uv, np.asarray(measured.lost, dtype=np.float64)])
    laid = lay_evenly(replace(measured, samples_uv=rows, lost=None, channels=(*measured.channels, "lost")))
    info = replace(laid.info, channels=measured.channels)
    return replace(laid, info=info, samples_uv=laid.samples_uv[:-1], lost=np.round(laid.samples_uv[-1]) == 1)


def _placed(measured: Measured) -> tuple[FloatArray, float]:
    if measured.times_s is None:
        stamps_s = np.zeros(measured.samples_uv.shape[1])
    else:
        measured = _usable(measured, measured.times_s)
        stamps_s = measured.times_s if measured.times_s is not None else np.zeros(0)
    rate_hz = _rate(measured, stamps_s)
    found = places_by_counter(measured.counter, stamps_s, rate_hz) if measured.counter is not None else None
    found = found or places_by_stamps(stamps_s, rate_hz)
    return _on_grid(measured.path, found, measured.samples_uv, rate_hz), rate_hz


def _usable(measured: Measured, stamps: FloatArray) -> Measured:
    """With stamps in seconds, and without the samples whose stamp is no number.

    Raises ``UnknownSourceError`` for too few samples, and for stamps that fall.
    """
    usable = np.isfinite(stamps)
    if usable.sum() < 3:
        raise UnknownSourceError(f"{measured.path}: no rows with time stamps")
    if not usable.all():
        counter = measured.counter[usable] if measured.counter is not None else None
        samples_uv, stamps = measured.samples_uv[:, usable], stamps[usable]
        measured = replace(measured, samples_uv=samples_uv, counter=counter)
    times_s = mended_stamps_s(stamps, measured.rates_hz[0])
    if np.median(np.diff(times_s[:: max(1, len(times_s) // 100)])) < 0:
        raise UnknownSourceError(
            f"{measured.path}: time stamps must rise, got {times_s[0]:g} .. {times_s[-1]:g}"
        )
    return replace(measured, times_s=times_s)


def _rate(measured: Measured, stamps_s: FloatArray) -> float:
    """The nominal rate; of several the one that the stamps are nearest to."""
    if len(measured.rates_hz) == 1:
        return measured.rates_hz[0]
    period_s = usual_period_s(stamps_s, measured.rates_hz[0])
    if period_s <= 0:
        raise UnknownSourceError(
            f"{measured.path}: time stamps must rise, got {stamps_s[0]:g} .. {stamps_s[-1]:g}"
        )
    pace_hz = 1 / period_s
    rate_hz = min(measured.rates_hz, key=lambda known: abs(known - pace_hz))
    if abs(rate_hz - pace_hz) / rate_hz > RATE_TOLERANCE:
        known = " or ".join(f"{rate:g}" for rate in measured.rates_hz)
        raise UnknownSourceError(
            f"{measured.path}: {measured.kind} samples at {known} Hz, the stamps give {pace_hz:.1f}"
        )
    return rate_hz


def _on_grid(path: Path, found: Places, samples_uv: FloatArray, rate_hz: float) -> FloatArray:
    stretches = _stretches(found, rate_hz)
    period_s = _period_s(found, rate_hz)
    clocks = [_clock(found, begin, end, period_s, rate_hz) for begin, end in stretches]
    first_s, last_s = float(clocks[0].knot_s[0]), max(float(clock.knot_s[-1]) for clock in clocks)
    n_grid = np.floor((last_s - first_s) * rate_hz + BESIDE) + 1
    check_span(path, len(samples_uv), samples_uv.shape[1], n_grid, rate_hz)
    grid = np.full((len(samples_uv), int(n_grid)), np.nan)
    taken = 0
    for clock in clocks:
        at = _grid_of(clock, first_s, rate_hz, taken)
        if len(at):
            taken = int(at[-1]) + 1
            part = slice(clock.begin, clock.end)
            wanted = np.interp(first_s + at / rate_hz, clock.knot_s, clock.knot_places)
            _between(samples_uv[:, part], found.places[part], wanted, grid[:, at[0] : taken])
    return grid


def _stretches(found: Places, rate_hz: float) -> list[tuple[int, int]]:
    """Begin and end of what lies between gaps too long to count over."""
    wide = np.flatnonzero(np.diff(found.places) - 1 > BRIDGE_S * rate_hz) + 1
    edges = [0, *wide.tolist(), len(found.places)]
    return list(pairwise(edges))


def _period_s(found: Places, rate_hz: float) -> float:
    """The device's own period; the nominal one where that makes no difference."""
    if found.period_s is None or abs(found.period_s - 1 / rate_hz) * found.places[-1] < ON_THE_GRID / rate_hz:
        return 1 / rate_hz
    return found.period_s


def _blocks(values: FloatArray, size: int) -> FloatArray:
    """Medians of whole blocks, the last one with what remains."""
    whole = len(values) // size
    rows = values[: (whole - 1) * size].reshape(-1, size)
    medians = np.median(rows, axis=1) if len(rows) else np.zeros(0)
    return np.append(medians, np.median(values[(whole - 1) * size :]))


def _clock(found: Places, begin: int, end: int, period_s: float, rate_hz: float) -> _Clock:
    places, times_s = found.places[begin:end], found.times_s[begin:end]
    away_s = times_s - places * period_s
    size = round(KNOT_S * rate_hz)
    if len(places) < 2 * size:
        knots, offsets_s = places[[0, -1]], np.full(2, np.median(away_s))
    else:
        middles, medians_s = _blocks(places, size), _smoothed(_blocks(away_s, size), rate_hz)
        knots = np.concatenate([places[:1], middles, places[-1:]])
        offsets_s = np.concatenate([medians_s[:1], medians_s, medians_s[-1:]])
    if len(places) == 1:
        knots, offsets_s = knots[:1], offsets_s[:1]
    return _Clock(begin, end, knots, knots * period_s + offsets_s)


def _smoothed(medians_s: FloatArray, rate_hz: float) -> FloatArray:
    """How far the clock is off its line: its slow changes, or every block where those leave too much."""
    slow_s: FloatArray = ndimage.uniform_filter1d(medians_s, SLOW_BLOCKS, mode="nearest")
    if np.abs(slow_s - slow_s.mean()).max() * rate_hz < ON_THE_GRID:
        slow_s = np.full(len(medians_s), slow_s.mean())
    left_s = np.abs(medians_s - slow_s)
    return slow_s if np.percentile(left_s, 90) * rate_hz < MOST_LEFT else medians_s


def _grid_of(clock: _Clock, first_s: float, rate_hz: float, taken: int) -> NDArray[np.int64]:
    """The places of the grid that this stretch fills, and no earlier one has."""
    begin = np.ceil((clock.knot_s[0] - first_s) * rate_hz - BESIDE)
    end = np.floor((clock.knot_s[-1] - first_s) * rate_hz + BESIDE)
    return np.arange(max(taken, int(begin)), int(end) + 1)


def _between(samples_uv: FloatArray, places: FloatArray, wanted: FloatArray, out: FloatArray) -> None:
    """Write to ``out`` (n_channels, m) what samples (n_channels, n) at ``places`` (n,) are at ``wanted``.

    NaN stands where no sample is near.
    """
    at = (places - places[0]).astype(np.int64)
    length = int(at[-1]) + 1
    wanted = wanted - places[0]
    nearest = np.clip(np.round(wanted), 0, length - 1).astype(np.int64)
    exact = bool((np.abs(wanted - nearest) < ON_THE_GRID).all())
    for row, values in zip(out, samples_uv, strict=True):
        line = np.full(length, np.nan)
        line[at] = values
        row[:] = line[nearest] if exact else _spline(line, wanted)
        if not exact:
            row[np.isnan(line[nearest])] = np.nan


def _spline(line: FloatArray, wanted: FloatArray) -> FloatArray:
    known = np.flatnonzero(np.isfinite(line))
    if not len(known):
        return np.full(len(wanted), np.nan)
    if len(known) < len(line):
        line = np.interp(np.arange(len(line)), known, line[known])
    if len(line) <= BEYOND:
        return np.interp(wanted, np.arange(len(line)), line)
    # what lies beyond the ends is taken to go on as it came
    longer = np.pad(line, BEYOND, mode="reflect", reflect_type="odd")
    at = wanted[np.newaxis] + BEYOND
    curve: FloatArray = ndimage.map_coordinates(longer, at, order=SPLINE, mode="mirror")
    return curve
