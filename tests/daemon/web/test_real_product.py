"""The page of `neuroplayer run` in a real Chromium, while its processes are killed under it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from real_broker import wait_for_port
from running_product import Product, Running
from sheet import Sheet, until
from waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.broker]
SLOW_MS = 90_000
"""A machine that does much else starts an engine so late."""
CLAIM = re.compile("You seem|Not sure")
VEIL = "getOption().series.find((one) => one.id === 'veil').markArea.data.length"
CARRIED = 5
"""More seconds than the page itself carries on a position that the player does not say again."""
RUNS_ON = """(positions) => {
  window.positions.add(document.querySelector(".progress span").innerText);
  return window.positions.size > positions;
}"""


@pytest.fixture
def running(free_port: int) -> Iterator[Running]:
    """The whole product with the simulated wearer, four times as fast."""
    product = Product()
    options = ("--source", "simulated", "--speed", "4", "--baseline", "none", "--output", "null")
    found = product.start("run", *options, "--web", f"127.0.0.1:{free_port}", "--plain", "--seed", "1")
    try:
        wait_until(lambda: found.says(f"Page: http://127.0.0.1:{free_port}"), "the address is said")
        wait_for_port(free_port, 90)
        yield found
    finally:
        product.end_all()


@contextlib.contextmanager
def killed(running: Running, role: str) -> Iterator[None]:
    """The role is killed, and the supervisor stands still: it stays dead until somebody has looked."""
    running.process.send_signal(signal.SIGSTOP)
    try:
        os.kill(running.children()[role], signal.SIGKILL)
        yield
    finally:
        running.process.send_signal(signal.SIGCONT)


def music_runs_on(tab: Any, positions: int = 2) -> None:
    tab.evaluate("window.positions = new Set()")
    tab.wait_for_function(RUNS_ON, arg=positions, timeout=SLOW_MS)


def test_every_process_may_be_killed_under_the_page(running: Running, sheet: Sheet, free_port: int) -> None:
    tab = sheet.tab
    tab.goto(f"http://127.0.0.1:{free_port}")
    headline = tab.locator(".mood-headline")
    headline.get_by_text(CLAIM).wait_for(timeout=SLOW_MS)
    tab.wait_for_function("document.querySelector('.progress span').innerText !== '0:00'", timeout=SLOW_MS)
    tab.evaluate("window.neverReloaded = true")

    with killed(running, "engine"):
        tab.get_by_text("The engine is not running").wait_for()
        headline.get_by_text("Not known").wait_for()
        tab.get_by_text("none: nothing is claimed").wait_for()
        assert tab.locator(".mood-head.unknown").count() == 1
        until(tab, ".plane-chart", f"{VEIL} === 1")
        music_runs_on(tab, CARRIED)
        assert not tab.get_by_text("The player is not running").is_visible()
    headline.get_by_text(CLAIM).wait_for(timeout=SLOW_MS)
    tab.get_by_text("The engine is not running").wait_for(state="hidden")
    until(tab, ".plane-chart", f"{VEIL} === 0")

    with killed(running, "player"):
        tab.get_by_text("The player is not running").wait_for()
    tab.get_by_text("The player is not running").wait_for(state="hidden", timeout=SLOW_MS)
    music_runs_on(tab)
    assert tab.evaluate("window.neverReloaded")

    with killed(running, "web"):
        tab.locator("#neuro-lost.shown").wait_for()
        assert "Lost" in tab.locator("#neuro-lost").inner_text()
    tab.wait_for_function("!document.querySelector('#neuro-lost.shown')", timeout=SLOW_MS)
    headline.get_by_text(CLAIM).wait_for(timeout=SLOW_MS)
    music_runs_on(tab)
    sheet.complaints.clear()  # the browser itself reports the connections that failed meanwhile
