"""What the live page costs its own process and the browser: nobody looking, one page open, twenty viewers.

``python bench/web/page_cost.py [SECONDS]`` writes bench/results/web_page.json and web_page.md. A talker plays
engine and player at their real rates (emotion, signal and state once a second, estimates twice, 4 x 256 Hz of
EEG through the socket). The peer is ``usual_page.py``, in the same run, one after the other.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import numpy as np  # noqa: E402
import psutil  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

from acquisition.signal import EegChunk, HeadsetStatus, StreamInfo  # noqa: E402
from daemon.engine.eeg_frames import socket_path  # noqa: E402
from daemon.engine.eeg_tap import EegTap  # noqa: E402
from support.browser import talker as say  # noqa: E402
from support.browser.live_page import CHROMIUM, LivePage, a_free_port, live_page  # noqa: E402
from support.browser.viewer import Viewer  # noqa: E402
from support.peers.real_broker import wait_for_port  # noqa: E402

RESULTS = ROOT / "bench" / "results"
VIEWERS = 20
RATE_HZ = 256


@contextmanager
def life(page: LivePage) -> Iterator[None]:
    """Engine and player at their real rates, in threads of this process."""
    stop = threading.Event()

    def states() -> None:
        step = 0
        while not stop.wait(0.5):
            step += 1
            page.talker.say(say.estimate(math.sin(step / 20)))
            if step % 2 == 0:
                arousal = math.sin(step / 20)
                page.talker.say(
                    say.emotion(arousal=arousal), say.signal(), say.player(position_s=step / 2 % 180)
                )

    async def eeg() -> None:
        async with EegTap(socket_path(page.settings.state_dir, page.settings.node)) as tap:
            tap.push(HeadsetStatus("streaming", StreamInfo("x", "bench", say.CHANNELS, RATE_HZ)))
            rng, at = np.random.default_rng(1), 0
            while not stop.is_set():
                tap.push(EegChunk(rng.normal(0, 10, (4, 32)), (at + np.arange(32)) / RATE_HZ))
                at += 32
                await asyncio.sleep(32 / RATE_HZ)

    threads = [threading.Thread(target=states), threading.Thread(target=lambda: asyncio.run(eeg()))]
    for thread in threads:
        thread.start()
    yield
    stop.set()
    for thread in threads:
        thread.join()


def browsers() -> list[psutil.Process]:
    """The processes of Chromium below this one."""
    return [p for p in psutil.Process().children(recursive=True) if "chrom" in p.name().lower()]


def cpu_s(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total


def measured(pid: int, seconds: float) -> dict[str, float]:
    """Share of a core of the server and of the browser over so many seconds, and the server's memory."""
    server, shown = psutil.Process(pid), browsers()
    began, server_s, browser_s = time.monotonic(), cpu_s([server]), cpu_s(shown)
    time.sleep(seconds)
    elapsed = time.monotonic() - began
    return {
        "server_core_percent": round(100 * (cpu_s([server]) - server_s) / elapsed, 2),
        "browser_core_percent": round(100 * (cpu_s(shown) - browser_s) / elapsed, 1),
        "server_mb": round(server.memory_info().rss / 1e6, 1),
    }


@contextmanager
def opened(url: str) -> Iterator[None]:
    """One page in Chromium."""
    flags = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto(url)
        tab.wait_for_timeout(5000)
        yield
        browser.close()


def ours(page: LivePage, seconds: float) -> dict[str, Any]:
    page.talker.all_is_well()
    assert page.process is not None
    pid = page.process.pid
    found: dict[str, Any] = {}
    with life(page):
        time.sleep(5)
        found["nobody"] = measured(pid, seconds)
        for name, path in (("session", "/"), ("fit", "/fit")):
            with opened(page.url + path):
                found[name] = measured(pid, seconds)
        found["twenty_viewers"] = asyncio.run(twenty(page, pid, seconds))
    return found


async def twenty(page: LivePage, pid: int, seconds: float) -> dict[str, float]:
    viewers = [Viewer() for _ in range(VIEWERS)]
    for viewer in viewers:
        await viewer.open(page)
    await asyncio.sleep(3)
    before = sum(viewer.updates for viewer in viewers)
    found = await asyncio.to_thread(measured, pid, seconds)
    found["updates_per_viewer_hz"] = round(
        (sum(viewer.updates for viewer in viewers) - before) / VIEWERS / seconds, 2
    )
    for viewer in viewers:
        await viewer.close()
    return found


def usual(seconds: float) -> dict[str, Any]:
    port = a_free_port()
    process = subprocess.Popen([sys.executable, str(Path(__file__).with_name("usual_page.py")), str(port)])
    found: dict[str, Any] = {}
    try:
        wait_for_port(port, 60)
        time.sleep(3)
        found["nobody"] = measured(process.pid, seconds)
        for name, path in (("session", "/"), ("fit", "/fit")):
            with opened(f"http://127.0.0.1:{port}{path}"):
                found[name] = measured(process.pid, seconds)
    finally:
        process.terminate()
        process.wait(10)
    return found


def table(results: dict[str, Any]) -> str:
    lines = [
        "# What the live page costs",
        "",
        f"Means over {results['seconds']:.0f} s. Target: an open page adds under 10 % of a core and 150 MB.",
        "",
        "| | server, % of a core | server, MB | browser, % of a core |",
        "|---|---|---|---|",
    ]
    for who, title in (("ours", "the live page"), ("usual", "charts replaced as a whole (the peer)")):
        for name, row in results[who].items():
            told = f"{title}, {name.replace('_', ' ')}"
            lines.append(
                f"| {told} | {row['server_core_percent']:.1f} | {row['server_mb']:.0f} "
                f"| {row['browser_core_percent']:.0f} |"
            )
    ratio, added = results["ratio"], results["added"]
    words = (
        f"An open session page adds {added['session']['core_percent']:.1f} % of a core and "
        f"{added['session']['mb']:.0f} MB to the page's process, an open fit page "
        f"{added['fit']['core_percent']:.1f} % and {added['fit']['mb']:.0f} MB. Live EEG costs the peer "
        f"{ratio['fit_server']:.1f} times our server time. The browser draws in software here."
    )
    return "\n".join([*lines, "", words, "", results["machine"], ""])


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    with tempfile.TemporaryDirectory() as folder, live_page(Path(folder)) as page:
        mine = ours(page, seconds)
    peer = usual(seconds)
    nobody = mine["nobody"]
    results = {
        "seconds": seconds,
        "machine": f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, shared (load {os.getloadavg()[0]:.1f}): trust the ratios more.",
        "ours": mine,
        "usual": peer,
        "added": {
            name: {
                "core_percent": round(mine[name]["server_core_percent"] - nobody["server_core_percent"], 2),
                "mb": round(mine[name]["server_mb"] - nobody["server_mb"], 1),
            }
            for name in ("session", "fit", "twenty_viewers")
        },
        "ratio": {
            "session_server": round(
                peer["session"]["server_core_percent"] / mine["session"]["server_core_percent"], 2
            ),
            "fit_server": round(peer["fit"]["server_core_percent"] / mine["fit"]["server_core_percent"], 2),
            "fit_browser": round(
                peer["fit"]["browser_core_percent"] / mine["fit"]["browser_core_percent"], 2
            ),
        },
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "web_page.json").write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "web_page.md").write_text(table(results))
    print(table(results))


if __name__ == "__main__":
    main()
