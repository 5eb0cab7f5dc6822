"""The real page in a process of its own, with a real broker and a talker that plays engine and player."""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from real_broker import RealBroker, wait_for_port
from talker import Talker

from daemon.settings import BrokerSettings, Settings, WebSettings, to_json

CHROMIUM = "/usr/bin/chromium"


class Hand:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.at_s = 1000.0

    def __call__(self) -> float:
        return self.at_s


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class LivePage:
    """Broker, web role and a talker that plays engine and player."""

    folder: Path
    broker: RealBroker
    port: int
    settings: Settings
    talker: Talker
    process: subprocess.Popen[bytes] | None = None
    said: Path = field(default_factory=Path)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.said = self.folder / "web.log"
        with self.said.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "daemon.child", "web"], stdin=subprocess.PIPE, stderr=log, stdout=log
            )
        assert self.process.stdin is not None
        self.process.stdin.write(to_json(self.settings))
        self.process.stdin.close()
        wait_for_port(self.port, 60)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(15)

    def get(
        self, path: str, method: str = "GET", body: str | None = None, **headers: str
    ) -> http.client.HTTPResponse:
        """One plain request; header names with ``_`` for ``-``."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, headers=named)
        answer = connection.getresponse()
        answer.body = answer.read()  # type: ignore[attr-defined]
        connection.close()
        return answer


@contextlib.contextmanager
def live_page(folder: Path, host: str = "127.0.0.1", **settings: Any) -> Iterator[LivePage]:
    broker = RealBroker(folder, a_free_port())
    broker.start()
    port = a_free_port()
    page = LivePage(
        folder,
        broker,
        port,
        Settings(
            broker=BrokerSettings(port=broker.port),
            web=WebSettings(host=host, port=port),
            state_dir=str(folder / "state"),
            cache_dir=str(folder / "cache"),
            **settings,
        ),
        Talker(broker.port),
    )
    try:
        page.start()
        yield page
    finally:
        page.talker.close()
        if page.process is not None and page.process.poll() is None:
            page.stop()
        broker.stop()
