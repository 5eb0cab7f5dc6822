"""The page of `neuroplayer run` in a real Chromium: opened, and while its processes are killed under it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.browser.live_page import live_page
from support.browser.own_browser import Browser
from support.browser.sheet import PATIENCE_MS, Sheet, reads, until
from support.peers.real_broker import wait_for_port
from support.running_product import Product, Running
from support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.timeout(300)]
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
def own_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(tmp_path, monkeypatch)


@pytest.fixture
def running(free_port: int, own_browser: Browser) -> Iterator[Running]:
    """The whole product with the simulated wearer, four times as fast."""
    product = Product()
    options = ("--source", "simulated", "--speed", "4", "--baseline", "none", "--output", "null", "--open")
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


def begin_recording(tab: Any, address: str) -> None:
    """A person agrees, on another page of the same browser."""
    other = tab.context.new_page()
    other.goto(f"{address}/history")
    other.get_by_role("button", name="Record this session").click()
    other.get_by_label("Who wears the headset and agrees").fill("Ada")
    other.get_by_role("button", name="I agree, record").click()
    other.get_by_text("REC", exact=True).wait_for()
    other.close()
    tab.get_by_text("REC", exact=True).wait_for()


def test_every_process_may_be_killed_under_the_page(
    running: Running, sheet: Sheet, free_port: int, own_browser: Browser
) -> None:
    tab = sheet.tab
    tab.goto(f"http://127.0.0.1:{free_port}")
    headline = tab.locator(".mood-headline")
    headline.get_by_text(CLAIM).wait_for(timeout=SLOW_MS)
    tab.wait_for_function("document.querySelector('.progress span').innerText !== '0:00'", timeout=SLOW_MS)
    begin_recording(tab, f"http://127.0.0.1:{free_port}")
    tab.evaluate("window.neverReloaded = true")

    with killed(running, "engine"):
        tab.get_by_text("The engine is not running").wait_for()
        headline.get_by_text("Not known").wait_for()
        tab.get_by_text("none: nothing is claimed").wait_for()
        tab.get_by_text("REC", exact=True).wait_for(state="hidden")
        tab.locator(".mood-head.unknown").wait_for()
        until(tab, ".plane-chart", f"{VEIL} === 1")
        music_runs_on(tab, CARRIED)
        assert not tab.get_by_text("The player is not running").is_visible()
    headline.get_by_text(CLAIM).wait_for(timeout=SLOW_MS)
    tab.get_by_text("The engine is not running").wait_for(state="hidden")
    until(tab, ".plane-chart", f"{VEIL} === 0")
    tab.get_by_text("REC", exact=True).wait_for(timeout=SLOW_MS)  # the consent stands: it goes on by itself
    recorded = sorted(Path(os.environ["NEUROPLAYER_STATE_DIR"]).glob("wearers/*/recordings/*.consent.json"))
    first, second = (json.loads(path.read_text()) for path in recorded)
    assert first == second
    assert first["who"] == "Ada"

    with killed(running, "player"):
        tab.get_by_text("The player is not running").wait_for()
    tab.get_by_text("The player is not running").wait_for(state="hidden", timeout=SLOW_MS)
    music_runs_on(tab)
    assert tab.evaluate("window.neverReloaded")

    with killed(running, "web"):
        tab.locator("#neuro-lost.shown").wait_for()
        reads(tab, tab.locator("#neuro-lost"), "Lost")
    tab.wait_for_function("!document.querySelector('#neuro-lost.shown')", timeout=SLOW_MS)
    headline.get_by_text(CLAIM).wait_for(timeout=SLOW_MS)
    music_runs_on(tab)
    assert [address for _, address in own_browser.told] == [f"http://127.0.0.1:{free_port}"], "opened once"
    sheet.complaints.clear()  # the browser itself reports the connections that failed meanwhile


def test_the_real_page_lets_a_real_browser_in_by_its_private_file(
    tmp_path: Path, own_browser: Browser, chromium: Any
) -> None:
    with (
        live_page(tmp_path, host="0.0.0.0", open_page=True) as page,  # noqa: S104 - that is the case
        contextlib.closing(chromium.new_context()) as context,
    ):
        wait_until(lambda: bool(own_browser.told), "the browser was started")
        tab = context.new_page()
        tab.goto(own_browser.told[0][1])
        tab.get_by_text("Not known").first.wait_for(timeout=PATIENCE_MS)
        assert tab.url == f"{page.url}/"
        tab.goto(f"{page.url}/history")
        tab.get_by_text("No session has been kept").wait_for(timeout=PATIENCE_MS)
        page.talker.all_is_well()  # the first session comes up without a reload by hand
        tab.get_by_text("Mean arousal").wait_for(timeout=PATIENCE_MS)
