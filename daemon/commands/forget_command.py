"""``neuroplayer forget``: deletes what is known of the wearer and says what that was."""

from __future__ import annotations

import asyncio

import click

from daemon.errors import BadInputError


@click.command()
@click.option("--broker", metavar="URL", help="The broker whose retained messages are deleted as well.")
@click.option("--node", metavar="NAME", default="home", help="Name of the node in the MQTT topics.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(broker: str | None, node: str, yes: bool) -> int:
    """Delete recordings, rests, labels, histories and models made from the wearer, and retained messages.

    A session that is being recorded stops recording within a second.
    """
    from daemon import options, places
    from daemon.forgetting import Forgotten, forget_files, forget_topics, summary, what_is_known
    from daemon.topics import TopicError, checked_node

    try:
        checked_node(node)
    except TopicError as error:
        raise BadInputError(str(error)) from None
    state, settings = places.state_dir(), options.parse_broker(broker) if broker else None
    known = what_is_known(state)
    if not known and settings is None:
        click.echo(f"nothing is known: there is no file of a wearer under {state}")
        return 0
    for line in summary(state, known):
        click.echo(line)
    if settings is not None:
        click.echo(f"and what {settings.url} keeps of node {node}")
    if not yes and not click.confirm("Delete them for good?"):
        click.echo("nothing was deleted")
        return 1
    done = Forgotten()
    forget_files(state, done)
    if settings is not None:
        asyncio.run(forget_topics(settings, node, done))
    for path, size in done.files:
        click.echo(f"deleted {path} ({size} bytes)")
    for topic in done.topics:
        click.echo(f"deleted the retained message of {topic}")
    for failure in done.failures:
        click.echo(f"not deleted: {failure}", err=True)
    return 1 if done.failures else 0
