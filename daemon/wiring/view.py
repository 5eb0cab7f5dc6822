"""The view: hears everything of a node and shows it in this terminal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Iterator

import msgspec
from rich.console import Console, RenderableType
from rich.live import Live

from daemon.mqtt.topics import Topics
from daemon.mqtt.transport.link import MqttLink
from daemon.processes.lifetime import log_to_stderr, until_stopped
from daemon.processes.logs import open_log
from daemon.settings import Settings
from daemon.terminal.live_view import ENDS_SESSION, ENDS_VIEW, LiveView, can_draw
from daemon.terminal.plain_view import JsonView, PlainLines
from daemon.terminal.printing import lead_nowhere, printed
from daemon.terminal.role import ViewRole
from daemon.terminal.session_summary import SessionSummary
from daemon.wearers.wearer import wearer_of

FRAMES_PER_S = 4


def run_view(settings: Settings) -> int:
    """Show until told to stop, then tell the summary."""
    log_to_stderr("view", settings.log)
    asyncio.run(_serve(settings))
    return 0


class _Terminal:
    """Where lines are printed. ``gone`` is set once nobody reads them any more."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    def write(self, line: str) -> None:
        if not self.gone.is_set() and not printed(line, sys.stdout):
            self.gone.set()


def _link(settings: Settings, topics: Topics, role: ViewRole) -> MqttLink:
    return MqttLink(
        settings.broker,
        f"neuroplayer-{settings.node}-view-{os.getpid()}",
        on_message=role.on_message,
        subscriptions=[topics.base + "#"],
        meanwhile="nothing new is shown here",
    )


async def _serve(settings: Settings) -> None:
    topics = Topics(settings.node)
    console, terminal = Console(), _Terminal()
    if settings.view == "live" and can_draw(console):
        summary = await _draw(settings, topics, console, terminal)
    else:
        summary = await _print(settings, topics, terminal)
    if settings.view == "json":
        terminal.write(msgspec.json.encode({"topic": "summary", "document": summary.facts()}).decode())
    else:
        for line in summary.lines():
            terminal.write(line)


async def _print(settings: Settings, topics: Topics, terminal: _Terminal) -> SessionSummary:
    """Until told to stop, or until nobody reads any more: the music needs no view."""
    display = JsonView(terminal.write) if settings.view == "json" else PlainLines(terminal.write)
    role = ViewRole(topics, display)
    for line in settings.headline if settings.view != "json" else ():
        terminal.write(line)
    async with _link(settings, topics, role):
        await until_stopped(terminal.gone.wait(), settings.duration_s)
    return role.summary


async def _draw(settings: Settings, topics: Topics, console: Console, terminal: _Terminal) -> SessionSummary:
    """Until told to stop, or until the terminal is closed."""
    view = LiveView(settings.headline, ending=ENDS_SESSION if settings.headline else ENDS_VIEW)
    role = ViewRole(topics, view)

    def screen() -> RenderableType:
        return view.render(console.width, console.height)

    try:
        with (
            _log_to_file(settings),
            Live(screen(), console=console, screen=True, auto_refresh=False) as live,
        ):
            async with _link(settings, topics, role) as link:

                async def redraw() -> None:
                    while True:
                        view.broker_gone = link.counters.connects > 0 and not link.connected.is_set()
                        live.update(screen(), refresh=True)
                        await asyncio.sleep(1 / FRAMES_PER_S)

                await until_stopped(redraw(), settings.duration_s)
    except OSError:
        lead_nowhere(sys.stdout)
        terminal.gone.set()
    return role.summary


@contextlib.contextmanager
def _log_to_file(settings: Settings) -> Iterator[None]:
    """What is logged goes where the other roles' lines go, not across what is drawn."""
    (handler,) = logging.getLogger().handlers
    if not isinstance(handler, logging.StreamHandler):
        yield
        return
    with open_log(wearer_of(settings).log) as file:
        before = handler.setStream(file)
        try:
            yield
        finally:
            handler.setStream(before)
