"""Electrode impedance of boards that can measure it: OpenBCI's Cyton and Ganglion.

Cyton: the ADS1299 sends 6 nA at 31.25 Hz through one electrode at a time, by its N pin; the impedance is
sqrt(2) Vrms / 6 nA less the 2.2 kOhm in series on the board (OpenBCI documentation, *Cyton impedance*; the
GUI computes the same). Ganglion: the board reports ohms in rows of its own.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from acquisition.headsets.brainflow_source import BrainFlowSource
from acquisition.port import SourceError, UnknownSourceError
from acquisition.signal import FloatArray, StreamInfo

CURRENT_A = 6e-9
SERIES_OHM = 2200.0
LEAD_OFF_HZ = 31.25
MEASURE_S = 2.0
SETTLE_S = 0.7
SILENT_S = 5.0
"""A board that sends nothing for so long is not measured any further."""
CYTON_LETTERS = "12345678QWERTYUI"
GOOD_OHM, POOR_OHM = 20e3, 100e3


@dataclass(frozen=True, slots=True)
class Impedance:
    """One electrode; infinity where nothing is connected."""

    channel: str
    ohm: float

    @property
    def verdict(self) -> str:
        """In words: good up to 20 kOhm, usable up to 100."""
        if self.ohm <= GOOD_OHM:
            return "good"
        return "usable" if self.ohm <= POOR_OHM else "poor: more gel, or press it on"


def cyton_ohm(samples_uv: FloatArray, rate_hz: float) -> float:
    """From samples (n,) taken while the current flows: the amplitude at 31.25 Hz, by its Fourier sum."""
    cycle = max(1, round(rate_hz / LEAD_OFF_HZ))
    samples_uv = samples_uv[: len(samples_uv) // cycle * cycle]
    times_s = np.arange(len(samples_uv)) / rate_hz
    centred = samples_uv - samples_uv.mean()
    wave = np.exp(-2j * np.pi * LEAD_OFF_HZ * times_s)
    amplitude_v = 2e-6 * float(np.abs((centred * wave).mean()))
    rms_v = amplitude_v / math.sqrt(2)
    return max(0.0, math.sqrt(2) * rms_v / CURRENT_A - SERIES_OHM)


def measure(
    board: str,
    options: Mapping[str, str],
    *,
    clock: Callable[[], float] = time.monotonic,
    measure_s: float = MEASURE_S,
    settle_s: float = SETTLE_S,
) -> Iterator[Impedance]:
    """Measure every electrode in turn. Raises ``UnknownSourceError`` for a board that cannot."""
    name = board.upper().removesuffix("_BOARD")
    if name not in ("CYTON", "CYTON_DAISY", "GANGLION", "GANGLION_NATIVE"):
        raise UnknownSourceError(f"source: {board} measures no impedance; Cyton and Ganglion do")
    source = BrainFlowSource(board, options)
    info = source.open()
    try:
        if name.startswith("CYTON"):
            for row, channel in enumerate(info.channels):
                yield Impedance(channel, _cyton(source, row, info.rate_hz, clock, (settle_s, measure_s)))
        else:
            yield from _ganglion(source, info, clock, measure_s)
    finally:
        source.close()


def _cyton(
    source: BrainFlowSource,
    row: int,
    rate_hz: float,
    clock: Callable[[], float],
    seconds: tuple[float, float],
) -> float:
    letter = CYTON_LETTERS[row]
    source.command(f"z{letter}01Z")
    try:
        settle, wanted = (round(part_s * rate_hz) for part_s in seconds)
        samples_uv, _ = _collect(source, clock, settle + wanted)
    finally:
        source.command(f"z{letter}00Z")
    return cyton_ohm(samples_uv[row, settle:], rate_hz)


def _ganglion(
    source: BrainFlowSource, info: StreamInfo, clock: Callable[[], float], measure_s: float
) -> Iterator[Impedance]:
    source.command("z")
    try:
        _, other = _collect(source, clock, round((SETTLE_S + 3 * measure_s) * info.rate_hz))
    finally:
        source.command("Z")
    rows = [info.extras.index(name) for name in info.extras if name.startswith("resistance_")]
    for channel, row in zip(info.channels, rows, strict=False):
        values = other[row][other[row] > 0]
        yield Impedance(channel, float(np.median(values)) if len(values) else math.inf)


def _collect(source: BrainFlowSource, clock: Callable[[], float], wanted: int) -> tuple[Any, Any]:
    """EEG and other rows of so many samples from now on; counted, for a busy machine gets them late.

    Raises ``SourceError`` when nothing comes.
    """
    source.poll(0.0)  # what waited is older than now
    eeg: list[FloatArray] = []
    other: list[FloatArray] = []
    heard_s = clock()
    while sum(part.shape[1] for part in eeg) < wanted:
        chunk = source.poll(0.05)
        if chunk is not None:
            heard_s = clock()
            eeg.append(chunk.samples_uv)
            if chunk.extras is not None:
                other.append(chunk.extras)
        elif clock() - heard_s > SILENT_S:
            raise SourceError("source: the board sent nothing while its impedance was measured")
    return np.concatenate(eeg, axis=1), np.concatenate(other, axis=1) if other else np.zeros((0, 0))
