"""Fixtures of the page's tests: texts, a clock in the hand, the real page, and Debian's Chromium."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon.web.state.live_state import LiveState
from daemon.web.texts import Texts, texts
from support.browser.live_page import CHROMIUM, Hand, LivePage, live_page
from support.browser.sheet import DESKTOP, PATIENCE_MS, Sheet


@pytest.fixture
def words() -> Texts:
    return texts()


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def state(hand: Hand) -> LiveState:
    found = LiveState(hand)
    found.link_is(True)
    return found


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePage]:
    """The page on loopback, one for all tests of a run."""
    with live_page(tmp_path_factory.mktemp("page")) as found:
        yield found


def driver_fault() -> str | None:
    """Why Playwright's own node does not start here, in its words, or None."""
    from playwright._impl._driver import compute_driver_executable

    node = os.fspath(compute_driver_executable()[0])
    try:
        done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    except OSError as error:
        return str(error.strerror)
    return None if done.returncode == 0 else done.stderr.strip() or f"exit status {done.returncode}"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright; skipped where either is not installed or does not start."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"Chromium is not installed at {CHROMIUM}")
    playwright = pytest.importorskip("playwright.sync_api")
    # asked first: a driver that dies while Playwright waits for it leaves an error at every later test
    if (fault := driver_fault()) is not None:
        pytest.skip(f"Playwright's node does not start (apt install libatomic1): {fault}")
    flags = ["--no-sandbox"] if os.getuid() == 0 else []
    with playwright.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags, timeout=PATIENCE_MS)
        except playwright.Error as error:
            pytest.skip(f"Chromium does not start: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture
def sheet(chromium: Any, request: pytest.FixtureRequest) -> Iterator[Sheet]:
    """A fresh browser context; ``indirect`` parameters go to it."""
    options = {"viewport": DESKTOP} | getattr(request, "param", {})
    context = chromium.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    found = Sheet(context.new_page())
    yield found
    context.close()
    assert found.complaints == []
    assert [
        url
        for url in found.fetched
        if not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))
    ] == []
