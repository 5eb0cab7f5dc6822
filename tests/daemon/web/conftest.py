"""Fixtures of the page's tests: texts, a clock in the hand, the real page, and Debian's Chromium."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from live_page import CHROMIUM, Hand, LivePage, live_page
from sheet import DESKTOP, PATIENCE_MS, Sheet

from daemon.web.state.live_state import LiveState
from daemon.web.texts import Texts, texts


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


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright; skipped where it is not installed."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"Chromium is not installed at {CHROMIUM}")
    playwright = pytest.importorskip("playwright.sync_api")
    flags = ["--no-sandbox"] if os.getuid() == 0 else []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags, timeout=PATIENCE_MS)
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
