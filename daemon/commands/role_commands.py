"""The single roles as commands of their own, for systemd, containers and other machines."""

from __future__ import annotations

from typing import Any

import click

from daemon.commands.session_options import session_options, show_only
from daemon.settings import RoleName

USED: dict[str, frozenset[str]] = {
    "engine": frozenset({"source", "speed", "baseline", "seed", "record", "lsl_out", "policy", "target"}),
    "player": frozenset({"source", "music", "output", "cues", "seed", "record", "policy", "target"}),
    "web": frozenset({"web", "open_page", "music", "output"}),
    "broker": frozenset(),
    "view": frozenset({"plain", "as_json"}),
}
"""Policy and target stand in a recording, for its replay; the page's calibration plays music."""


def _role_command(role: RoleName, text: str) -> click.Command:
    @click.command(role, help=text)
    @session_options
    def command(**options: Any) -> int:
        from daemon.starting import run_one

        return run_one(role, options)

    show_only(command, USED[role])
    return command


engine = _role_command("engine", "Headset in, emotion states on MQTT.")
player = _role_command("player", "Emotion states in, music out.")
web = _role_command("web", "Serve the live page.")
broker = _role_command("broker", "Serve MQTT on loopback.")
view = _role_command("view", "Show a running session in this terminal: live, --plain or --json.")
