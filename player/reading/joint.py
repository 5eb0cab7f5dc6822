"""Where one part of an album ends and the next begins, seen before both are resampled.

A filter that begins anew with each part knows nothing of the samples on the other side, and counts its frames
from another place. So the next part's filter begins with the last samples of the one before, on its grid.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from player.deck import MIX_RATE_HZ, PcmBlock, Seam

REACH_FRAMES = 64
"""More than swresample looks back and ahead: 16 samples, or 16 frames, whichever are longer."""
MOST_STEP = 1024
"""Rates that meet the grid of 48 kHz less often than this have no exact filter either."""
MOST_CHANNELS = 8
"""Before version 19 PyAV reads behind the memory of a frame with more planes."""


class Joint:
    """The beginning of what is read here, where it goes on ``after`` another part, and its end."""

    def __init__(self, after: Seam | None = None) -> None:
        self._after = after
        self._kind: tuple[str, str, int] | None = None
        self._changed = False
        self._samples = self._held = self._settling = 0
        self._kept: deque[Any] = deque()
        self.lead_frames = 0
        """How many of the first frames given belong to the part before; known from the first on."""
        self.seam: Seam | None = None
        """The end, once everything has been given."""

    def frames(self, frames: Iterable[Any]) -> Iterator[Any]:
        """Frames as decoded, behind the samples of the part before if they are of its kind."""
        for frame in self._led(iter(frames)):
            kind = _kind(frame)
            self._changed = self._changed or self._kind not in (None, kind)
            self._kind = kind
            self._hold(frame)
            yield frame

    def parts(self, parts: Iterator[PcmBlock]) -> Iterator[PcmBlock]:
        """What became of them at 48 kHz, shape (n, 2), without the frames in which the filter settles."""
        count = 0
        for part in parts:
            count += len(part)
            settled = part[self._settling :]
            self._settling = max(0, self._settling - len(part))
            if len(settled):
                yield settled
        self.seam = self._end(count)
        self._kept.clear()

    def _led(self, frames: Iterator[Any]) -> Iterator[Any]:
        first, seam = next(frames, None), self._after
        if first is None:
            return
        if seam is not None and _kind(first) == (seam.format, seam.layout, seam.rate_hz):
            before = type(first).from_ndarray(seam.samples, format=seam.format, layout=seam.layout)
            before.sample_rate, before.time_base = seam.rate_hz, first.time_base
            self._settling, self.lead_frames = seam.settling_frames, seam.lead_frames
            yield before
        yield first
        yield from frames

    def _hold(self, frame: Any) -> None:
        self._samples += frame.samples
        self._held += frame.samples
        self._kept.append(frame)
        most = 3 * _reach(frame.sample_rate) + 2 * MOST_STEP
        while self._held - self._kept[0].samples >= most:
            self._held -= self._kept.popleft().samples

    def _end(self, n_frames: int) -> Seam | None:
        if self._kind is None or self._changed or self._kind[2] == MIX_RATE_HZ:
            return None
        name, layout, rate_hz = self._kind
        common = math.gcd(rate_hz, MIX_RATE_HZ)
        step, step_frames = rate_hz // common, MIX_RATE_HZ // common
        whole = abs(n_frames * rate_hz - self._samples * MIX_RATE_HZ) < 2 * max(rate_hz, MIX_RATE_HZ)
        if max(step, step_frames) > MOST_STEP or not whole:
            return None
        # both are places at which a frame stands on a sample
        goes_on_at = (self._samples - _reach(rate_hz)) // step
        begins_at = goes_on_at - math.ceil(_reach(rate_hz) / step)
        n_samples = self._samples - begins_at * step
        channels = len(self._kept[-1].layout.channels)
        if n_samples > self._held or channels > MOST_CHANNELS:
            return None
        interleaved = 1 if self._kept[-1].format.is_planar else channels
        try:
            values = np.concatenate([frame.to_ndarray() for frame in self._kept], axis=1)
        except (ValueError, KeyError, TypeError):
            return None  # a sample format that PyAV has no array for
        return Seam(
            values[:, -n_samples * interleaved :].copy(),
            name,
            layout,
            rate_hz,
            (goes_on_at - begins_at) * step_frames,
            n_frames - goes_on_at * step_frames,
        )


def _kind(frame: Any) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _reach(rate_hz: int) -> int:
    """In samples."""
    return max(REACH_FRAMES, math.ceil(REACH_FRAMES * rate_hz / MIX_RATE_HZ))
