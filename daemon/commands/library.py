"""``neuroplayer library``: what is known of the music folders."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from daemon.configuration.flags import option_of
from daemon.errors import BadInputError
from daemon.safe_text import harmless_text

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


def _common(command: CommandT) -> CommandT:
    command = click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")(command)
    text = "A music folder or playlist; may be given again. The configured ones by default."
    given: CommandT = option_of("music.folders", help=text)(command)
    return given


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def library() -> None:
    """Scan, list, show, tag and map the session's music folders (with none configured: the demo tracks)."""


@library.command(short_help="Measure every track.")
@_common
def scan(music: tuple[str, ...], as_json: bool) -> None:
    """Measure every track and wait until all are known."""
    from player.library.commands import scan_library

    on_progress = None if as_json or not sys.stderr.isatty() else _progress_line
    report = _answer(lambda: scan_library(*_places(music), on_progress))
    if as_json:
        _print_json(report)
        return
    click.echo(f"{report['playable']} playable tracks, {report['measured']} measured")
    for refused in report["refused"]:
        click.echo(harmless_text(f"not played: {refused['path']}: {refused['reason']}"))


@library.command("list")
@click.option("--refused", is_flag=True, help="List what is not played, and why.")
@_common
def list_command(refused: bool, music: tuple[str, ...], as_json: bool) -> None:
    """List the tracks that are known."""
    from player.library.commands import list_refused, list_tracks

    rows = _answer(lambda: (list_refused if refused else list_tracks)(*_places(music)))
    if as_json:
        _print_json(rows)
    elif refused:
        for row in rows:
            click.echo(harmless_text(f"{row['path']}: {row['reason']}"))
        if not rows:
            click.echo("nothing that was found is left out", err=True)
    else:
        for row in rows:
            click.echo(_track_line(row))
        if not rows:
            from player.library.commands import UNKNOWN

            click.echo(UNKNOWN, err=True)


@library.command(short_help="Show all that is known of a track.")
@click.argument("name")
@_common
def show(name: str, music: tuple[str, ...], as_json: bool) -> None:
    """Show all that is known of the track NAME (a line of the list, id, path or part of the title)."""
    from player.library.commands import show_track

    track = _answer(lambda: show_track(*_places(music), name))
    if as_json:
        _print_json(track)
        return
    for key, value in track.items():
        click.echo(harmless_text(f"{key + ':':20} {_plain(value)}"))


@library.command(short_help="State the mood of a track.")
@click.argument("name")
@click.argument("mood")
@_common
def tag(name: str, mood: str, music: tuple[str, ...], as_json: bool) -> None:
    """State the MOOD of the track NAME: a word such as calm, or VALENCE,AROUSAL."""
    from player.library.commands import tag_track

    report = _answer(lambda: tag_track(*_places(music), name, mood))
    if as_json:
        _print_json(report)
    else:
        click.echo(f"{report['track']}: arousal {report['arousal']:+.2f}, written to {report['sidecar']}")


@library.command("map", short_help="Draw the library to a picture.")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@_common
def map_command(out: Path, music: tuple[str, ...], as_json: bool) -> None:
    """Draw the library in the plane of valence and arousal to OUT (.svg or .png)."""
    from player.library.commands import draw_library_map

    report = _answer(lambda: draw_library_map(*_places(music), out))
    if as_json:
        _print_json(report)
    else:
        click.echo(f"{report['tracks']} tracks drawn to {report['map']}")


def _places(music: tuple[str, ...]) -> tuple[list[Path], Path]:
    from daemon.configuration.merging import settings_from
    from player.demo.demo_music import ensure_demo_music

    settings = settings_from({"music": music})
    cache = Path(settings.cache_dir)
    return [Path(folder) for folder in settings.music] or [ensure_demo_music(cache)], cache


def _answer(ask: Callable[[], Any]) -> Any:
    """Ask, and turn every refusal into one line."""
    try:
        return ask()
    except ValueError as error:  # LibraryError, MapError, UnknownTargetError
        raise BadInputError(str(error)) from None
    except OSError as error:
        raise BadInputError(f"{error.filename or 'file'}: {error.strerror or error}") from None


def _progress_line(progress: Any) -> None:
    click.echo(f"\r{progress.measured} of {progress.known} measured ", nl=False, err=True)
    if progress.idle:
        click.echo(err=True)


def _track_line(row: dict[str, Any]) -> str:
    mood = row["mood"]
    minutes = f"{row['duration_s'] // 60:.0f}:{row['duration_s'] % 60:02.0f}"
    name = f"{row['title']} ({row['artist'] or 'unknown artist'})"
    return f"{row['id']}  {mood['arousal']:+.2f}  {minutes:>6}  {name}"


def _plain(value: Any) -> str:
    if value is None:
        return "not known"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(one)}" for key, one in value.items())
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _print_json(answer: Any) -> None:
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
