"""``neuroplayer devices``: what could be read from, how good its signal is, and electrode impedance."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

import click

from daemon.configuration.flags import option_of
from daemon.errors import BadInputError
from daemon.safe_text import harmless_text
from player.location import quoted

Kind = TypeVar("Kind")

GLANCE_S = 4.0
"""How long each LSL stream of type EEG is listened to."""


@click.command()
@option_of("session.source", "--preview SOURCE", help="Watch the signal quality of this source until Ctrl-C.")
@click.option("--seconds", type=float, default=None, metavar="N", help="End the preview after so long.")
@option_of("session.source", "--impedance SOURCE", help="Measure electrode impedance (Cyton and Ganglion).")
@click.option("--boards", is_flag=True, help="List every board that BrainFlow can read.")
@click.option("--scope", type=click.Choice(["machine", "link", "site"]), default="machine", show_default=True)
@click.option("--no-preview", is_flag=True, help="Do not listen to the LSL streams that are found.")
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")
def devices(
    preview: str | None,
    seconds: float | None,
    impedance: str | None,
    boards: bool,
    scope: str,
    no_preview: bool,
    as_json: bool,
) -> None:
    """List serial ports, LSL streams with a look at their signal, and the boards that can be read."""
    from acquisition.port import SourceError

    try:
        if impedance is not None:
            _impedance(impedance)
        elif preview is not None:
            asyncio.run(_watch(preview, 1e9 if seconds is None else seconds))
        else:
            _list(scope, boards=boards, glance=not no_preview, as_json=as_json)
    except SourceError as error:
        raise BadInputError(str(error)) from None


def _there(look: Callable[[], list[Kind]]) -> list[Kind]:
    """What is found; where the library for it is missing that is told, and nothing is."""
    from acquisition.port import MissingPartError

    try:
        return look()
    except MissingPartError as error:
        click.echo(f"neuroplayer: {error}", err=True)
        return []


def _list(scope: str, *, boards: bool, glance: bool, as_json: bool) -> None:
    from acquisition.headsets import devices as found

    ports = found.serial_ports()
    streams, known = _there(lambda: found.lsl_streams(scope)), _there(found.boards)
    signals = asyncio.run(_glances([s.source for s in streams if glance and s.type == "EEG"]))
    if as_json:
        lsl = [{**asdict(stream), "signal": signals.get(stream.source)} for stream in streams]
        answer = {"serial_ports": ports, "lsl": lsl, "boards": [asdict(board) for board in known]}
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    click.echo(f"Serial ports: {', '.join(ports) or 'none'}")
    click.echo(f"LSL streams ({scope}): {'' if streams else 'none'}")
    for stream in streams:
        about = f"{stream.type}, {stream.channels} channels, {stream.rate_hz:g} Hz, on {stream.host}"
        click.echo(harmless_text(f"  --source {stream.source}  ({about})"))
        if stream.source in signals:
            click.echo(f"      {signals[stream.source]}")
    if not boards:
        click.echo(f"BrainFlow: {len(known)} boards with EEG; devices --boards lists them")
        return
    click.echo("BrainFlow boards:")
    for board in known:
        names = ",".join(board.channels[:8]) + (",.." if len(board.channels) > 8 else "")
        also = ", ".join([*board.extras, *(["battery"] if board.battery else [])])
        click.echo(f"  --source {board.source}  ({board.number}: {board.rate_hz:g} Hz, {names}; also {also})")


async def _glances(sources: list[str]) -> dict[str, str]:
    return dict(zip(sources, await asyncio.gather(*map(_glance, sources)), strict=True))


async def _glance(source: str) -> str:
    """The last word on a source after some seconds; what is wrong with one spoils no list."""
    from acquisition.port import SourceError

    last = ""
    try:
        async for line in _lines(source, GLANCE_S):
            last = line
    except SourceError as error:
        last = str(error)
    return last


async def _watch(source: str, seconds: float) -> None:
    async for line in _lines(source, seconds):
        click.echo(line)


async def _lines(source: str, seconds: float) -> Any:
    from acquisition.signal import HeadsetStatus
    from acquisition.source_spec import parse_source
    from daemon.diagnosis.signal_preview import preview, quality_line

    async for found in preview(parse_source(source), seconds):
        if isinstance(found, HeadsetStatus):
            device = found.info.device if found.info else source
            yield harmless_text(f"{device}: {found.state}" + (f", {found.reason}" if found.reason else ""))
        else:
            yield quality_line(found)


def _impedance(source: str) -> None:
    from acquisition.headsets.impedance import measure
    from acquisition.source_spec import parse_source

    spec = parse_source(source)
    if spec.kind != "brainflow":
        raise BadInputError(
            f"impedance: {quoted(source, 120)} must be a BrainFlow board, as in brainflow:CYTON_BOARD"
        )
    for found in measure(spec.argument, spec.options):
        ohm = "not connected" if found.ohm == float("inf") else f"{found.ohm / 1e3:.1f} kOhm"
        click.echo(f"{found.channel}: {ohm}, {found.verdict}")
