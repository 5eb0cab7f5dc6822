"""What every source of EEG yields: a description of the stream, chunks of samples, gaps and state changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

HeadsetState = Literal["connecting", "streaming", "stale", "lost", "incompatible", "ended"]


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What is known of a stream once it is open.

    ``source`` is the name the user gave (``simulated``, ``lsl:Muse``); ``device`` is the human name;
    ``channels`` are montage names in the order of the rows of every chunk; ``identity`` pins the one
    outlet or board that was opened, so that a twin under the same name is never taken for it.
    """

    source: str
    device: str
    channels: tuple[str, ...]
    rate_hz: float
    simulated: bool = False
    identity: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class EegChunk:
    """Some consecutive samples.

    ``samples_uv`` has shape (n_channels, n_samples) in microvolts; ``times_s`` has shape (n_samples,)
    in seconds of the stream's own clock. ``battery_percent`` is the newest known charge, if any.
    """

    samples_uv: FloatArray
    times_s: FloatArray
    battery_percent: float | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples that never came: whatever is computed across it must start anew or be marked."""

    start_s: float
    end_s: float
    missing_samples: int
    reason: Literal["lost", "clock_jump", "reconnect"]


@dataclass(frozen=True, slots=True)
class HeadsetStatus:
    """A change in how the headset is doing, in words a person can act on."""

    state: HeadsetState
    info: StreamInfo | None = None
    reason: str = ""
    gap_s: float | None = None
    battery_percent: float | None = None
