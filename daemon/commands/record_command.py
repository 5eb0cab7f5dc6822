"""``neuroplayer record``: the headset to a file, without music."""

from __future__ import annotations

from typing import Any

import click

from daemon.commands.session_options import some_options


@click.command()
@some_options("source", "speed", "baseline", "seed", "lsl_out", "plain", "as_json")
def record(**options: Any) -> int:
    """Record EEG, signal quality and states to a file, without music (run --record does both).

    The recording stays on this machine, with a note of this consent beside it; forget deletes it.
    """
    from daemon.starting import run_recording

    return run_recording(options)
