"""``neuroplayer skip``, ``pause``, ``volume`` ..: what a running player is asked for from the shell."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from daemon.commands.control.exchange import ask
from daemon.commands.control.table import CONTROLS, Control
from daemon.configuration.flags import some_options
from daemon.configuration.merging import broker_at, settings_from
from daemon.errors import BadInputError
from daemon.home.sharing import refuse_to_share
from daemon.mqtt.codec import MessageError, checked
from daemon.mqtt.commands import Command
from daemon.processes.locks import running_roles
from daemon.safe_text import shown
from daemon.settings import Settings

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
OF_TRACKS = ("play", "like", "ban")
WHERE = frozenset({"broker", "node", "config", "profile"})
_ID = re.compile("[0-9a-f]{16}")


def broker_options(command: CommandT, *more: str) -> CommandT:
    """Where the session is, named as for ``view``, and how long it is waited for; ``more`` of its options."""
    command = click.option(
        "--wait",
        "wait_s",
        type=click.FloatRange(0.1, 3600),
        default=5.0,
        metavar="SECONDS",
        help="Wait so long for the broker, for the player and for its answer.  [default: 5]",
    )(command)
    return some_options(*more, everywhere=WHERE)(command)


def session_settings(options: dict[str, Any]) -> Settings:
    """The settings, with the broker that this node's roles here use where none is named."""
    settings = settings_from(options)
    refuse_to_share(settings)
    if settings.broker.named:
        return settings
    roles = running_roles(Path(settings.state_dir))
    urls = [role.broker_url for role in roles if role.node == settings.node and role.broker_url]
    return msgspec.structs.replace(settings, broker=broker_at(settings, urls[0])) if urls else settings


def control(name: str) -> click.Command:
    """The click command of a row of the table."""
    row = CONTROLS[name]

    def speak(wait_s: float, typed: Any = None, undo: bool = False, **options: Any) -> None:
        settings = session_settings(options)
        command = _message(row, settings, typed, undo=undo)
        click.echo(asyncio.run(ask(settings, row.topic, command, row.answer, wait_s)))

    # a point of the plane may begin with a minus
    made = click.command(name, help=row.text, context_settings={"ignore_unknown_options": True})
    command = made(broker_options(speak, *(["music"] if row.topic in OF_TRACKS else [])))
    if row.argument is not None:
        command.params.append(row.argument)
    if row.undone is not None:
        command.params.append(click.Option(["--undo"], is_flag=True, help="Take it back."))
    return command


def _message(row: Control, settings: Settings, typed: Any, *, undo: bool) -> Command:
    """What is sent. Raises ``BadInputError`` where the contract has no such thing."""
    if row.topic in OF_TRACKS and typed is not None:
        typed = _track_id(settings, typed)
    command = (row.undone if undo and row.undone is not None else row.make)(typed)
    try:
        return checked(command)
    except MessageError as error:
        raise BadInputError(f"{row.topic}: {shown(str(error))}") from None


def _track_id(settings: Settings, typed: str) -> str:
    """The id itself, which may be of a library elsewhere, or that of the track so called in this one."""
    from player.demo.demo_music import ensure_demo_music
    from player.library.commands import cached_tracks, find_track

    first = typed.split(maxsplit=1)[0] if typed.strip() else ""
    if _ID.fullmatch(first):
        return first
    cache = Path(settings.cache_dir)
    folders = [Path(folder) for folder in settings.music] or [ensure_demo_music(cache)]
    try:
        return find_track(cached_tracks(folders, cache), typed).id
    except ValueError as error:  # LibraryError
        raise BadInputError(str(error)) from None
    except OSError as error:
        raise BadInputError(f"{error.filename or 'file'}: {error.strerror or error}") from None


skip = control("skip")
pause = control("pause")
resume = control("resume")
play = control("play")
target = control("target")
policy = control("policy")
volume = control("volume")
seek = control("seek")
like = control("like")
ban = control("ban")
say = control("say")
