"""A TCP proxy for the tests: passes, stalls, slows down or resets what goes through, and keeps every byte."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self


class TcpProxy:
    """Between a client and a port of loopback. ``rate`` is bytes a second each way; None is unlimited."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self.rate: float | None = None
        self.stalled = False
        self.seen = bytearray()
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        writers = list(self._writers)
        self.reset()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)

    def reset(self) -> None:
        """Send RST on every connection."""
        for writer in list(self._writers):
            found = writer.get_extra_info("socket")
            if found is not None:
                with contextlib.suppress(OSError):
                    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self._start(self._accept(reader, writer))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            self._writers.discard(writer)
            return
        self._writers.add(far_writer)
        self._start(self._pump(reader, far_writer))
        self._start(self._pump(far_reader, writer))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, OSError):
            while data := await source.read(64 if self.rate else 65536):
                while self.stalled:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
                if self.rate:
                    await asyncio.sleep(len(data) / self.rate)
                self.seen += data
                sink.write(data)
                await sink.drain()
        sink.close()
        with contextlib.suppress(ConnectionError, OSError):
            await sink.wait_closed()
        self._writers.discard(sink)
