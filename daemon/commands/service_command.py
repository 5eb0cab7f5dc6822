"""``neuroplayer service``: run at boot under systemd, hardened."""

from __future__ import annotations

import os
from pathlib import Path

import click

from daemon.errors import BadInputError


@click.group()
def service() -> None:
    """Run at boot under systemd, as a user of its own, hardened."""


@service.command()
@click.option("--split", is_flag=True, help="One service a role instead of one for all.")
@click.option("--home-music", is_flag=True, help="Let it read the home folders, for music that lies there.")
@click.option("--root", metavar="DIR", default="/", help="Write below this folder, e.g. an image to be.")
@click.option("--show", is_flag=True, help="Print the units and write nothing.")
def install(split: bool, home_music: bool, root: str, show: bool) -> None:
    """Write the units, the user's definition and a first configuration."""
    from daemon.systemd_units import CONFIG, ROLES, SYSUSERS, UnitError, unit, unit_name

    roles = ROLES if split else ("run",)
    try:
        units = [unit(role, music_at_home=home_music) for role in roles]
    except UnitError as error:
        raise BadInputError(str(error)) from None
    if show:
        for one in units:
            click.echo(f"# {one.name}\n{one.text}")
        return
    base = Path(root)
    for one in units:
        _write(base / "etc/systemd/system" / one.name, one.text)
    _write(base / "etc/sysusers.d/neuroplayer.conf", SYSUSERS)
    config = base / CONFIG.lstrip("/")
    if not config.exists():
        from daemon.config import template

        _write(config, template(), 0o600)
    names = " ".join(unit_name(role) for role in roles)
    click.echo("Now run, as root:")
    click.echo(f"  systemd-sysusers && chown -R neuroplayer: {Path(CONFIG).parent}")
    click.echo(f"  systemctl daemon-reload && systemctl enable --now {names}")


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        path.chmod(mode)
    except OSError as error:
        raise BadInputError(f"{path} cannot be written ({error.strerror}): run it as root") from None
    click.echo(f"Written: {path}")
