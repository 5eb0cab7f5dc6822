"""Outputs as a person types them: ``device``, ``pulse:NAME``, ``wav:FILE``, ``fifo:FILE``, ``null``.

Several at once are joined by commas: ``device,fifo:/tmp/snapfifo``.
"""

from __future__ import annotations

import re
from pathlib import Path

from player.sink import NullSink, Sink

SERVICES = ("device", "pulse", "pipewire", "alsa", "jack")
GO_ON = "wav+"
"""``wav+:FILE`` goes on with a file that a player which died has left."""
FORMS = "device[:NAME], pulse[:NAME], pipewire[:NAME], alsa[:NAME], jack[:NAME], wav:FILE, fifo:FILE or null"


MAX_OUTPUTS = 8
_NEXT = re.compile(r",(?=\s*(?:device|pulse|pipewire|alsa|jack|wav|wav\+|fifo|null)\s*(?:[:,]|$))")


class OutputError(ValueError):
    """No such output. The message names the value and the rule."""


def split_outputs(text: str) -> tuple[str, ...]:
    """The single outputs of a list; a comma inside a name or path stays. Raises OutputError."""
    parts = tuple(part.strip() for part in _NEXT.split(text))
    if len(parts) > MAX_OUTPUTS:
        raise OutputError(f"output may be {MAX_OUTPUTS} at once at most, got {len(parts)}")
    twice = next((part for part in parts if parts.count(part) > 1), None)
    if twice is not None:
        raise OutputError(f"output {twice!r:.120} is named twice")
    return parts


def make_sink(text: str) -> Sink:
    """The unopened sink that is meant. Raises OutputError."""
    kind, _, argument = text.strip().partition(":")
    if text == "null":
        return NullSink()
    if kind in SERVICES:
        from player.outputs.device_sink import DeviceSink

        return DeviceSink("" if kind == "device" else kind, argument)
    if kind in ("wav", GO_ON, "fifo") and argument:
        return _file_sink(kind, Path(argument))
    raise OutputError(f"output {text!r:.120} must be {FORMS}")


def _file_sink(kind: str, path: Path) -> Sink:
    if not path.absolute().parent.is_dir():
        raise OutputError(f"output {str(path)!r:.200} cannot be written: its folder does not exist")
    if path.is_dir():
        raise OutputError(f"output {str(path)!r:.200} cannot be written: it is a folder")
    if kind == "fifo" and path.exists() and not path.is_fifo():
        raise OutputError(f"output {str(path)!r:.200} is no named pipe: remove it or choose another name")
    if kind != "fifo" and _holds_something_else(path):
        raise OutputError(f"output {str(path)!r:.200} holds something that is no WAV: it is not overwritten")
    go_on = kind == GO_ON
    if go_on or kind == "wav":
        from player.outputs.wav_sink import WavSink

        return WavSink(path, go_on=go_on)
    from player.outputs.fifo_sink import FifoSink

    return FifoSink(path)


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
