"""Counts the EEG that was lost between the headset and the classifier."""

from __future__ import annotations

from acquisition.signal import EegChunk, Gap, HeadsetStatus


class SignalLoss:
    """Hears everything a feed gives; a short hole that was bridged is lost as well."""

    def __init__(self) -> None:
        self._rate_hz = 0.0
        self.lost_s = 0.0

    def push(self, item: HeadsetStatus | EegChunk | Gap) -> None:
        """Take what the feed gives."""
        if isinstance(item, HeadsetStatus) and item.info is not None:
            self._rate_hz = item.info.rate_hz
        elif isinstance(item, Gap) and self._rate_hz > 0:
            self.lost_s += item.missing_samples / self._rate_hz
