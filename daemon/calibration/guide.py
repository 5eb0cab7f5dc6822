"""Labelled minutes with the headset on: what to do now, for how long, and the EEG of each stretch."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from acquisition.port import EegSource, TakesRequests
from acquisition.signal import StreamInfo
from daemon.calibration.listening import Listening
from daemon.calibration.taker import Show, Step, Taker
from models.datasets.trial import Trial


def protocol(rest_s: float, block_s: float, pairs: int) -> tuple[Step, ...]:
    """Rest as a baseline, then ``pairs`` of a calm and an engaged block, the order of each pair in turn.

    Alternating blocks keep time and drift from telling the labels apart. With fewer than 5 pairs a network
    that mends one label only, by moving its threshold, cannot prove it: 2 ** -4 is more than 1 in 20.
    """
    steps = [Step("", rest_s, "Sit still, look at one place, think of nothing in particular.", "rest")]
    for i in range(pairs):
        start, less = 1000 - 37 * i, 7 + 6 * (i % 2)
        calm = Step("calm", block_s, "Rest again: sit still, breathe slowly, let your thoughts go.", "calm")
        says = f"Count down from {start} in steps of {less}, silently and quickly."
        work = Step("engaged", block_s, says, "engaged", {"start": start, "less": less})
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
        taken = [(step, taker.samples(step)) for step in steps]
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
