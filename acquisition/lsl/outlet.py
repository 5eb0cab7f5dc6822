"""Offers the EEG that is read as an LSL outlet, so that other programs can look on. Imports ``pylsl``.

Runs inside the child that ``outlet_process.py`` keeps: a fault of liblsl never reaches the engine.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from acquisition.lsl.discovery import OWN_PREFIX, scope_network
from acquisition.signal import EegChunk, StreamInfo

AHEAD_S = 0.5
"""Samples so far ahead of LSL's clock are of another clock, or replayed fast."""
LATE_S = 5.0
"""What a busy machine delivers late and at once keeps its own times; beyond this it is another clock."""


class LslOutlet:
    """One outlet of type EEG in microvolts, with 10-20 labels."""

    def __init__(self, name: str, info: StreamInfo, scope: str = "machine") -> None:
        scope_network(scope)
        import pylsl

        described = pylsl.StreamInfo(
            name, "EEG", len(info.channels), info.rate_hz, "float32", f"{OWN_PREFIX}{name}"
        )
        channels = described.desc().append_child("channels")
        for label in info.channels:
            channel = channels.append_child("channel")
            for key, value in (("label", label), ("unit", "microvolts"), ("type", "EEG")):
                channel.append_child_value(key, value)
        acquisition = described.desc().append_child("acquisition")
        acquisition.append_child_value("manufacturer", info.device)
        acquisition.append_child_value("simulated", str(info.simulated).lower())
        self._outlet: Any = pylsl.StreamOutlet(described, max_buffered=30)
        self._clock = pylsl.local_clock
        self._offset_s: float | None = None

    def push(self, chunk: EegChunk) -> None:
        """Send samples at their own times, brought to LSL's clock."""
        now_s, last_s = float(self._clock()), float(chunk.times_s[-1])
        if self._offset_s is None or not -AHEAD_S <= now_s - (last_s + self._offset_s) <= LATE_S:
            self._offset_s = now_s - last_s
        # liblsl takes one time for the last sample and deduces the others from the nominal rate
        rows = np.ascontiguousarray(chunk.samples_uv.T, dtype=np.float32)
        self._outlet.push_chunk(rows, last_s + self._offset_s)
