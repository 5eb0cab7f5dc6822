"""The command line: a table of names, each of a file of its own that is imported when it is used."""

from __future__ import annotations

import sys

import click

from daemon import __version__
from daemon.errors import EXIT_BAD_INPUT, BadInputError
from daemon.lazy_group import CommandTable, LazyGroup
from daemon.places import lend_home

COMMANDS: CommandTable = {
    "run": ("daemon.commands.session:run", "Start everything: broker, engine, player and the live page."),
    "engine": ("daemon.commands.session:engine", "Headset in, emotion states on MQTT."),
    "player": ("daemon.commands.session:player", "Emotion states in, music out."),
    "web": ("daemon.commands.session:web", "Serve the live page."),
    "broker": ("daemon.commands.session:broker", "Serve MQTT on loopback."),
    "view": ("daemon.commands.session:view", "Show a running session in this terminal."),
    "skip": ("daemon.commands.control.speaking:skip", "Play another track now."),
    "pause": ("daemon.commands.control.speaking:pause", "Pause the music."),
    "resume": ("daemon.commands.control.speaking:resume", "Let paused music go on."),
    "play": ("daemon.commands.control.speaking:play", "Play a track of the library now."),
    "target": ("daemon.commands.control.speaking:target", "Aim the music at a mood."),
    "policy": ("daemon.commands.control.speaking:policy", "Choose how tracks are chosen."),
    "volume": ("daemon.commands.control.speaking:volume", "Set the volume."),
    "seek": ("daemon.commands.control.speaking:seek", "Go to a place in what sounds."),
    "like": ("daemon.commands.control.speaking:like", "Play a track more gladly."),
    "ban": ("daemon.commands.control.speaking:ban", "Never play a track again."),
    "say": ("daemon.commands.control.speaking:say", "Let a cue be heard over the music."),
    "watch": ("daemon.commands.control.watch:watch", "Print what is said on MQTT, one document a line."),
    "devices": (
        "daemon.commands.devices:devices",
        "List headsets and streams; preview and impedance.",
    ),
    "record": ("daemon.commands.session:record", "Record the headset to a file, without music."),
    "replay": (
        "daemon.commands.recordings:replay",
        "Replay a recorded session and compare it with the recording.",
    ),
    "config": ("daemon.commands.config:config", "Make, check and show the configuration."),
    "render": ("daemon.commands.render:render", "Play a scripted session into a file, offline."),
    "export": (
        "daemon.commands.recordings:export",
        "Write a recorded session as EDF+, BDF+ or CSV.",
    ),
    "forget": ("daemon.commands.forget:forget", "Delete everything that is known of a wearer."),
    "doctor": ("daemon.commands.doctor:doctor", "Look at this machine, and say how to mend it."),
    "completion": ("daemon.commands.completion:completion", "Completion for bash, zsh and fish."),
    "service": ("daemon.commands.service:service", "Run at boot under systemd, hardened."),
    "home-assistant": (
        "daemon.commands.home_assistant:home_assistant",
        "Take a node away from Home Assistant.",
    ),
    "library": (
        "daemon.commands.library:library",
        "Scan, list, show, tag and map the music folders.",
    ),
    "calibrate": (
        "daemon.commands.calibrate:calibrate",
        "Fit the network to you in a few guided minutes.",
    ),
    "models": ("daemon.commands.models.group:models", "List, check, score, train and choose the networks."),
    "bench": ("daemon.commands.bench:bench", "Measure this machine: cost and latency."),
}
"""Name -> where the click command is, and the line that ``--help`` shows without importing it."""


@click.group(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="neuroplayer")
def cli() -> None:
    """Music that follows your EEG: headset in, crossfaded music out.

    Exit status: 0 done, 1 failed, 2 bad input (one line on standard error says what and why).
    """


def main(arguments: list[str] | None = None) -> int:
    """Entry of the ``neuroplayer`` command; returns the exit status."""
    lend_home()
    try:
        status = cli.main(arguments, prog_name="neuroplayer", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return EXIT_BAD_INPUT
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        return _refuse(error.format_message(), error.exit_code)
    except BadInputError as error:
        for problem in getattr(error, "problems", (str(error),)):
            _refuse(problem, EXIT_BAD_INPUT)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1
    return int(status or 0)


def _refuse(message: str, status: int) -> int:
    line = " ".join(message.split())
    click.echo(f"neuroplayer: {line}", err=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
