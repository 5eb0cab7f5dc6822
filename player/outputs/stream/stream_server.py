"""The HTTP server of the live stream: ``/stream.mp3``, ``/stream.opus`` and ``/stream.flac``."""

from __future__ import annotations

import contextlib
import hmac
import logging
import socket
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from player.outputs.place import Place, parse_place
from player.outputs.stream.icy import META_INTERVAL, IcyTitles
from player.outputs.stream.station import MAX_LISTENERS, Station
from player.outputs.stream.stream_encoder import StreamEncoder
from player.sink import SinkError

TYPES = {"/stream.mp3": "audio/mpeg", "/stream.opus": "audio/ogg", "/stream.flac": "audio/flac"}
STALL_S = 10.0
"""A listener that takes nothing for so long has gone."""
ASK_S = 10.0
"""So long a request may take from its first byte to its last."""
SEND_BYTES = 1 << 16
MAX_CONNECTIONS = MAX_LISTENERS + 16
LOOK_S = 0.5

log = logging.getLogger(__name__)


class StreamServer(ThreadingHTTPServer):
    """Listens at a place until it is closed. ``token`` None: only this machine's own names are served."""

    daemon_threads = True
    request_queue_size = 32

    def __init__(self, place: Place, token: str | None, station: Station) -> None:
        """Raises OSError where nothing can be listened on."""
        self.address_family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
        self.token = token
        self.station = station
        self.asking: dict[socket.socket, float] = {}
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((place.host, place.port), StreamHandler)
        self._thread = threading.Thread(target=self.serve_forever, args=(LOOK_S,), name="stream", daemon=True)
        self._thread.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve it in a thread of its own, or hang up on one too many."""
        with self._lock:
            crowded = len(self._open) >= MAX_CONNECTIONS
            if not crowded:
                self._open.add(request)
                self.asking[request] = time.monotonic() + ASK_S
        if crowded:
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """The end of one connection."""
        with self._lock:
            self._open.discard(request)
            self.asking.pop(request, None)
        super().shutdown_request(request)

    def asked(self, request: Any) -> None:
        """Its request is whole."""
        with self._lock:
            self.asking.pop(request, None)

    def service_actions(self) -> None:
        """Hang up on who takes too long to ask."""
        now_s = time.monotonic()
        with self._lock:
            slow = [one for one, until_s in self.asking.items() if until_s < now_s]
        for request in slow:
            _hang_up(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A listener that went away is none of our faults."""
        log.debug("a listener of the stream has gone", exc_info=True)

    def close(self) -> None:
        """Hang up on everybody."""
        self.shutdown()
        self.server_close()
        with self._lock:
            left = list(self._open)
        for request in left:
            _hang_up(request)


class StreamHandler(BaseHTTPRequestHandler):
    """One request. HTTP/1.0, as stations answer: the stream ends with the connection."""

    server: StreamServer
    server_version = "neuroplayer"
    sys_version = ""
    timeout = STALL_S

    def do_GET(self) -> None:
        """Stream until the listener goes or the music ends."""
        if not self._may():
            return
        kind = urlsplit(self.path).path.rpartition(".")[2]
        listener = self.server.station.join()
        if listener is None:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "there are as many listeners as there may be")
            return
        try:
            encoder = StreamEncoder(kind)
        except SinkError as error:
            self.server.station.leave(listener)
            self._refuse(HTTPStatus.NOT_IMPLEMENTED, str(error))
            return
        try:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
            titles = self._begin()
            while (piece := listener.next()) is not None:
                self._send(encoder.encode(piece.block), titles, piece.title)
            if not listener.dropped:
                self._send(encoder.finish(), titles, "")
        except OSError as error:
            log.info("a listener of the stream has gone (%s)", error.strerror or "it took nothing any more")
        finally:
            self.server.station.leave(listener)

    def do_HEAD(self) -> None:
        """What a stream would be."""
        if self._may():
            self._begin()

    def _may(self) -> bool:
        """Check who asks for what; answers and says False where it is refused."""
        self.server.asked(self.connection)
        parts = urlsplit(self.path)
        token = self.server.token
        if token is None and not _is_own_name(self.headers.get("Host", "localhost")):
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST, "this stream is for this machine alone")
        elif self.headers.get("Sec-Fetch-Site", "none") == "cross-site":
            self._refuse(HTTPStatus.FORBIDDEN, "this stream is not for pages of others")
        elif token is not None and not self._knows(token, parts.query):
            self._refuse(HTTPStatus.UNAUTHORIZED, "the address lacks ?token= and the token of this stream")
        elif parts.path not in TYPES:
            self._refuse(HTTPStatus.NOT_FOUND, f"there is {', '.join(TYPES)}")
        else:
            return True
        return False

    def _knows(self, token: str, query: str) -> bool:
        header = self.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        given = parse_qs(query[:500]).get("token", [header])[0]
        return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())

    def _begin(self) -> IcyTitles | None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", TYPES[urlsplit(self.path).path])
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Connection", "close")  # so that its end is the music's end, and no fault
        self.send_header("icy-name", "neuroplayer")
        asked = self.headers.get("Icy-MetaData", "").strip() == "1"
        if asked:
            self.send_header("icy-metaint", str(META_INTERVAL))
        self.end_headers()
        return IcyTitles() if asked else None

    def _send(self, data: bytes, titles: IcyTitles | None, title: str) -> None:
        self.wfile.write(data if titles is None else titles.laid_into(data, title))

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the name it has in the library
        """Nothing: an address may hold the token."""


def _is_own_name(host: str) -> bool:
    """A foreign name that resolves to this machine is another page's attempt to listen in."""
    try:
        return parse_place(host, Place("localhost", 80)).is_loopback
    except ValueError:
        return False


def _hang_up(request: socket.socket) -> None:
    with contextlib.suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)
