"""Without a named source: looks for a headset on this machine, and says in plain words what is taken and why.

A headset is taken unasked only where there is exactly one: with several, nobody but the listener knows which
of them is on his head (docs/decisions/0089-the-headset-is-looked-for.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from acquisition.headsets.devices import openbci_dongle
from acquisition.port import NO_LSL
from daemon.processes.child_patience import within

WAIT_S = 12.0
"""The searching process has so long of its own time to start and to end, over the look itself. Then it counts
as fruitless: states wait for it, music does not.
"""
MAX_ANSWER_BYTES = 64 * 1024
MAX_TOLD = 3
COMMAND = (sys.executable, "-m", "acquisition.lsl.search_process")


class FoundStream(msgspec.Struct, frozen=True):
    """What the searching process says of one LSL stream of EEG; ``unfit`` says why it is none to be taken."""

    source: str
    name: str
    channels: int
    rate_hz: float
    unfit: str = ""


@dataclass(frozen=True, slots=True)
class ChosenSource:
    """The source of the session, and the lines in which a person is told of it."""

    source: str
    lines: tuple[str, ...]


class NothingToLookWithError(Exception):
    """liblsl is missing."""


async def search(
    look_s: float, command: Sequence[str] = COMMAND, wait_s: float = WAIT_S
) -> list[FoundStream] | None:
    """The streams that answer a process of its own within ``look_s``, or None where it fails or is too slow.

    The process is gone when this returns, also when it is cancelled. Raises ``NothingToLookWithError``.
    """
    try:
        process = await _started((*command, str(look_s)))
    except OSError:
        return None
    try:
        said = await within(_answer(process), process.pid, look_s + wait_s)
        status = await process.wait()
        if status == NO_LSL:
            raise NothingToLookWithError
        return _understood(said, status)
    except TimeoutError:
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def _started(command: Sequence[str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )


async def _answer(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    said = b""
    while data := await process.stdout.read(MAX_ANSWER_BYTES):
        said += data
        if len(said) > MAX_ANSWER_BYTES:
            return b""
    return said


def _understood(said: bytes, status: int) -> list[FoundStream] | None:
    with contextlib.suppress(msgspec.MsgspecError):
        return msgspec.json.decode(said, type=list[FoundStream]) if status == 0 else None
    return None


def choose(
    streams: Sequence[FoundStream] | None, dongle: str | None, why: str = "the search for a headset failed:"
) -> ChosenSource:
    """The one headset that is there, else the simulated wearer; pure.

    ``dongle`` is a port to tell of, ``why`` the words for streams that could not be looked for.
    """
    if streams is None:
        return _made_up(why, "  name yours with --source", (), dongle)
    fit = [stream for stream in streams if not stream.unfit]
    aside = tuple(f"Left aside: LSL stream {_named(s)} {_shown(s.unfit)}" for s in streams if s.unfit)
    if len(fit) == 1:
        headset = f"Headset: LSL stream {_named(fit[0])} ({_size(fit[0])}) found on this machine"
        return ChosenSource(fit[0].source, (headset, *aside[:1]))
    if fit:
        return ChosenSource("simulated", _several(fit))
    how = "  start its LSL stream before this, or name a board: --source brainflow:BOARD"
    return _made_up("no headset was found:", how, aside, dongle)


async def chosen(look_s: float) -> ChosenSource:
    """Search for so long, and choose."""
    why, found, dongle = "the search for a headset failed:", None, None
    try:
        found = await search(look_s)
    except NothingToLookWithError:
        why = "none is looked for without liblsl (see doctor):"
    with contextlib.suppress(OSError, RuntimeError):  # a folder of devices may hold anything
        dongle = await asyncio.to_thread(openbci_dongle)
    return choose(found, dongle, why)


def _made_up(why: str, how: str, aside: tuple[str, ...], dongle: str | None) -> ChosenSource:
    """The lines fit a terminal of 80 columns: what is longer is cut off there."""
    lines = [f"Wearer: simulated, as {why}", how, *aside[:1]]
    if dongle is not None:
        source = f"--source brainflow:CYTON_BOARD,serial_port={dongle}"
        lines.append(f"  OpenBCI's dongle seems to be there: {source}")
    return ChosenSource("simulated", tuple(lines))


def _several(fit: Sequence[FoundStream]) -> tuple[str, ...]:
    more = len(fit) - MAX_TOLD
    told = [f"  --source {shlex.quote(s.source)}  ({_size(s)})" for s in fit[:MAX_TOLD]]
    return (
        f"Wearer: simulated, as {len(fit)} headsets were found and none is taken unasked; name yours:",
        *told,
        *([f"  and {more} more: neuroplayer devices"] if more > 0 else ()),
    )


def _size(stream: FoundStream) -> str:
    return f"{stream.channels} channel{'s' * (stream.channels != 1)}, {stream.rate_hz:g} Hz"


def _named(stream: FoundStream) -> str:
    return f"'{_shown(stream.name)}'"


def _shown(text: str, limit: int = 60) -> str:
    """A stream's own words, harmless on a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)[:limit]
