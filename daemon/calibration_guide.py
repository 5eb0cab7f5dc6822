"""Labelled minutes with the headset on: what to do now, for how long, and the EEG of each stretch."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from acquisition.port import EegSource, EndOfStream, TakesRequests
from acquisition.signal import EegChunk, FloatArray, StreamInfo
from daemon.errors import BadInputError
from models.datasets.trial import Trial

if TYPE_CHECKING:
    from daemon.calibration_music import Listening

SETTLE_S = 4.0
"""After each change of task so much is left out: people take a while to change."""
SILENT_S = 15.0
"""A headset that gives nothing for so long ends the guide."""
POLL_S = 0.05
ENGAGED_ASK = {"calm": -1.0, "engaged": 1.0}


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch: its label, its length and what the wearer is told. ``label`` "" is the baseline rest."""

    label: str
    seconds: float
    says: str


Show = Callable[[Step, float], None]
"""Called about once a second with the step and the seconds left in it."""


def protocol(rest_s: float, block_s: float, pairs: int) -> tuple[Step, ...]:
    """Rest as a baseline, then ``pairs`` of a calm and an engaged block, the order of each pair in turn.

    Alternating blocks keep time and drift from telling the labels apart. With fewer than 5 pairs a network
    that mends one label only, by moving its threshold, cannot prove it: 2 ** -4 is more than 1 in 20.
    """
    steps = [Step("", rest_s, "Sit still, look at one place, think of nothing in particular.")]
    for i in range(pairs):
        start, less = 1000 - 37 * i, 7 + 6 * (i % 2)
        calm = Step("calm", block_s, "Rest again: sit still, breathe slowly, let your thoughts go.")
        work = Step("engaged", block_s, f"Count down from {start} in steps of {less}, silently and quickly.")
        steps += [work, calm] if i % 2 == 0 else [calm, work]
    return tuple(steps)


def guide(
    source: EegSource,
    steps: Sequence[Step],
    *,
    listening: Listening | None = None,
    show: Show = lambda _step, _left_s: None,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[StreamInfo, tuple[Trial, ...]]:
    """Lead the wearer through ``steps``, then through the music, and return a trial per labelled step and
    per rated piece, each with the rest before it.

    Time is that of the stream. Raises ``SourceError`` where the source cannot be opened or is lost, and
    ``BadInputError`` where it ends or falls silent too early.
    """
    info = source.open()
    taker = Taker(source, info, show, clock)
    try:
        if listening is not None:
            listening.silence()
        taken = [(step, taker.take(step)) for step in steps]
        heard = listening.run(taker) if listening is not None else ()
    finally:
        if isinstance(source, TakesRequests):
            source.ask(None)
        source.close()
    rest = next(samples for step, samples in taken if not step.label)
    labelled = [(step, samples) for step, samples in taken if step.label]
    trials = [
        Trial(
            "wearer",
            "1",
            number,
            np.concatenate([rest, samples], axis=1),
            {"emotion": step.label},
            rest.shape[1] / info.rate_hz,
        )
        for number, (step, samples) in enumerate(labelled, 1)
    ]
    return info, (*trials, *(one.trial(rest, info.rate_hz, n) for n, one in enumerate(heard, 1)))


class Taker:
    """Reads an open source step by step."""

    def __init__(self, source: EegSource, info: StreamInfo, show: Show, clock: Callable[[], float]) -> None:
        self.source, self._info, self._show, self._clock = source, info, show, clock

    def take(self, step: Step, settle_s: float = SETTLE_S) -> FloatArray:
        """The samples of one step, without the seconds in which the wearer settles."""
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
