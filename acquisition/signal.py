"""What every source of EEG yields: a description of the stream, chunks of samples, gaps and state changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

HeadsetState = Literal["connecting", "streaming", "stale", "lost", "incompatible", "ended"]


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What is known of a stream once it is open.

    ``source`` is the name the user gave (``simulated``, ``lsl:Muse``); ``device`` is the human name;
    ``channels`` are montage names in the order of the rows of every chunk; ``identity`` pins the one
    outlet or board that was opened, so that a twin under the same name is never taken for it, and
    ``instance`` its present life. ``extras`` names the rows of ``EegChunk.extras`` (accelerometer,
    gyroscope, auxiliary inputs); ``counter_modulo`` is where the device's own sample counter wraps to 0.
    """

    source: str
    device: str
    channels: tuple[str, ...]
    rate_hz: float
    simulated: bool = False
    identity: str = ""
    instance: str = ""
    extras: tuple[str, ...] = ()
    counter_modulo: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class EegChunk:
    """Some consecutive samples.

    ``samples_uv`` has shape (n_channels, n_samples) in microvolts; ``times_s`` has shape (n_samples,)
    in seconds of the stream's own clock. ``battery_percent`` is the newest known charge, if any.
    ``counter`` (n_samples,) is the device's own running number of each sample, where it has one; ``extras``
    (n_extras, n_samples) what else it measures. ``interpolated`` (n_samples,) marks samples that never came
    and were put between their neighbours by the timeline.
    """

    samples_uv: FloatArray
    times_s: FloatArray
    battery_percent: float | None = None
    counter: FloatArray | None = None
    extras: FloatArray | None = None
    interpolated: BoolArray | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples that never came: whatever is computed across it must start anew or be marked.

    With ``bridged`` nothing has to start anew: the missing samples are interpolated and marked in the next
    chunk, or the device's clock was set while its samples went on.
    """

    start_s: float
    end_s: float
    missing_samples: int
    reason: Literal["lost", "clock_jump", "reconnect"]
    bridged: bool = False


@dataclass(frozen=True, slots=True)
class HeadsetStatus:
    """A change in how the headset is doing, in words a person can act on."""

    state: HeadsetState
    info: StreamInfo | None = None
    reason: str = ""
    gap_s: float | None = None
    battery_percent: float | None = None


FeedItem = HeadsetStatus | EegChunk | Gap
"""What a feed gives."""
