"""Pictures of the page of a running session: ``python docs/images/draw_page.py MUSIC [MINUTES]``.

Runs the product with its simulated wearer on the music folder for so long, recorded and led to relaxation,
and writes ``page-*.png`` beside this file with Debian's Chromium.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from daemon.processes.ports import claim

HERE = Path(__file__).resolve().parent
CHROMIUM = "/usr/bin/chromium"
WAIT_MS = 120_000
EEG_S = 12
"""So long until the traces have filled their ten seconds."""
DRAWN_MS = 1500
Shows = Callable[[Any], None]


def session(tab: Any) -> None:
    """The plane, once a mood is claimed."""
    tab.locator(".mood-head:not(.unknown)").first.wait_for(timeout=WAIT_MS)


def fit(tab: Any) -> None:
    """The head and ten seconds of EEG."""
    tab.locator(".eeg-chart canvas").first.wait_for(timeout=WAIT_MS)
    tab.wait_for_timeout(1000 * EEG_S)


def history(tab: Any) -> None:
    """The session with the reason for a choice in its middle."""
    tab.locator("ol.reasons > li").first.wait_for(timeout=WAIT_MS)
    tab.locator(".history-chart").focus()
    tab.keyboard.press("End")
    for _ in range(tab.locator("ol.reasons > li").count() // 2):
        tab.keyboard.press("ArrowLeft")


def library(tab: Any) -> None:
    """The map, with what plays."""
    tab.locator(".library-chart canvas").first.wait_for(timeout=WAIT_MS)


def stage(tab: Any) -> None:
    """What plays, once a mood is claimed."""
    tab.locator(".stage-mood:not(.unknown)").wait_for(timeout=WAIT_MS)


PICTURES: dict[str, tuple[str, Shows, dict[str, Any]]] = {
    "page-session": ("/", session, {"viewport": {"width": 1280, "height": 900}}),
    "page-fit": ("/fit", fit, {"viewport": {"width": 1280, "height": 1060}}),
    "page-history": ("/history", history, {"viewport": {"width": 1280, "height": 920}}),
    "page-library": (
        "/library",
        library,
        {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    ),
    "page-stage": ("/stage", stage, {"viewport": {"width": 1280, "height": 720}}),
    "page-tablet": (
        "/",
        session,
        {"viewport": {"width": 820, "height": 1180}, "locale": "de-DE"},
    ),
    "page-phone": (
        "/",
        session,
        {
            "viewport": {"width": 390, "height": 844},
            "device_scale_factor": 2,
            "is_mobile": True,
            "has_touch": True,
            "color_scheme": "dark",
        },
    ),
}


def draw(address: str) -> None:
    """Take every picture."""
    flags = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        for name, (path, shows, options) in PICTURES.items():
            context = browser.new_context(**options)
            tab = context.new_page()
            tab.goto(address + path)
            shows(tab)
            tab.wait_for_timeout(DRAWN_MS)
            tab.screenshot(path=HERE / f"{name}.png")
            context.close()
        browser.close()


def main(music: str, minutes: float) -> None:
    """Run a session in folders of its own, and draw it."""
    port = claim(range(8765, 8865))
    address = f"127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        own = {f"NEUROPLAYER_{kind}_DIR": f"{folder}/{kind.lower()}" for kind in ("STATE", "CACHE")}
        own |= {"NEUROPLAYER_CONFIG": f"{folder}/none.toml"}
        options = ["--source", "simulated", "--seed", "1", "--music", music, "--output", "null", "--record"]
        options += ["--policy", "lead", "--target", "relax", "--web", address, "--plain"]
        product = subprocess.Popen(
            [sys.executable, "-m", "daemon.cli", "run", *options],
            env=os.environ | own,
            stdout=subprocess.DEVNULL,
        )
        try:
            time.sleep(60 * minutes)
            draw(f"http://{address}")
        finally:
            product.send_signal(signal.SIGTERM)
            product.wait()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 8.0)
