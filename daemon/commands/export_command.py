"""``neuroplayer export``: a recorded session for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from daemon.errors import BadInputError


@click.command()
@click.argument("session", type=click.Path(path_type=Path))
@click.argument("to", type=click.Path(path_type=Path))
@click.option("--overwrite", is_flag=True, help="Replace a file that is there already.")
def export(session: Path, to: Path, overwrite: bool) -> None:
    """Write a recorded SESSION (XDF) to a file TO that ends with .edf, .bdf or .csv.

    EDF+ and BDF+ carry the states, the music and the gaps as annotations (gaps begin with BAD, as MNE
    expects); CSV has one row a sample.
    """
    from acquisition.export import ExportError, export_session
    from acquisition.port import UnknownSourceError

    try:
        written = export_session(session.expanduser(), to.expanduser(), overwrite=overwrite)
    except (ExportError, UnknownSourceError) as error:
        raise BadInputError(str(error)) from None
    click.echo(f"{written}: {written.stat().st_size} bytes")
