"""Requests that never come whole keep nobody from the page: a real server, attacked by real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator

import httpx
import pytest

from daemon.processes.logs import OnceThenQuiet
from daemon.web.security import connections
from daemon.web.security.guard import Receive, Scope, Send
from daemon.web.server import serve
from support.waiting import until

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        while True:
            said = (await receive())["type"]
            await send({"type": f"{said}.complete"})
            if said == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@contextlib.asynccontextmanager
async def _serving(port: int) -> AsyncIterator[None]:
    serving = asyncio.create_task(serve(_application, "127.0.0.1", port))
    try:
        await until(lambda: serving.done() or _listens(port))
        yield
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def _unfinished(port: int, text: bytes) -> Streams:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    await writer.drain()
    return reader, writer


async def _close(attackers: list[Streams]) -> None:
    for _, writer in attackers:
        writer.close()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /",
    ],
)
async def test_450_unfinished_requests_of_one_address_shut_nobody_out(text: bytes, free_port: int) -> None:
    async with _serving(free_port):
        attackers = [await _unfinished(free_port, text) for _ in range(450)]
        async with httpx.AsyncClient() as viewer:
            for _ in range(5):
                assert (await viewer.get(f"http://127.0.0.1:{free_port}/")).status_code == 200
        await _close(attackers)


async def test_a_request_that_does_not_come_whole_is_given_up(
    free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "REQUEST_S", 0.3)
    async with _serving(free_port):
        for text in (b"GET / HT", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab"):
            reader, writer = await _unfinished(free_port, text)
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()
        async with httpx.AsyncClient() as viewer:
            for _ in range(3):
                assert (await viewer.get(f"http://127.0.0.1:{free_port}/")).status_code == 200
                await asyncio.sleep(0.4)  # a connection kept alive is uvicorn's to end


def test_a_home_has_one_network() -> None:
    assert connections.network("192.0.2.7") == "192.0.2.7"
    assert connections.network("::ffff:192.0.2.7") == "192.0.2.7"
    assert connections.network("2001:db8::1") == connections.network("2001:db8::2:1")
    assert connections.network("2001:db8:1::1") != connections.network("2001:db8:2::1")
    assert connections.network("fe80::1%eth0") == connections.network("fe80::2")


async def test_what_the_server_complains_of_is_said_once(free_port: int) -> None:
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    handler.addFilter(OnceThenQuiet())
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        async with _serving(free_port):
            for _ in range(20):
                reader, writer = await _unfinished(free_port, b"no http at all\r\n\r\n")
                await reader.read()
                writer.close()
        for number in range(20):
            logging.getLogger("asyncio").error("Exception in callback <object at 0x%x>", 139_000 + number)
    finally:
        root.removeHandler(handler)
    assert [text[:12] for text in said] == ["Invalid HTTP", "Exception in"]
    assert not logging.getLogger("uvicorn.error").handlers
