"""Sends 16-bit samples over TCP to a Snapcast server that offers a ``tcp`` source."""

from __future__ import annotations

import contextlib
import socket

from player.deck import PcmBlock
from player.outputs.frame_line import LINE_BYTES, FrameLine
from player.outputs.place import Place
from player.sink import SinkError

SNAPCAST_PORT = 4953
CONNECT_S = 5.0


class TcpSink:
    """Stereo, 16 bit, 48 kHz, little-endian: ``source = tcp://0.0.0.0:4953?name=mood&mode=server``.

    A server that takes nothing costs whole frames, which are counted; the music never waits for it.
    """

    paces = False

    def __init__(self, place: Place) -> None:
        self._place = place
        self._socket: socket.socket | None = None
        self._line = FrameLine()

    @property
    def name(self) -> str:
        """``tcp:`` and the server's host and port."""
        return f"tcp:{self._place}"

    @property
    def dropped_frames(self) -> int:
        """Frames that the server did not take."""
        return self._line.dropped_frames

    @property
    def problem(self) -> str | None:
        """That the server takes nothing, where it does not."""
        return f"{self.name}: the server takes no sound" if self._line.untaken else None

    def open(self) -> None:
        """Connect. Raises SinkError."""
        try:
            connected = socket.create_connection((self._place.host, self._place.port), CONNECT_S)
        except OSError as error:
            raise SinkError(f"{self.name}: no server can be reached ({error.strerror or error})") from error
        connected.setblocking(False)
        # what waits in the kernel would be heard late by a server that stalled
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LINE_BYTES)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._line.forget()
        self._line.taken()
        self._socket = connected

    def write(self, block: PcmBlock, wait: bool = True) -> None:
        """Send of (n, 2) what the server has room for; never waits. Raises SinkError when it is gone."""
        connected = self._socket
        if connected is None:
            raise SinkError(f"{self.name}: is not connected")
        self._line.push(block)
        try:
            self._line.send(self._send)
            _refuse_the_end(connected)
        except OSError as error:
            raise SinkError(f"{self.name}: the server is gone ({error.strerror or error})") from error

    def _send(self, data: bytes) -> int:
        sent = 0 if self._socket is None else self._socket.send(data)
        self._line.taken()
        return sent

    def close(self) -> None:
        """Hang up."""
        connected, self._socket = self._socket, None
        if connected is not None:
            connected.close()


def _refuse_the_end(connected: socket.socket) -> None:
    """A server that has hung up is noticed before the second block is lost on it. Raises OSError."""
    with contextlib.suppress(BlockingIOError):
        if not connected.recv(4096):
            raise ConnectionResetError("it hung up")
