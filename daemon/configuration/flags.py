"""The options that ``run`` and the single roles share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

SESSION_OPTIONS: list[Callable[[Any], Any]] = [
    click.option(
        "--source",
        metavar="SOURCE",
        help="simulated, lsl[:NAME], brainflow:BOARD[,key=value] or replay:FILE. Without it, run and record "
        "look for a headset.",
    ),
    click.option(
        "--speed", metavar="N|max", help="Speed of a replay or of the simulated wearer.  [default: 1]"
    ),
    click.option(
        "--music",
        "music",
        metavar="DIR",
        multiple=True,
        help="A music folder or playlist; may be given again.",
    ),
    click.option(
        "--output",
        metavar="OUTPUT",
        help="device[:NAME], pulse:NAME, alsa:NAME, wav:FILE, fifo:FILE or null; several by commas."
        "  [default: device]",
    ),
    click.option(
        "--cues",
        metavar="off|chime|voice",
        help="How rest and a lost headset are told over the music.  [default: chime]",
    ),
    click.option(
        "--broker", metavar="URL", help="mqtt[s]://HOST:PORT; without it one is started on loopback."
    ),
    click.option("--node", metavar="NAME", help="Name of this node in the MQTT topics.  [default: home]"),
    click.option("--baseline", metavar="SECONDS|last|none", help="Length of the guided rest.  [default: 45]"),
    click.option(
        "--policy", metavar="NAME", help="match, lead, contrast, maintain or manual.  [default: match]"
    ),
    click.option("--target", metavar="NAME", help="Where the listener wants to be, e.g. relax or focus."),
    click.option("--duration", metavar="TIME", help="End by itself after e.g. 90s or 5m."),
    click.option("--seed", type=int, metavar="N", help="Seed of everything random.  [default: 0]"),
    click.option(
        "--record", is_flag=True, help="Record the session, EEG included, for the wearer; off by default."
    ),
    click.option("--lsl-out", metavar="NAME", help="Offer the EEG to other programs as an LSL stream."),
    click.option(
        "--web", metavar="HOST:PORT", help="Where the live page is served.  [default: 127.0.0.1:8765]"
    ),
    click.option("--no-web", is_flag=True, help="Serve no page."),
    click.option("--open", "open_page", is_flag=True, help="Open the page in your browser once it answers."),
    click.option("--config", metavar="FILE", help="Another configuration file than the usual one."),
    click.option("--profile", metavar="NAME", help="A profile of the configuration, e.g. one a wearer."),
    click.option("--plain", is_flag=True, help="Print lines instead of the live view."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document a line."),
]

EVERYWHERE = frozenset({"broker", "node", "duration", "config", "profile"})
"""Of use to every role."""


def session_options(command: CommandT) -> CommandT:
    """Give a click command the options above."""
    for option in reversed(SESSION_OPTIONS):
        command = option(command)
    return command


def some_options(*names: str) -> Callable[[CommandT], CommandT]:
    """Give a click command these of the options above and those of use to every role; it knows no other."""

    def give(command: CommandT) -> CommandT:
        for option in reversed(SESSION_OPTIONS):
            wanted = option(click.Command("")).params[0].name
            if wanted in EVERYWHERE or wanted in names:
                command = option(command)
        return command

    return give


def show_only(command: click.Command, names: frozenset[str]) -> None:
    """Leave session options that a command has no use for out of its help; they are taken all the same."""
    for option in command.params:
        if isinstance(option, click.Option) and option.name not in names | EVERYWHERE:
            option.hidden = True
