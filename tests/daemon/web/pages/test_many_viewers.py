"""Twenty viewers at once, and a page that is left open for hours: bounded on both sides."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psutil
import pytest

from support.browser import talker as say
from support.browser.live_page import LivePage
from support.browser.sheet import PATIENCE_MS
from support.browser.talker import eventually
from support.browser.viewer import Viewer
from support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.broker]

VIEWERS = 20
SOAK_S = 7200.0


def memory_mb(page: LivePage) -> float:
    assert page.process is not None
    return float(psutil.Process(page.process.pid).memory_info().rss) / 1e6


def beside(work: Coroutine[Any, Any, None]) -> None:
    """Run it on a loop of its own thread: Playwright keeps one running in this thread."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


def test_twenty_viewers_all_see_what_happens(page: LivePage) -> None:
    beside(_twenty(page))


async def _twenty(page: LivePage) -> None:
    await asyncio.to_thread(page.talker.all_is_well)
    viewers = [Viewer() for _ in range(VIEWERS)]
    async with contextlib.AsyncExitStack() as stack:
        for viewer in viewers:
            stack.push_async_callback(viewer.close)
            await viewer.open(page)
        before_mb = memory_mb(page)
        for name in ("focused", "happy", "sad"):
            await asyncio.to_thread(page.talker.say, say.emotion(emotion=name, arousal=0.3))
            said = f"You seem {name}"
            await until(partial(_all_saw, viewers, said), said)
        assert memory_mb(page) - before_mb < 40


def _all_saw(viewers: list[Viewer], said: str) -> bool:
    return all(said in viewer.seen for viewer in viewers)


def nodes_and_heap(tab: Any) -> tuple[int, float]:
    """Elements of the page and megabytes of its heap after a collection: the least of three looks, for what
    is just being drawn is no growth."""
    tools = tab.context.new_cdp_session(tab)
    nodes, heaps = [], []
    for _ in range(3):
        tools.send("HeapProfiler.collectGarbage")
        nodes.append(int(tools.send("Memory.getDOMCounters")["nodes"]))
        heaps.append(float(tools.send("Runtime.getHeapUsage")["usedSize"]) / 1e6)
        tab.wait_for_timeout(200)
    tools.detach()
    return min(nodes), min(heaps)


def play(page: LivePage, tab: Any, session_s: float, speed: float) -> None:
    """A session of so many seconds, everything changing as in life but faster."""
    step_s = 5.0
    for step in range(round(session_s / step_s)):
        began = time.monotonic()
        arousal = ((step * 7) % 40) / 20 - 1
        page.talker.say(
            say.emotion(arousal=arousal, emotion=("relaxed", "focused")[step % 2]),
            say.estimate(arousal),
            say.signal(),
        )
        number = int(step * step_s / 180)
        page.talker.say(
            say.player(track=say.track(number), next=say.track(number + 1), position_s=(step * step_s) % 180)
        )
        if step % 36 == 0:
            page.talker.say(say.decision(number, f"Decision number {number}."))
        tab.wait_for_timeout(max(0.0, 1000 * (step_s / speed - (time.monotonic() - began))))


def grown(page: LivePage, chromium: Any, session_s: float, speed: float) -> tuple[int, float, float]:
    """Elements, heap (MB) and server memory (MB) that a session adds after it has warmed up."""
    with contextlib.closing(chromium.new_context(viewport={"width": 1280, "height": 900})) as context:
        context.set_default_timeout(PATIENCE_MS)
        tab = context.new_page()
        eventually(lambda: page.get("/").status == 200)
        tab.goto(page.url)
        page.talker.all_is_well()
        tab.get_by_text("You seem relaxed").wait_for()
        play(page, tab, session_s / 4, speed)
        nodes, heap_mb = nodes_and_heap(tab)
        server_mb = memory_mb(page)
        play(page, tab, session_s, speed)
        more_nodes, more_heap_mb = nodes_and_heap(tab)
        after_mb = memory_mb(page)
    return more_nodes - nodes, more_heap_mb - heap_mb, after_mb - server_mb


def test_a_session_leaves_nothing_behind_in_the_page(page: LivePage, chromium: Any) -> None:
    nodes, heap_mb, server_mb = grown(page, chromium, session_s=400, speed=80)
    assert nodes < 300
    assert heap_mb < 4
    assert server_mb < 20


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_two_hours_leave_nothing_behind_in_the_page(page: LivePage, chromium: Any) -> None:
    nodes, heap_mb, server_mb = grown(page, chromium, session_s=SOAK_S, speed=40)
    assert nodes < 300
    assert heap_mb < 6
    assert server_mb < 30
