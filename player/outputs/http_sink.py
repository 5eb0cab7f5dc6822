"""What plays as a live stream over HTTP, for browsers, players and loudspeakers."""

from __future__ import annotations

import contextlib
import re
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

from player.deck import PcmBlock
from player.outputs.place import Place
from player.private_file import PrivateFileError, read_private, write_private
from player.reading.sound_opening import av_problem
from player.sink import SinkError

if TYPE_CHECKING:
    from player.outputs.stream.stream_server import StreamServer

STREAM_PORT = 8800
TOKEN_BYTES = 16
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,200}")
END_S = 0.5
"""So long listeners may take for the last they were given."""


class HttpSink:
    """Serves ``/stream.mp3``, ``/stream.opus`` and ``/stream.flac`` to as many as ``MAX_LISTENERS``.

    Blocks are handed to each listener's own line and encoded in its own thread: one that stalls is dropped,
    and the mixer never waits. With a ``token_file``, which is made where it is not there, only those who
    bring the token are served.
    """

    paces = False

    def __init__(self, place: Place, token_file: Path | None = None) -> None:
        self._place = place
        self._token_file = token_file
        self._server: StreamServer | None = None
        self._title = ""

    @property
    def name(self) -> str:
        """``http:``, host and port."""
        return f"http:{self._place}"

    def open(self) -> None:
        """Listen. Raises SinkError."""
        problem = av_problem()
        if problem is not None:
            raise SinkError(f"{self.name}: {problem}")
        # imported late: those who write to a file need neither the encoders nor a server
        from player.outputs.stream.station import Station
        from player.outputs.stream.stream_server import StreamServer

        try:
            token = None if self._token_file is None else kept_token(self._token_file)
            station = Station()
            station.title = self._title
            self._server = StreamServer(self._place, token, station)
        except PrivateFileError as error:
            raise SinkError(f"{self.name}: {error}") from error
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise SinkError(f"{self.name}: cannot be listened on ({why})") from error

    def set_title(self, title: str) -> None:
        """What listeners are told of what they hear from now on."""
        self._title = title
        if self._server is not None:
            self._server.station.title = title

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return 0 if self._server is None else self._server.station.listeners

    def write(self, block: PcmBlock, wait: bool = True) -> None:
        """Hand (n, 2) to every listener; never waits. Raises SinkError when it is not open."""
        server = self._server
        if server is None:
            raise SinkError(f"{self.name}: is not open")
        server.station.push(block)

    def close(self) -> None:
        """Let listeners hear the end, then hang up."""
        server, self._server = self._server, None
        if server is None:
            return
        server.station.end()
        until_s = time.monotonic() + END_S
        while server.station.listeners and time.monotonic() < until_s:
            time.sleep(0.01)
        server.close()


def kept_token(path: Path) -> str:
    """The token in a file of mode 0600, made on first use. Raises PrivateFileError, OSError."""
    with contextlib.suppress(FileExistsError):
        write_private(path, f"{secrets.token_hex(TOKEN_BYTES)}\n")
    token = read_private(path)
    if _TOKEN.fullmatch(token) is None:
        raise PrivateFileError(f"{path}: a token is 16 to 200 letters, digits, - and _")
    return token
