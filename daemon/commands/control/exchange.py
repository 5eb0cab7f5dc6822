"""One command to a running player: who is there, what is said, and what comes back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

import click

from daemon.mqtt import codec, documents, topics
from daemon.mqtt.commands import Command
from daemon.mqtt.outlet import Outlet
from daemon.mqtt.topics import Topics
from daemon.mqtt.transport.link import MqttLink, OnMessage
from daemon.safe_text import shown
from daemon.settings import Settings

CommandT = TypeVar("CommandT", bound=Command)
HEARD = (topics.PLAYER_AVAILABILITY, topics.PLAYER_STATE, topics.PLAYER_DECISION, topics.COMMAND_ERROR)
SURE = 2
"""The first state after a command may have left before it; the second was said with the command heard."""


class Exchange:
    """What is heard of a player, before and after it is asked for something."""

    def __init__(self, node: Topics, name: str) -> None:
        self.online: bool | None = None
        """None: its availability was not told, as by a broker that keeps nothing."""
        self.before: documents.PlayerState | None = None
        self.state: documents.PlayerState | None = None
        self.decisions: list[documents.Decision] = []
        self.refusal: str | None = None
        self._node = node
        self._name = name
        self._fresh = 0
        self._asked_s: float | None = None
        self._changed = asyncio.Event()

    @property
    def fresh(self) -> documents.PlayerState | None:
        """The newest state that was heard since the command left."""
        return self.state if self._fresh else None

    @property
    def unrefused(self) -> bool:
        """All there is to see of what shows in no state."""
        return self._fresh >= SURE and self.refusal is None

    @property
    def since_s(self) -> float:
        """How long ago the command was sent."""
        return 0.0 if self._asked_s is None else time.monotonic() - self._asked_s

    def begin(self) -> None:
        """The command leaves now: what is heard from here on may be its answer."""
        self.before, self._asked_s = self.state, time.monotonic()
        self._fresh = 0
        self.decisions.clear()

    def on_message(self, topic: str, payload: bytes, retained: bool) -> None:
        """A message from the broker, where everybody may write: what is no document of ours is nothing."""
        name = self._node.short(topic)
        if name == topics.PLAYER_AVAILABILITY:
            self.online = payload == topics.ONLINE
        elif name in HEARD:
            with contextlib.suppress(codec.MessageError):
                self._on_document(codec.decode(name, payload))
        self._changed.set()

    def _on_document(self, document: documents.Document) -> None:
        match document:
            case documents.PlayerState():
                self.state = document
                self._fresh += 1
            case documents.Decision():
                self.decisions.append(document)
            case documents.CommandError() if document.command == self._name and self._asked_s is not None:
                self.refusal = document.error

    async def until(self, condition: Callable[[], bool], wait_s: float) -> bool:
        """Whether it came true in this time."""
        try:
            async with asyncio.timeout(wait_s):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True


async def ask(
    settings: Settings,
    name: str,
    command: CommandT,
    answer: Callable[[CommandT, Exchange], str | None],
    wait_s: float,
) -> str:
    """Have the player of the settings' node do this; returns what happened, in words, once ``answer`` tells.

    Raises ``click.ClickException`` where nobody is there, for a refusal, and where no answer comes.
    """
    node = Topics(settings.node)
    exchange = Exchange(node, name)
    async with linked(settings, [node.full(heard) for heard in HEARD], exchange.on_message, wait_s) as link:
        there = await exchange.until(lambda: exchange.online is False or exchange.state is not None, wait_s)
        if not there or exchange.online is False:
            raise click.ClickException(
                f"no player of node {settings.node!r} is at {settings.broker.url}: start one with "
                "`neuroplayer run`, or name another with --node"
            )
        exchange.begin()
        Outlet(node, link).command(name, command)
        await exchange.until(
            lambda: exchange.refusal is not None or answer(command, exchange) is not None, wait_s
        )
        if exchange.refusal is not None:
            raise click.ClickException(f"the player refuses {name}: {shown(exchange.refusal)}")
        words = answer(command, exchange)
    if words is None:
        raise click.ClickException(f"the player was asked, and has not done it within {wait_s:g} s")
    return words


@contextlib.asynccontextmanager
async def linked(
    settings: Settings, subscriptions: Sequence[str], on_message: OnMessage, wait_s: float
) -> AsyncIterator[MqttLink]:
    """A link to the broker of the settings. Raises ``click.ClickException`` where none lets us in."""
    # what the link says of a broker that is away is said once, here
    logging.getLogger("daemon.mqtt").addHandler(logging.NullHandler())
    identifier = f"neuroplayer-{settings.node}-control-{secrets.token_hex(4)}"
    async with MqttLink(
        settings.broker, identifier, on_message=on_message, subscriptions=subscriptions
    ) as link:
        try:
            await asyncio.wait_for(link.connected.wait(), timeout=wait_s)
        except TimeoutError:
            why = f" ({shown(link.last_error)})" if link.last_error else ""
            raise click.ClickException(
                f"no broker is reached at {settings.broker.url}{why}: start one with `neuroplayer run`, "
                "or name another with --broker"
            ) from None
        yield link
