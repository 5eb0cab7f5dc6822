"""``neuroplayer service``: run at boot under systemd, hardened."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from daemon.errors import BadInputError

BOOTED = Path("/run/systemd/system")
"""Is there where systemd runs this machine (see sd_booted(3))."""


@click.group()
def service() -> None:
    """Run at boot under systemd, as a user of its own, hardened."""


@service.command()
@click.option("--split", is_flag=True, help="One service a role instead of one for all.")
@click.option("--home-music", is_flag=True, help="Let it read the home folders, for music that lies there.")
@click.option("--internet", is_flag=True, help="Let it reach the internet, for radio and podcasts.")
@click.option("--root", metavar="DIR", default="/", help="Write below this folder, e.g. an image to be.")
@click.option("--show", is_flag=True, help="Print the units and write nothing.")
def install(split: bool, home_music: bool, internet: bool, root: str, show: bool) -> None:
    """Write the units, the user's definition and a first configuration.

    A file of such a name that this program did not write, or that was changed since, is left alone.
    """
    from daemon.processes.service_files import SYSUSERS_FILE, UNITS, sealed
    from daemon.processes.systemd_units import CONFIG, ROLES, SYSUSERS, UnitError, unit, unit_name

    roles = ROLES if split else ("run",)
    try:
        units = [unit(role, music_at_home=home_music, internet=internet) for role in roles]
    except UnitError as error:
        raise BadInputError(str(error)) from None
    if show:
        for one in units:
            click.echo(f"# {one.name}\n{one.text}")
        return
    base = Path(root)
    files = {base / UNITS / one.name: sealed(one.text) for one in units}
    files[base / SYSUSERS_FILE] = sealed(SYSUSERS)
    _refuse_foreign(list(files))
    for path, text in files.items():
        _write(path, text)
    config = base / CONFIG.lstrip("/")
    if not config.exists():
        from daemon.configuration.explained import template

        _write(config, template(), 0o600)
    names = " ".join(unit_name(role) for role in roles)
    _warn_of_the_other_kind(base, {one.name for one in units})
    if not internet:
        click.echo("It reaches this machine and the home network only; for radio and podcasts: --internet")
    click.echo("Now run, as root:")
    click.echo(f"  systemd-sysusers && chown -R neuroplayer: {Path(CONFIG).parent}")
    click.echo(f"  systemctl daemon-reload && systemctl enable --now {names}")


@service.command()
@click.option("--root", metavar="DIR", default="/", help="Look below this folder, as with install.")
@click.option("--show", is_flag=True, help="Print what would be removed and remove nothing.")
def uninstall(root: str, show: bool) -> None:
    """Stop and disable the units and remove what install wrote, and nothing else.

    Configuration, recordings, rests, histories and the user stay. A file that install did not write, or that
    was changed since, is named, and then nothing is removed.
    """
    from daemon.processes.service_files import find, remove
    from daemon.processes.systemd_units import CONFIG

    base = Path(root)
    installed, complaints = find(base)
    if complaints:
        raise BadInputError("; ".join(complaints) + ": remove it yourself, then run this again")
    if not installed.files:
        click.echo(f"Nothing is installed below {base}.")
        return
    if show:
        for path in (*installed.links, *installed.files):
            click.echo(f"Would be removed: {path}")
        return
    control = systemctl_for(base)
    if control is not None and installed.units:
        _ask_systemd(control, "disable", "--now", *installed.units)
        _take_from_home_assistant(base / CONFIG.lstrip("/"))
    try:
        remove(installed)
    except OSError as error:
        raise BadInputError(
            f"{error.filename} cannot be removed ({error.strerror}): run it as root"
        ) from None
    for path in (*installed.links, *installed.files):
        click.echo(f"Removed: {path}")
    if control is not None:
        _ask_systemd(control, "daemon-reload")
    _print_what_stays(base)


def _take_from_home_assistant(config: Path) -> None:
    """Nobody is to see a player there that is none any more. What hinders it hinders nothing else."""
    import asyncio

    from daemon.configuration.merging import settings_from
    from daemon.home.removal import remove_node

    try:
        settings = settings_from({"config": str(config)})
    except BadInputError as error:
        click.echo(f"Home Assistant was not told: {error}", err=True)
        return
    if settings.broker.named:
        gone = asyncio.run(remove_node(settings.broker, settings.home_assistant, settings.node))
        hint = f"not reached, later: neuroplayer home-assistant remove --node {settings.node}"
        what = hint if gone is None else f"{len(gone)} messages deleted"
        click.echo(f"Taken away from Home Assistant at {settings.broker.url}: {what}")


def _warn_of_the_other_kind(base: Path, written: set[str]) -> None:
    from daemon.processes.service_files import find

    others = sorted(set(find(base)[0].units) - written)
    if others:
        click.echo(
            f"Installed before, and in the way of these: {', '.join(others)} "
            "(`neuroplayer service uninstall` removes both kinds)",
            err=True,
        )


def systemctl_for(base: Path) -> str | None:
    """The program to ask, where ``base`` is this machine and systemd runs it."""
    return shutil.which("systemctl") if base.resolve() == Path("/") and BOOTED.is_dir() else None


def _ask_systemd(control: str, *words: str) -> None:
    from daemon.processes.service_files import systemctl

    complaint = systemctl(control, *words)
    if complaint:
        raise BadInputError(f"systemctl {words[0]}: {complaint}: run it as root")
    click.echo(f"Done: systemctl {' '.join(words)}")


def _print_what_stays(base: Path) -> None:
    from daemon.processes.service_files import UNITS
    from daemon.processes.systemd_units import CONFIG, ROLES, USER, unit_name

    mine = [Path(CONFIG).parent, Path(f"/var/lib/{USER}"), Path(f"/var/cache/{USER}")]
    changes = [Path("/", UNITS, f"{unit_name(role)}.d") for role in ("run", *ROLES)]
    for path in (base / folder.relative_to("/") for folder in (*mine, *changes)):
        if path.exists():
            click.echo(f"Kept: {path}")
    click.echo(f"Kept: the user {USER}, where there is one (`userdel {USER}` removes it)")


def _refuse_foreign(paths: list[Path]) -> None:
    from daemon.processes.service_files import ForeignFileError, require_own

    complaints: list[str] = []
    for path in paths:
        try:
            require_own(path)
        except ForeignFileError as error:
            complaints.append(str(error))
    if complaints:
        raise BadInputError("; ".join(complaints) + ": move it away, then run this again")


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    from daemon.processes.service_files import write

    try:
        write(path, text, mode)
    except OSError as error:
        raise BadInputError(f"{path} cannot be written ({error.strerror}): run it as root") from None
    click.echo(f"Written: {path}")
