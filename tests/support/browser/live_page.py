"""The real page in a process of its own, with a real broker and a talker that plays engine and player."""

from __future__ import annotations

import contextlib
import http.client
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemon.settings import BrokerSettings, Settings, WebSettings, to_json
from support.browser.talker import Talker
from support.free_ports import a_free_port
from support.peers.real_broker import RealBroker, wait_for_port
from support.waiting import PATIENCE_S

CHROMIUM = "/usr/bin/chromium"
START_S = 100.0
"""A page that does not come up fails every test that looks at it: as long as a test may take, nearly."""


class Hand:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.at_s = 1000.0

    def __call__(self) -> float:
        return self.at_s


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
        wait_for_port(self.port, START_S)

    def stop(self) -> None:
        """End what a test may have left running, stopped or dead."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(PATIENCE_S)
            finally:
                self.process.kill()
                self.process.wait()

    def get(
        self, path: str, method: str = "GET", body: str | None = None, **headers: str
    ) -> http.client.HTTPResponse:
        """One plain request; header names with ``_`` for ``-``."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(connection):
            connection.request(method, path, body, headers=named)
            answer = connection.getresponse()
            answer.body = answer.read()  # type: ignore[attr-defined]
        return answer


@contextlib.contextmanager
def live_page(folder: Path, host: str = "127.0.0.1", **settings: Any) -> Iterator[LivePage]:
    with contextlib.ExitStack() as stack:
        broker = RealBroker(folder, a_free_port())
        stack.callback(broker.stop)
        broker.start()
        talker = Talker(broker.port)
        stack.callback(talker.close)
        port = a_free_port()
        wanted = Settings(
            broker=BrokerSettings(port=broker.port),
            web=WebSettings(host=host, port=port),
            state_dir=str(folder / "state"),
            cache_dir=str(folder / "cache"),
            **settings,
        )
        page = LivePage(folder, broker, port, wanted, talker)
        stack.callback(page.stop)
        page.start()
        yield page
