"""A recording in memory, whatever file it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from acquisition.port import UnknownSourceError
from acquisition.signal import BoolArray, FloatArray, StreamInfo

MAX_TEXT_BYTES = 500_000_000
"""Of text, which takes many times its size while it is read."""
MAX_SAMPLES = 400_000_000
"""Over all channels, 3.2 GB of them: a packed file of some kilobytes may unfold to more."""
MAX_EMPTY = 64_000_000
"""Samples of gaps, 512 MB, where they are more than eight times what was recorded: one stamp that is wrong
would else fill the memory."""
MAX_HOURS = 48.0
RATES_HZ = (50.0, 20_000.0)


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Samples (n_channels, n_samples) in microvolts with their times (n_samples,) in seconds from the first,
    and which of them (n_samples,) never came and were interpolated, where that is known.

    The times are an even grid; NaN stands where nothing was recorded.
    """

    info: StreamInfo
    samples_uv: FloatArray
    times_s: FloatArray
    lost: BoolArray | None = None

    @property
    def duration_s(self) -> float:
        return float(self.samples_uv.shape[1] / self.info.rate_hz)

    @property
    def holes(self) -> tuple[tuple[int, int], ...]:
        """First sample and the one behind the last of each stretch in which no channel was recorded."""
        empty = np.isnan(self.samples_uv[0])
        for row in self.samples_uv[1:]:
            empty &= np.isnan(row)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], empty, [False]]).astype(np.int8)))
        return tuple(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))

    @property
    def gaps_s(self) -> tuple[tuple[float, float], ...]:
        """Begin and end of each of these, in seconds."""
        return tuple((begin / self.info.rate_hz, end / self.info.rate_hz) for begin, end in self.holes)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What a reader found: values (n_channels, n) in microvolts in the order in which they were measured.

    ``times_s`` (n,) are stamps, as good or bad as they are; None where every sample follows the one before.
    ``counter`` (n,) is the device's own running number. ``rates_hz`` are what the device may sample at: the
    rate its file names, or those that its kind has. ``lost`` (n,) marks samples that never came.
    """

    path: Path
    device: str
    channels: tuple[str, ...]
    rates_hz: tuple[float, ...]
    samples_uv: FloatArray
    times_s: FloatArray | None = None
    counter: FloatArray | None = None
    lost: BoolArray | None = None
    simulated: bool = False
    kind: str = field(default="a device")


def check_samples(path: Path, n_channels: int, n_samples: int) -> None:
    """Raises ``UnknownSourceError`` for more samples than fit in memory. To be asked before they are read."""
    if n_channels * n_samples > MAX_SAMPLES:
        raise UnknownSourceError(
            f"{path}: a recording may have {MAX_SAMPLES} samples at most, got {n_channels} x {n_samples}"
        )


def check_rate(path: Path, rate_hz: float) -> float:
    """The rate, if it can be one of EEG. Raises ``UnknownSourceError``, also for NaN and infinity."""
    low, high = RATES_HZ
    if not low <= rate_hz <= high:
        raise UnknownSourceError(
            f"{path}: the sampling rate must lie inside {low:g}..{high:g} Hz, got {rate_hz:g}"
        )
    return rate_hz


def check_span(path: Path, n_channels: int, n_measured: int, n_grid: float, rate_hz: float) -> None:
    """Raises ``UnknownSourceError`` for a recording that spans too much, or is a gap for the most part."""
    if n_grid > MAX_HOURS * 3600 * rate_hz:
        hours = n_grid / rate_hz / 3600
        raise UnknownSourceError(f"{path}: a recording may span {MAX_HOURS:g} h at most, got {hours:.1f} h")
    check_samples(path, n_channels, int(n_grid))
    if n_channels * n_grid > max(MAX_EMPTY, 9 * n_channels * n_measured):
        raise UnknownSourceError(
            f"{path}: of {n_grid / rate_hz:.0f} s by its time stamps only {n_measured / rate_hz:.1f} s hold "
            "samples: at least a ninth must"
        )
