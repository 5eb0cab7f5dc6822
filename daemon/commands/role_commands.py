"""The single roles as commands of their own, for systemd, containers and other machines."""

from __future__ import annotations

from typing import Any

import click

from daemon.commands.session_options import session_options
from daemon.settings import RoleName


def _role_command(role: RoleName, text: str) -> click.Command:
    @click.command(role, help=text)
    @session_options
    def command(**options: Any) -> int:
        from daemon.starting import run_one

        return run_one(role, options)

    return command


engine = _role_command("engine", "Headset in, emotion states on MQTT.")
player = _role_command("player", "Emotion states in, music out.")
web = _role_command("web", "Serve the live page.")
broker = _role_command("broker", "Serve MQTT on loopback.")
view = _role_command("view", "Show a running session in this terminal: live, --plain or --json.")
