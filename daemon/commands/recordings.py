"""``neuroplayer replay``: a recorded session through the same pipeline and policy again."""

from __future__ import annotations

import time
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


@click.command()
@click.argument("session", type=click.Path(path_type=Path))
@click.option("--speed", metavar="N|max", default="1", help="Speed of the replay; max for evaluation.")
@click.option("--json", "as_json", is_flag=True, help="Print every state and decision as one JSON line.")
def replay(session: Path, speed: str, as_json: bool) -> int:
    """Replay a recorded SESSION and hold every state and decision against the recording.

    Exit status: 0 all are the same byte for byte, 1 some differ, 2 bad input.
    """
    from acquisition.port import UnknownSourceError
    from daemon.configuration import values
    from daemon.recording.replay_report import ReplayReport
    from player.choice.chooser_replay import ChooserLogError

    pace = _Pace(values.parse_speed(speed))
    try:
        report = ReplayReport(_checked(session), write=click.echo if as_json else None)
        for at_s in report.run():
            pace.wait(at_s)
    except (UnknownSourceError, ChooserLogError) as error:
        raise BadInputError(str(error)) from None
    for line in report.lines():
        click.echo(line, err=as_json)
    return 0 if report.same else 1


def _checked(session: Path) -> Path:
    from acquisition.recording.input_file import check_file
    from acquisition.recording.session_file import is_session

    if not is_session(check_file(session)):
        raise BadInputError(
            f"{session}: not a session recorded by neuroplayer; "
            f"other recordings are played with: neuroplayer run --source replay:{session}"
        )
    return session


class _Pace:
    """Waits until a stream time is due at the wanted speed."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._begin: tuple[float, float] | None = None

    def wait(self, at_s: float) -> None:
        if self._speed is None:
            return
        if self._begin is None:
            self._begin = (time.monotonic(), at_s)
        due_s = self._begin[0] + (at_s - self._begin[1]) / self._speed
        time.sleep(min(60.0, max(0.0, due_s - time.monotonic())))
