"""A role's health and metrics over HTTP on loopback: ``/health`` for monitors, ``/metrics`` for Prometheus.

A few dozen lines of HTTP suffice: two paths, GET only, one answer a connection, everything bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Protocol

import msgspec

from daemon.health.metrics import LinkState, Metrics, RoleCounts
from daemon.mqtt.documents import Document

LOOPBACK = "127.0.0.1"
PORT_OF: dict[str, int] = {"engine": 0, "player": 1, "web": 2, "broker": 3}
"""Added to the configured port."""
MAX_REQUEST_BYTES = 4096
PATIENCE_S = 2.0
MAX_CONNECTIONS = 16
SILENT_S = 30.0
"""An engine or player that has published nothing for so long is not well: both say something every 10 s."""
SPEAKERS = frozenset({"engine", "player"})
HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})

BROKEN = (TimeoutError, ConnectionError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)

log = logging.getLogger(__name__)


class Answers(Protocol):
    """What is served."""

    role: str

    def status(self) -> tuple[int, bytes]: ...

    def metrics(self) -> bytes: ...


class Health:
    """How one role is doing, from what it publishes, from its link, and from ``ails``: words, or nothing."""

    def __init__(
        self,
        role: str,
        link: LinkState,
        counts: RoleCounts | None = None,
        ails: Callable[[], str] = lambda: "",
    ) -> None:
        self.role = role
        self._link = link
        self._ails = ails
        self._counts = counts or RoleCounts()
        self._metrics = Metrics(role, link, self._counts)
        self._began_s = self._spoke_s = time.monotonic()

    def note(self, document: Document) -> None:
        """A document was published."""
        self._spoke_s = time.monotonic()
        self._metrics.note(document)

    def status(self) -> tuple[int, bytes]:
        """HTTP status and a JSON document. A missing broker is told, but is no illness: the music goes on."""
        silent_s = time.monotonic() - self._spoke_s if self.role in SPEAKERS else 0.0
        ails = self._ails() or (f"silent for {silent_s:.0f} s" if silent_s >= SILENT_S else "")
        well = not ails
        document = {
            "role": self.role,
            "healthy": well,
            "reason": ails or None,
            "connected": self._link.connected.is_set(),
            "last_error": self._link.last_error,
            "silent_s": round(silent_s, 1),
            "up_s": round(time.monotonic() - self._began_s, 1),
            **{name: read() for name, read in self._counts.told.items()},
        }
        return (200 if well else 503), msgspec.json.encode(document)

    def metrics(self) -> bytes:
        """The exposition format of Prometheus."""
        return self._metrics.text()


@contextlib.asynccontextmanager
async def serve_health(health: Answers, port: int | None) -> AsyncIterator[None]:
    """Serve on loopback where a port is configured; a taken one costs the endpoint, never the role."""
    if port is None:
        yield
        return
    own_port = port + PORT_OF.get(health.role, len(PORT_OF))
    answering: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(*BROKEN):
                await asyncio.wait_for(_answer(health, reader, writer), PATIENCE_S)
                writer.close()
                await asyncio.wait_for(writer.wait_closed(), PATIENCE_S)
        finally:
            writer.transport.abort()
            answering.pop(writer, None)

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(answering) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        answering[writer] = asyncio.create_task(answer(reader, writer))

    try:
        server = await asyncio.start_server(begin, LOOPBACK, own_port, limit=MAX_REQUEST_BYTES)
    except OSError as error:
        log.warning("no health endpoint: port %d cannot be used (%s)", own_port, error.strerror)
        yield
        return
    try:
        yield
    finally:
        server.close()
        await _hang_up(answering)


async def _hang_up(answering: dict[asyncio.StreamWriter, asyncio.Task[None]]) -> None:
    """Who is being answered while the role ends finds the connection broken; nothing of it is left."""
    for writer in answering:
        writer.transport.abort()
    await asyncio.gather(*answering.values(), return_exceptions=True)


async def _answer(health: Answers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, _, rest = head[0].partition(" ")
    path = rest.partition(" ")[0].partition("?")[0]
    hosts = [line[5:].strip() for line in head[1:] if line[:5].lower() == "host:"]
    status, kind, body = 404, "text/plain", b"/health and /metrics\n"
    if not hosts or hosts[0].rsplit(":", 1)[0] not in HOSTS:
        status, body = 403, b"loopback only\n"  # a page of elsewhere that resolves its name to us
    elif method != "GET":
        status, body = 405, b"GET only\n"
    elif path == "/health":
        kind = "application/json"
        status, body = health.status()
    elif path == "/metrics":
        status, kind, body = 200, "text/plain; version=0.0.4; charset=utf-8", health.metrics()
    lines = [f"HTTP/1.1 {status} -", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += ["Cache-Control: no-store", "X-Content-Type-Options: nosniff", "Connection: close", "", ""]
    writer.write("\r\n".join(lines).encode() + body)
    await writer.drain()
