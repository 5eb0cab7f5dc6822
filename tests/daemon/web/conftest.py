"""Fixtures of the page's tests: texts, a clock in the hand, and the real page in a process of its own."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from real_broker import RealBroker, wait_for_port
from talker import Talker

from daemon.settings import BrokerSettings, Settings, WebSettings, to_json
from daemon.web.live_state import LiveState
from daemon.web.texts import Texts, texts

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture
def words() -> Texts:
    return texts()


class Hand:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.at_s = 1000.0

    def __call__(self) -> float:
        return self.at_s


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def state(hand: Hand) -> LiveState:
    found = LiveState(hand)
    found.link_is(True)
    return found


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

    def get(self, path: str, **headers: str) -> http.client.HTTPResponse:
        """One plain request; header names with ``_`` for ``-``."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers=named)
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


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePage]:
    """The page on loopback, one for all tests of a run."""
    with live_page(tmp_path_factory.mktemp("page")) as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright; skipped where it is not installed."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"Chromium is not installed at {CHROMIUM}")
    playwright = pytest.importorskip("playwright.sync_api")
    flags = ["--no-sandbox"] if os.getuid() == 0 else []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


def settle(seconds: float) -> None:
    """Let two ticks of the page pass."""
    time.sleep(seconds)
