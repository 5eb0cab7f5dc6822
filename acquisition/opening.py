"""From what a person wrote after ``--source`` to the source itself, native ones in a process of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from acquisition.port import EegSource
from acquisition.source_spec import SourceSpec


def make_source(
    spec: SourceSpec,
    *,
    speed: float | None = 1.0,
    seed: int = 0,
    clock: Callable[[], float] = time.monotonic,
    isolated: bool = True,
) -> EegSource:
    """Build, but do not open, the source. ``speed`` None means as fast as it is read.

    Raises ``UnknownSourceError`` for a board, option or file that cannot be.
    """
    if spec.kind == "simulated":
        from acquisition.simulated_source import SimulatedSource

        return SimulatedSource(seed=seed, speed=speed, clock=clock)
    if spec.kind == "replay":
        from acquisition.replay_source import ReplaySource

        return ReplaySource(spec.argument, speed=speed, clock=clock)
    make = partial(_native, spec)
    if not isolated:
        return make()
    from acquisition.isolated_source import IsolatedSource

    return IsolatedSource(make, clock=clock)


def check_source(spec: SourceSpec) -> None:
    """Raise ``UnknownSourceError`` for what can be known to be wrong before anything is opened."""
    if spec.kind == "replay":
        from acquisition.readers import open_recording

        open_recording(spec.argument)
    elif spec.kind == "brainflow":
        from acquisition.brainflow_source import BrainFlowSource, board_number

        board_number(spec.argument)
        BrainFlowSource(spec.argument, spec.options).check()
    elif spec.kind == "lsl":
        _native(spec)


def _native(spec: SourceSpec) -> EegSource:
    if spec.kind == "brainflow":
        from acquisition.brainflow_source import BrainFlowSource

        return BrainFlowSource(spec.argument, spec.options)
    from acquisition.lsl_source import LslSource

    return LslSource(spec.argument, spec.options)
