"""A viewer of the page without a browser."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import socketio

from support.browser.live_page import LivePage


class Viewer:
    """What a browser does, without drawing: fetch the page, open its socket, count what comes."""

    def __init__(self) -> None:
        self.updates = 0
        self.seen: set[str] = set()
        self._socket = socketio.AsyncClient(reconnection=False)

    async def open(self, page: LivePage, path: str = "/") -> None:
        answer = await asyncio.to_thread(page.get, path)
        assert answer.status == 200
        client = re.search(r"client_id\W+([0-9a-f-]{36})", answer.body.decode())  # type: ignore[attr-defined]
        number = re.search(r"next_message_id\W+(\d+)", answer.body.decode())  # type: ignore[attr-defined]
        assert client is not None
        assert number is not None
        self._socket.on("update", self._update)
        query = (
            f"client_id={client[1]}&next_message_id={number[1]}&implicit_handshake=true&tab_id={client[1]}"
        )
        query += f"&document_id={client[1]}"
        await self._socket.connect(
            f"{page.url}?{query}", socketio_path="/_nicegui_ws/socket.io", transports=["websocket"]
        )

    def _update(self, data: Any) -> None:
        self.updates += 1
        self.seen.update(re.findall(r"You seem \w+", str(data)))

    async def close(self) -> None:
        await self._socket.disconnect()
