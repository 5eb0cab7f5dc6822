"""``neuroplayer watch``: what is said on MQTT, one document a line."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import click
import msgspec
from click.shell_completion import CompletionItem

from daemon.commands.control.exchange import linked
from daemon.commands.control.speaking import broker_options, session_settings
from daemon.errors import BadInputError
from daemon.mqtt import topics
from daemon.mqtt.documents import DOCUMENTS
from daemon.mqtt.topics import Topics
from daemon.processes.lifetime import until_stopped
from daemon.safe_text import harmless, harmless_text
from daemon.settings import Settings
from daemon.terminal.plain_view import JsonView
from daemon.terminal.printing import printed
from player.location import quoted

AVAILABILITIES = {topics.ENGINE_AVAILABILITY: "engine", topics.PLAYER_AVAILABILITY: "player"}
TOPICS = (*dict.fromkeys((*DOCUMENTS, *AVAILABILITIES)), *(f"cmd/{name}" for name in topics.COMMANDS))


def _offered(_context: click.Context, _argument: click.Parameter, begun: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in TOPICS if name.startswith(begun)]


@click.command()
@click.argument("topic", required=False, shell_complete=_offered)
@broker_options
def watch(topic: str | None, wait_s: float, **options: Any) -> None:
    """Print what is said and asked on MQTT, one JSON document a line, until Ctrl-C.

    TOPIC is a name of the contract such as emotion or player/state, or the part before its slash.
    """
    settings = session_settings(options)
    wanted = _wanted(Topics(settings.node), topic)
    asyncio.run(_watch(settings, wanted, wait_s))


def _wanted(node: Topics, topic: str | None) -> str:
    """The short name that was meant; nothing for all. Raises ``BadInputError`` for one that nobody uses."""
    if topic is None:
        return ""
    name = (node.short(topic) or topic).removesuffix("#").strip("/")
    if name and not any(_is_in(known, name) for known in TOPICS):
        raise BadInputError(f"topic must be one of {', '.join(TOPICS)}; got {quoted(topic, 60)}")
    return name


def _is_in(name: str, wanted: str) -> bool:
    return wanted in ("", name) or name.startswith(f"{wanted}/")


async def _watch(settings: Settings, wanted: str, wait_s: float) -> None:
    """Until told to stop, or until nobody reads any more."""
    node, gone = Topics(settings.node), asyncio.Event()

    def write(line: str) -> None:
        if not gone.is_set() and not printed(line, sys.stdout):
            gone.set()

    view = JsonView(write)

    def on_message(topic: str, payload: bytes, retained: bool) -> None:
        name = node.short(topic)
        if name is None or not _is_in(name, wanted):
            return
        if name in AVAILABILITIES:
            view.show_availability(AVAILABILITIES[name], payload == topics.ONLINE)
        else:
            view.show(harmless_text(name), _document(payload))

    async def listen() -> None:
        async with linked(settings, [f"{node.base}#"], on_message, wait_s):
            await gone.wait()

    await until_stopped(listen())


def _document(payload: bytes) -> dict[str, Any]:
    """What was said; ``{}`` for an empty command, and for what is no document: anybody may write there."""
    try:
        return harmless(msgspec.json.decode(payload or b"{}", type=dict[str, Any]))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
