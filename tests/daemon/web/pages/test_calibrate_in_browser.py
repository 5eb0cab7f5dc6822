"""The calibration run from the page: the real guide, on EEG faster than time, to a real verdict."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from acquisition.headsets.simulated_source import SimulatedSource
from acquisition.signal import EegChunk, HeadsetStatus
from daemon.engine.eeg_frames import socket_path
from daemon.engine.eeg_tap import EegTap
from daemon.wearers.wearer import wearer_of
from player.library.commands import scan_library
from support.browser import talker as say
from support.browser.live_page import LivePage, live_page
from support.browser.sheet import Sheet, audited
from support.waiting import PATIENCE_S

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.train]
SPEED = 40.0
PIECE = 128
"""Samples a chunk."""
N_TRACKS = 6
SLOW_MS = 90_000
"""A process that starts beside everything else may take so long to say its first word."""


class FastHeadset:
    """An engine's socket that gives a simulated wearer's EEG many times faster than time."""

    def __init__(self, path: Path) -> None:
        self._path, self._stop = path, threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> FastHeadset:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    async def _serve(self) -> None:
        source = SimulatedSource(speed=None)
        info = source.open()
        chunks = [source.poll(0.0) for _ in range(60 * 16)]
        samples = np.concatenate([chunk.samples_uv for chunk in chunks if chunk is not None], axis=1)
        async with EegTap(self._path) as tap:
            tap.push(HeadsetStatus("streaming", info))
            began_s, sent = time.monotonic(), 0
            while not self._stop.is_set():
                while sent < (time.monotonic() - began_s) * info.rate_hz * SPEED:
                    place = sent % (samples.shape[1] - PIECE)
                    times_s = (sent + np.arange(PIECE)) / info.rate_hz
                    tap.push(EegChunk(samples[:, place : place + PIECE], times_s))
                    sent += PIECE
                    await asyncio.sleep(0)
                await asyncio.sleep(0.01)


class FastPlayer:
    """Says that it plays what it is asked for."""

    def __init__(self, page: LivePage) -> None:
        self._page, self._stop = page, threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> FastPlayer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        done, track, paused = 0, say.track(1), False
        while not self._stop.wait(0.02):
            commands = list(self._page.talker.commands)
            for name, words in commands[done:]:
                if name == "play":
                    track = say.track(1, id=words["id"])
                paused = words["paused"] if name == "pause" else paused
                self._page.talker.say(say.player(track=track, paused=paused))
            done = len(commands)


@pytest.fixture(scope="module")
def calibrating(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePage]:
    folder = tmp_path_factory.mktemp("calibrating")
    music = folder / "music"
    music.mkdir()
    for number in range(N_TRACKS):
        with wave.open(str(music / f"tone <i>{number}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            tone = 3000 * np.sin(2 * np.pi * (200 + 40 * number) * np.arange(8000 * 42) / 8000)
            file.writeframes(tone.astype("<i2").tobytes())
    scan_library([music], folder / "cache", timeout_s=60)
    with live_page(folder, music=(str(music),)) as page:
        page.talker.all_is_well()
        yield page


@contextlib.contextmanager
def _session(page: LivePage) -> Iterator[None]:
    page.talker.commands.clear()
    with FastHeadset(socket_path(page.settings.state_dir, "home")), FastPlayer(page):
        yield


@pytest.mark.timeout(240)
def test_without_a_session_it_is_said_how_to_start_one(page: LivePage, sheet: Sheet) -> None:
    page.talker.all_is_well()
    tab = sheet.go(page, "/calibrate")
    tab.locator(".steps li.now", has_text="Headset").wait_for()
    tab.get_by_role("button", name="Begin the calibration").click()
    tab.get_by_text("start one with neuroplayer run").wait_for(timeout=SLOW_MS)
    audited(tab)
    tab.get_by_role("button", name="Go back to the base model").click()
    tab.get_by_role("button", name="Begin the calibration").wait_for(timeout=SLOW_MS)


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_it_is_begun_and_ended_from_the_page(page: LivePage, sheet: Sheet) -> None:
    pytest.importorskip("tensorflow", reason="needs the train extra")
    page.talker.all_is_well()
    tab = sheet.go(page, "/calibrate")
    with _session(page):
        tab.get_by_role("button", name="Begin the calibration").click()
        tab.get_by_role("heading", name="Rest", exact=True).wait_for(timeout=240_000)
        tab.locator(".steps li.now", has_text="Rest and count").wait_for()
        tab.get_by_text("Sit still, look at one place").wait_for()
        audited(tab)
        assert page.talker.wait_command("policy") == {"policy": "manual"}
        assert page.talker.wait_command("pause") == {"paused": True}
        tab.get_by_role("button", name="Stop the calibration").click()
        tab.get_by_role("button", name="Begin the calibration").wait_for()
        assert page.talker.wait_command("policy") == {"policy": "match"}
        assert page.talker.wait_command("pause") == {"paused": False}


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_the_whole_calibration_from_the_page_to_its_verdict(calibrating: LivePage, sheet: Sheet) -> None:
    pytest.importorskip("tensorflow", reason="needs the train extra")
    tab = sheet.go(calibrating, "/calibrate")
    with _session(calibrating):
        tab.get_by_role("button", name="Begin the calibration").click()
        tab.get_by_role("heading", name="Count in your head").wait_for(timeout=120_000)
        for number, act in enumerate(("That is how it was", "Leave this piece out", "No more music"), 1):
            tab.get_by_text(f"Piece {number} of {N_TRACKS}").wait_for(timeout=240_000)
            tab.locator(".steps li.now", has_text="Your music").wait_for()
            assert "How was “tone <i>" in tab.locator("h2.big-word").inner_text()
            audited(tab)
            if number == 1:
                tab.get_by_role("button", name=act).click()
                tab.get_by_text("Choose one of each row first.").wait_for()
                tab.get_by_role("button", name="Good", exact=True).click()
                tab.get_by_role("button", name="Engaged", exact=True).click()
            tab.get_by_role("button", name=act).click()
        tab.locator(".steps li.now", has_text="Result").wait_for()
        tab.get_by_text("Calm or engaged: the shipped network stays").wait_for(timeout=600_000)
    told = tab.locator(".verdict").all_inner_texts()
    assert "% of the time rightly instead of" in told[0]
    assert "on 12 stretches apart" in told[0]
    assert "stays unknown: valence needs at least 3 pieces" in told[1]
    assert told[2] == "In use now: calm-engaged-muse4."
    labels = wearer_of(calibrating.settings).labels
    assert '"text":"calibration"' in labels.read_text()
    tab.get_by_role("button", name="Go back to the base model").click()
    tab.get_by_text("The shipped networks are used again.").wait_for(timeout=SLOW_MS)
    tab.get_by_role("button", name="Begin the calibration").wait_for()
