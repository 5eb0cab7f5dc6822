"""``neuroplayer config``: make, check and show the one configuration file."""

from __future__ import annotations

import os
from pathlib import Path

import click
import msgspec

from daemon.errors import BadInputError


@click.group()
def config() -> None:
    """Make, check and show the configuration.

    One TOML file; environment variables NEUROPLAYER_SECTION_KEY go over it, flags over both.
    """


def _path(given: str | None) -> Path:
    from daemon.places import config_file

    return Path(given) if given else config_file()


FILE = click.option("--config", "path", metavar="FILE", help="Another file than the usual one.")
PROFILE = click.option("--profile", metavar="NAME", help="With this profile on top.")


@config.command()
@FILE
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def init(path: str | None, force: bool) -> None:
    """Write a file with every key explained and commented out, mode 0600."""
    from daemon.configuration.explained import template

    target = _path(path)
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if force else os.O_EXCL)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(target, flags, 0o600)
    except FileExistsError:
        raise BadInputError(f"{target} is there already: --force overwrites it") from None
    except OSError as error:
        raise BadInputError(f"{target} cannot be written ({error.strerror})") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(template())
    click.echo(f"Written: {target}")


@config.command()
@FILE
@PROFILE
def check(path: str | None, profile: str | None) -> None:
    """Check file and environment; every problem is named at once."""
    from daemon.configuration.environment import unknown_variables
    from daemon.configuration.file import read_all

    if line := unknown_variables():
        click.echo(f"neuroplayer: {line}", err=True)
    target = _path(path)
    values = read_all(target, profile, must_exist=path is not None)
    there = str(target) if target.exists() else f"no file at {target}"
    click.echo(f"Good: {there}, {len(values)} keys set")


@config.command()
@FILE
@PROFILE
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--paths", is_flag=True, help="Whole paths, for this machine's eyes only.")
def show(path: str | None, profile: str | None, as_json: bool, paths: bool) -> None:
    """Show what is in force from file and environment: secrets masked, of every path the last part."""
    from daemon.configuration.file import read_all
    from daemon.configuration.keys import KEYS
    from daemon.configuration.reading import MASK

    values = read_all(_path(path), profile, must_exist=path is not None)
    shown = {k.name: MASK if k.secret else _shown(values[k.name], paths) for k in KEYS if k.name in values}
    if as_json:
        click.echo(msgspec.json.encode(shown).decode())
        return
    if not shown:
        click.echo("# nothing is set: every key has its default, which config init explains")
    for name, value in shown.items():
        click.echo(f"{name} = {msgspec.json.encode(value).decode()}")


def _shown(value: object, paths: bool) -> object:
    """A value as it stands in the file; addresses without the password in them."""
    from daemon.settings import BrokerSettings, WebSettings
    from player.location import printable_spec, without_secrets

    if isinstance(value, BrokerSettings):
        return value.url
    if isinstance(value, WebSettings):
        return f"{value.host}:{value.port}"
    if isinstance(value, tuple | list):
        return [_shown(one, paths) for one in value]
    if not isinstance(value, str):
        return value
    return without_secrets(value) if paths else printable_spec(value)
