"""The view: hears everything of a node and shows it in this terminal."""

from __future__ import annotations

import asyncio
import os

import click
import msgspec

from daemon.mqtt_link import MqttLink
from daemon.plain_view import JsonLines, PlainLines
from daemon.roles.lifetime import log_to_stderr, until_stopped
from daemon.roles.view import ViewRole
from daemon.settings import Settings
from daemon.topics import Topics


def run_view(settings: Settings) -> int:
    """Show until told to stop, then tell the summary."""
    log_to_stderr("view")
    asyncio.run(_serve(settings))
    return 0


def _write(line: str) -> None:
    click.echo(line)


async def _serve(settings: Settings) -> None:
    topics = Topics(settings.node)
    display = JsonLines(_write) if settings.view == "json" else PlainLines(_write)
    role = ViewRole(topics, display)
    link = MqttLink(
        settings.broker,
        f"neuroplayer-{settings.node}-view-{os.getpid()}",
        hear=role.hear,
        subscriptions=[topics.base + "#"],
    )
    for line in settings.headline if settings.view != "json" else ():
        _write(line)
    async with link:
        await until_stopped(role.run(), settings.duration_s)
    if settings.view == "json":
        _write(msgspec.json.encode({"topic": "summary", "document": role.summary.facts()}).decode())
    else:
        for line in role.summary.lines():
            _write(line)
