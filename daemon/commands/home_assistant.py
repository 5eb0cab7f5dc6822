"""``neuroplayer home-assistant``: what Home Assistant shows of this player."""

from __future__ import annotations

import asyncio

import click

from daemon.errors import BadInputError


@click.group("home-assistant")
def home_assistant() -> None:
    """What Home Assistant shows of this player, over MQTT discovery."""


@home_assistant.command()
@click.option("--node", metavar="NAME", help="The node to take away; default: as for run.")
@click.option("--broker", metavar="URL", help="The broker that Home Assistant uses; default: as for run.")
@click.option("--config", metavar="FILE", help="Another configuration file than the usual one.")
def remove(node: str | None, broker: str | None, config: str | None) -> int:
    """Take a node's entities away from Home Assistant, and what the broker keeps of it.

    For a node that was renamed or is used no more. A node that runs on this machine is left alone.
    """
    from pathlib import Path

    from daemon.configuration.merging import settings_from
    from daemon.processes.locks import running_roles

    given = {"node": node, "broker": broker, "config": config}
    settings = settings_from({key: value for key, value in given.items() if value is not None})
    if not settings.broker.named:
        raise BadInputError("no broker is named: say which one Home Assistant uses with --broker URL")
    running = sorted(
        role.role for role in running_roles(Path(settings.state_dir)) if role.node == settings.node
    )
    if running:
        raise BadInputError(f"node {settings.node!r} runs ({', '.join(running)}): stop it first")
    from daemon.home.removal import remove_node

    gone = asyncio.run(remove_node(settings.broker, settings.home_assistant, settings.node))
    if gone is None:
        click.echo(f"{settings.broker.url} cannot be reached, so nothing was taken away", err=True)
        return 1
    click.echo(f"node {settings.node} is taken away from {settings.broker.url}: {len(gone)} messages deleted")
    return 0
