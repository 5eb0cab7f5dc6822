"""A recording in memory, whatever file it came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acquisition.port import UnknownSourceError
from acquisition.signal import BoolArray, FloatArray, StreamInfo

MAX_TEXT_BYTES = 500_000_000
"""Of text, which takes many times its size while it is read."""
MAX_SAMPLES = 400_000_000
"""Over all channels, 3.2 GB of them: a packed file of some kilobytes may unfold to more."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Samples (n_channels, n_samples) in microvolts with their times (n_samples,) in seconds, and which of
    them (n_samples,) never came and were interpolated, where that is known.
    """

    info: StreamInfo
    samples_uv: FloatArray
    times_s: FloatArray
    lost: BoolArray | None = None

    @property
    def duration_s(self) -> float:
        return float(self.samples_uv.shape[1] / self.info.rate_hz)


def check_samples(path: Path, n_channels: int, n_samples: int) -> None:
    """Raises ``UnknownSourceError`` for more samples than fit in memory. To be asked before they are read."""
    if n_channels * n_samples > MAX_SAMPLES:
        raise UnknownSourceError(
            f"{path}: a recording may have {MAX_SAMPLES} samples at most, got {n_channels} x {n_samples}"
        )


def make_recording(
    path: Path,
    device: str,
    channels: tuple[str, ...],
    rate_hz: float,
    samples_uv: FloatArray,
    *,
    simulated: bool = False,
) -> Recording:
    """A recording on an even time grid from ``samples_uv`` (n_channels, n_samples).

    Raises ``UnknownSourceError`` for less than a second, rows without names, or a rate that cannot be.
    """
    n_channels, n_samples = samples_uv.shape
    if n_channels != len(channels) or not channels:
        raise UnknownSourceError(f"{path}: {len(channels)} channel names for {n_channels} rows of samples")
    if n_samples < rate_hz:
        raise UnknownSourceError(f"{path}: at least one second of samples is needed, got {n_samples} samples")
    if not 50 <= rate_hz <= 20_000:
        raise UnknownSourceError(f"{path}: the sampling rate must lie inside 50..20000 Hz, got {rate_hz:g}")
    info = StreamInfo(f"replay:{path}", device, channels, rate_hz, simulated=simulated, identity=path.name)
    return Recording(info, np.ascontiguousarray(samples_uv), np.arange(n_samples) / rate_hz)
