"""Takes the EEG of one stretch of a calibration at a time, as a step says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from acquisition.port import EegSource, EndOfStream, TakesRequests
from acquisition.signal import EegChunk, FloatArray, StreamInfo
from daemon.errors import BadInputError

SETTLE_S = 4.0
"""After each change of task so much is left out: people take a while to change."""
SILENT_S = 15.0
"""A headset that gives nothing for so long ends the guide."""
POLL_S = 0.05
ENGAGED_ASK = {"calm": -1.0, "engaged": 1.0}


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch: its label, its length and what the wearer is told. ``label`` "" is the baseline rest.

    ``key`` and ``numbers`` name the same words for a page that has them in another language.
    """

    label: str
    seconds: float
    says: str
    key: str = ""
    numbers: Mapping[str, int] = field(default_factory=dict)


Show = Callable[[Step, float], None]
"""Called about once a second with the step and the seconds left in it."""


class Taker:
    """Reads an open source step by step."""

    def __init__(self, source: EegSource, info: StreamInfo, show: Show, clock: Callable[[], float]) -> None:
        self.source, self._info, self._show, self._clock = source, info, show, clock

    def samples(self, step: Step, settle_s: float = SETTLE_S) -> FloatArray:
        """The samples (n_channels, n) of one step in microvolts, without the seconds of settling.

        Raises ``BadInputError`` where the source ends or falls silent.
        """
        self._ask(step)
        rate_hz = self._info.rate_hz
        wanted = round((settle_s + step.seconds) * rate_hz)
        parts: list[FloatArray] = []
        n, shown, heard_at = 0, -1, self._clock()
        while n < wanted:
            chunk = _poll(self.source, step.label)
            if chunk is None:
                self._still_there(heard_at)
                continue
            heard_at = self._clock()
            parts.append(chunk.samples_uv)
            n += chunk.samples_uv.shape[1]
            if int(n / rate_hz) != shown:
                shown = int(n / rate_hz)
                self._show(step, max(0.0, (wanted - n) / rate_hz))
        return np.concatenate(parts, axis=1)[:, round(settle_s * rate_hz) : wanted]

    def drain(self, done: Callable[[], bool]) -> None:
        """Read on and keep nothing until ``done``, so that what comes next is fresh."""
        heard_at = self._clock()
        while not done():
            if _poll(self.source, "music") is not None:
                heard_at = self._clock()
            self._still_there(heard_at)

    def _ask(self, step: Step) -> None:
        if isinstance(self.source, TakesRequests):
            self.source.ask(None if step.label == "music" else ENGAGED_ASK.get(step.label, -1.0))

    def _still_there(self, heard_at: float) -> None:
        if self._clock() - heard_at > SILENT_S:
            raise BadInputError(f"calibrate: the headset has sent nothing for {SILENT_S:g} s")


def _poll(source: EegSource, label: str) -> EegChunk | None:
    try:
        return source.poll(POLL_S)
    except EndOfStream:
        what = {"": "the rest", "music": "the music"}.get(label, f"the {label} block")
        raise BadInputError(f"calibrate: the recording ended during {what}") from None
