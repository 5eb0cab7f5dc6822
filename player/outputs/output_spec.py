"""Outputs as a person types them: ``device``, ``pulse:NAME``, ``wav:FILE``, ``fifo:FILE``, ``tcp:HOST``.

Several at once are joined by commas: ``device,fifo:/tmp/snapfifo``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from player.location import quoted
from player.outputs.place import Place, PlaceError, parse_place

if TYPE_CHECKING:  # a setting is checked without the sound libraries
    from player.sink import Sink

MAX_OUTPUTS = 8


class OutputError(ValueError):
    """No such output. The message names the value and the rule."""


@dataclass(frozen=True, slots=True)
class OutputKind:
    """What comes before the colon: how it is typed, and what makes its sink of what comes after."""

    form: str
    make: Callable[[str], Sink]
    file: bool = False
    """True: a path comes after the colon, and nothing that is no file of this kind is written over."""


def _device(backend: str, argument: str) -> Sink:
    from player.outputs.device_sink import DeviceSink

    return DeviceSink(backend, argument)


def _wav(path: str, *, go_on: bool = False) -> Sink:
    from player.outputs.wav_sink import WavSink

    if _holds_something_else(Path(path)):
        raise OutputError(f"output {quoted(path, 200)} holds something that is no WAV: it is not overwritten")
    return WavSink(Path(path), go_on=go_on)


def _fifo(path: str) -> Sink:
    from player.outputs.fifo_sink import FifoSink

    if Path(path).exists() and not Path(path).is_fifo():
        raise OutputError(f"output {quoted(path, 200)} is no named pipe: remove it or choose another name")
    return FifoSink(Path(path))


def _tcp(argument: str) -> Sink:
    from player.outputs.tcp_sink import SNAPCAST_PORT, TcpSink

    return TcpSink(_place("tcp", argument, Place("127.0.0.1", SNAPCAST_PORT)))


def _http(argument: str) -> Sink:
    from player.outputs.http_sink import STREAM_PORT, HttpSink

    written, asked, token_file = argument.partition(",token=")
    place = _place("http", written, Place("127.0.0.1", STREAM_PORT))
    if not asked and not place.is_loopback:
        raise OutputError(
            f"output http:{place} is open to the network: add ,token=FILE (it is made, for you alone)"
        )
    if asked:
        _check_place(Path(token_file))
    return HttpSink(place, Path(token_file) if asked else None)


def _place(kind: str, argument: str, default: Place) -> Place:
    try:
        return parse_place(argument, default)
    except PlaceError as error:
        raise OutputError(f"output {kind} {error}") from None


def _null(argument: str) -> Sink:
    from player.sink import NullSink

    if argument:
        raise OutputError(f"output null goes nowhere and takes no name, got {quoted(argument, 120)}")
    return NullSink()


KINDS: Mapping[str, OutputKind] = {
    "device": OutputKind("device[:NAME]", partial(_device, "")),
    "pulse": OutputKind("pulse[:NAME]", partial(_device, "pulse")),
    "pipewire": OutputKind("pipewire[:NAME]", partial(_device, "pipewire")),
    "alsa": OutputKind("alsa[:NAME]", partial(_device, "alsa")),
    "jack": OutputKind("jack[:NAME]", partial(_device, "jack")),
    "wav": OutputKind("wav:FILE", _wav, file=True),
    "wav+": OutputKind("", partial(_wav, go_on=True), file=True),  # what a player that died has left
    "fifo": OutputKind("fifo:FILE", _fifo, file=True),
    "tcp": OutputKind("tcp[:HOST[:PORT]]", _tcp),
    "http": OutputKind("http[:[HOST:]PORT[,token=FILE]]", _http),
    "null": OutputKind("null", _null),
}
"""Every output there is. Without a form it is for the product itself, and told to nobody."""
_FORMS = [kind.form for kind in KINDS.values() if kind.form]
FORMS = f"{', '.join(_FORMS[:-1])} or {_FORMS[-1]}"
_NEXT = re.compile(rf",(?=\s*(?:{'|'.join(map(re.escape, KINDS))})\s*(?:[:,]|$))")


def split_outputs(text: str) -> tuple[str, ...]:
    """The single outputs of a list; a comma inside a name or path stays. Raises OutputError."""
    parts = tuple(part.strip() for part in _NEXT.split(text))
    if len(parts) > MAX_OUTPUTS:
        raise OutputError(f"output may be {MAX_OUTPUTS} at once at most, got {len(parts)}")
    twice = next((part for part in parts if parts.count(part) > 1), None)
    if twice is not None:
        raise OutputError(f"output {quoted(twice, 120)} is named twice")
    return parts


def make_sink(text: str) -> Sink:
    """The unopened sink that is meant. Raises OutputError."""
    name, _, argument = text.strip().partition(":")
    kind = KINDS.get(name)
    if kind is None or (kind.file and not argument):
        raise OutputError(f"output {quoted(text, 120)} must be {FORMS}")
    if kind.file:
        _check_place(Path(argument))
    return kind.make(argument)


def is_file(output: str) -> bool:
    """True where a path comes after the colon."""
    kind = KINDS.get(output.partition(":")[0])
    return kind is not None and kind.file


def _check_place(path: Path) -> None:
    if not path.absolute().parent.is_dir():
        raise OutputError(f"output {quoted(str(path), 200)} cannot be written: its folder does not exist")
    if path.is_dir():
        raise OutputError(f"output {quoted(str(path), 200)} cannot be written: it is a folder")


def _holds_something_else(path: Path) -> bool:
    """A slip of the hand, ``wav:song.flac``, must not cost the song."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            begin = file.read(4)
    except OSError:
        return False  # opening it for writing will say what is wrong
    # a header that a full disk cut short is ours, too
    return not any(magic.startswith(begin) for magic in (b"RIFF", b"RF64"))
