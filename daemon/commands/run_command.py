"""``neuroplayer run``: the whole product with one command."""

from __future__ import annotations

from typing import Any

import click

from daemon.commands.session_options import session_options


@click.command()
@session_options
def run(**options: Any) -> int:
    """Start everything: broker, engine, player and the live page.

    With no --source a headset that streams over LSL on this machine is looked for; a simulated wearer stands
    in where there is none, and demo music for a music folder.
    """
    from daemon.starting import run_everything

    return run_everything(options)
