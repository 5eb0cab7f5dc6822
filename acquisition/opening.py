"""From what a person wrote after ``--source`` to the source itself, native ones in a process of their own."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import partial

from acquisition.headsets.montage_source import OPTIONS, MontageSource, montage_edit
from acquisition.port import EegSource, MissingPartError, UnknownSourceError
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
    edit = montage_edit(spec.options)
    if spec.kind in ("simulated", "replay"):
        source = _played(spec, speed, seed, clock)
        return source if edit is None else MontageSource(source, edit)
    make = partial(_native, spec)
    if not isolated:
        return make()
    from acquisition.isolation.isolated_source import IsolatedSource

    return IsolatedSource(make, clock=clock)


def _played(spec: SourceSpec, speed: float | None, seed: int, clock: Callable[[], float]) -> EegSource:
    if spec.kind == "replay":
        from acquisition.readers.replay_source import ReplaySource

        return ReplaySource(spec.argument, speed=speed, clock=clock)
    from acquisition.headsets.simulated_source import SimulatedSource

    return SimulatedSource(seed=seed, speed=speed, clock=clock)


def check_source(spec: SourceSpec) -> None:
    """Raise ``UnknownSourceError`` for what can be known to be wrong before anything is opened."""
    edit = montage_edit(spec.options)
    if spec.kind == "replay":
        from acquisition.readers import open_recording

        recording = open_recording(spec.argument)
        if edit is not None:
            edit.apply(recording.info.channels)
    elif spec.kind == "brainflow":
        from acquisition.headsets.brainflow_source import BrainFlowSource, board_number

        with contextlib.suppress(MissingPartError):  # told when it is opened: the music does not wait for it
            board_number(spec.argument)
            BrainFlowSource(spec.argument, _own(spec)).check()
    elif spec.kind == "lsl":
        _native(spec)
    elif _own(spec):
        raise UnknownSourceError(
            f"source: simulated takes only {', '.join(OPTIONS)}, got {', '.join(_own(spec))}"
        )


def _own(spec: SourceSpec) -> dict[str, str]:
    """The options that are for the source itself."""
    return {key: value for key, value in spec.options.items() if key not in OPTIONS}


def _native(spec: SourceSpec) -> EegSource:
    source: EegSource
    if spec.kind == "brainflow":
        from acquisition.headsets.brainflow_source import BrainFlowSource

        source = BrainFlowSource(spec.argument, _own(spec))
    else:
        from acquisition.lsl.inlet_source import LslSource

        source = LslSource(spec.argument, _own(spec))
    edit = montage_edit(spec.options)
    return source if edit is None else MontageSource(source, edit)
