"""``neuroplayer forget``: everything that is known of a wearer, deleted, and a receipt of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from daemon.forgetting.kept_files import ForgetReport
    from daemon.processes.locks import Running
    from daemon.settings import BrokerSettings, Settings
    from daemon.wearers.wearer import Wearer

WORD = "everybody"


@click.command()
@click.option("--wearer", "name", metavar="NAME", help="Who is forgotten; default: as for run.")
@click.option("--node", metavar="NAME", help="The node whose retained messages go; default: the wearer.")
@click.option("--broker", metavar="URL", help="The broker whose retained messages are deleted as well.")
@click.option("--all", "everyone", is_flag=True, help=f"Forget all wearers; the word {WORD!r} must be typed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(name: str | None, node: str | None, broker: str | None, everyone: bool, yes: bool) -> int:
    """Delete what is known of a wearer, and of nobody else: recordings with their consents, rests, labels,
    likes and bans, histories, networks and logs, and what brokers keep of the wearer's node.

    What will go is shown first. Roles that run for the wearer are asked to forget too: their music goes on,
    nothing more is kept.
    """
    from daemon.configuration.merging import asked_wearer, settings_from
    from daemon.forgetting.kept_files import everybody, everybodys, summary, what_is_kept

    given = {"wearer": name, "node": node, "broker": broker}
    settings = settings_from({key: value for key, value in given.items() if value is not None})
    asked_wearer()  # what lies there of an earlier version is not this wearer's, unless it says so
    state = _wearer(settings).state
    wearers = everybody(state) if everyone else [_wearer(settings)]
    kept = {wearer: what_is_kept(wearer) for wearer in wearers}
    shared = everybodys(state) if everyone else []
    roles, topics = _running(settings, wearers), _topics(settings, wearers, named=node is not None)
    if not any(kept.values()) and not shared and not roles and not topics:
        click.echo(f"nothing is known of {', '.join(w.name for w in wearers) or 'anybody'}")
        return 0
    for wearer, files in kept.items():
        click.echo(f"{wearer.name}:")
        for line in summary(files):
            click.echo(f"  {line}")
    for line in summary(shared):
        click.echo(f"of all wearers: {line}")
    for role in roles:
        click.echo(f"and the {role.role} of node {role.node}, which runs, keeps nothing more")
    for where, there in topics.items():
        click.echo(f"and what {where.url} keeps of node {', '.join(there)}")
    if not _agreed(everyone, yes):
        click.echo("nothing was deleted")
        return 1
    return _carry_out(settings, wearers, roles, topics, everyone=everyone)


def _wearer(settings: Settings) -> Wearer:
    from daemon.wearers.wearer import wearer_of

    return wearer_of(settings)


def _agreed(everyone: bool, yes: bool) -> bool:
    if everyone:
        return bool(click.prompt(f"Type {WORD} to delete all of it for good", default="") == WORD)
    return yes or click.confirm("Delete them for good?")


def _running(settings: Settings, wearers: Sequence[Wearer]) -> list[Running]:
    """The roles that run on this machine for one of these."""
    from pathlib import Path

    from daemon.processes.locks import running_roles, wearer_mark

    marks = {wearer_mark(wearer.name) for wearer in wearers}
    return [role for role in running_roles(Path(settings.state_dir)) if role.wearer_mark in marks]


def _topics(
    settings: Settings, wearers: Sequence[Wearer], *, named: bool
) -> Mapping[BrokerSettings, list[str]]:
    """Which nodes are cleared on which broker: those that play for the wearer, and the one that is named.

    A node that plays for somebody else now is left alone.
    """
    from daemon.configuration.merging import broker_at
    from daemon.processes.locks import running_roles

    ours = _running(settings, wearers)
    found: dict[BrokerSettings, set[str]] = {}
    for role in ours:
        if role.broker_url:
            found.setdefault(broker_at(settings, role.broker_url), set()).add(role.node)
    if settings.broker.named:
        nodes = {settings.node} if named else {wearer.name for wearer in wearers}
        others = {role.node for role in running_roles(wearers[0].state)} if wearers else set()
        left = nodes - (others - {role.node for role in ours})
        if left:
            found.setdefault(settings.broker, set()).update(left)
    return {broker: sorted(nodes) for broker, nodes in found.items()}


def _carry_out(
    settings: Settings,
    wearers: Sequence[Wearer],
    roles: Sequence[Running],
    topics: Mapping[BrokerSettings, list[str]],
    *,
    everyone: bool,
) -> int:
    from pathlib import Path

    from daemon.forgetting import kept_files

    done = kept_files.ForgetReport()
    asyncio.run(_ask(settings, wearers, roles, done))
    for wearer in wearers:
        kept_files.forget_files(wearer, done)
    if everyone:
        kept_files.forget_everybodys(Path(settings.state_dir), done)
    asyncio.run(_clear(settings, topics, done))
    kept_files.wipe_databases([Path(settings.state_dir), Path(settings.cache_dir)], done)
    _receipt(wearers, done)
    return 1 if done.failures else 0


async def _ask(
    settings: Settings, wearers: Sequence[Wearer], roles: Sequence[Running], done: ForgetReport
) -> None:
    from daemon.configuration.merging import broker_at
    from daemon.forgetting.asking import ask_roles
    from daemon.processes.locks import wearer_mark

    for wearer in wearers:
        theirs = [role for role in roles if role.wearer_mark == wearer_mark(wearer.name) and role.broker_url]
        for url in sorted({role.broker_url for role in theirs}):
            asked = [role for role in theirs if role.broker_url == url]
            await ask_roles(broker_at(settings, url), wearer.name, asked, done)


async def _clear(settings: Settings, topics: Mapping[BrokerSettings, list[str]], done: ForgetReport) -> None:
    from daemon.forgetting.asking import clear_topics

    for broker, nodes in topics.items():
        for node in nodes:
            await clear_topics(broker, settings.home_assistant, node, done)


def _receipt(wearers: Sequence[Wearer], done: ForgetReport) -> None:
    """What was done, file by file, and when."""
    for path, size in done.files:
        click.echo(f"deleted {path.name} ({size} bytes)")
    for topic in done.topics:
        click.echo(f"deleted the retained message of {topic}")
    for who in done.confirmed:
        click.echo(f"confirmed by the {who}: nothing more is kept")
    names = ", ".join(wearer.name for wearer in wearers)
    click.echo(
        f"Receipt: {names}: {len(done.files)} files, {done.size_bytes} bytes and {len(done.topics)} retained "
        f"messages deleted at {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    )
    for failure in done.failures:
        click.echo(f"not done: {failure}", err=True)
