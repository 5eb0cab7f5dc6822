"""``neuroplayer run``: the whole product with one command."""

from __future__ import annotations

from typing import Any

import click

from daemon.configuration.flags import session_options, show_only, some_options
from daemon.settings import RoleName

USED: dict[str, frozenset[str]] = {
    "engine": frozenset({"source", "speed", "baseline", "seed", "record", "lsl_out", "policy", "target"}),
    "player": frozenset({"source", "music", "output", "cues", "seed", "record", "policy", "target"}),
    "web": frozenset({"web", "open", "music", "output"}),
    "broker": frozenset(),
    "view": frozenset({"plain", "as_json"}),
}
"""Policy and target stand in a recording, for its replay; the page's calibration plays music."""


def _role_command(role: RoleName, text: str) -> click.Command:
    @click.command(role, help=text)
    @session_options
    def command(**options: Any) -> int:
        from daemon.startup.starting import run_one

        return run_one(role, options)

    show_only(command, USED[role])
    return command


engine = _role_command("engine", "Headset in, emotion states on MQTT.")
player = _role_command("player", "Emotion states in, music out.")
web = _role_command("web", "Serve the live page.")
broker = _role_command("broker", "Serve MQTT on loopback.")
view = _role_command("view", "Show a running session in this terminal: live, --plain or --json.")


@click.command()
@some_options("source", "speed", "baseline", "seed", "lsl_out", "plain", "as_json")
def record(**options: Any) -> int:
    """Record EEG, signal quality and states to a file, without music (run --record does both).

    The recording stays on this machine, with a note of this consent beside it; forget deletes it.
    """
    from daemon.startup.starting import run_recording

    return run_recording(options)


@click.command()
@session_options
def run(**options: Any) -> int:
    """Start everything: broker, engine, player and the live page.

    With no --source a headset that streams over LSL on this machine is looked for; a simulated wearer stands
    in where there is none, and demo music for a music folder.
    """
    from daemon.startup.starting import run_everything

    return run_everything(options)
