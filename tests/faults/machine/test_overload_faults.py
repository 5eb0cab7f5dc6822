"""Fault F18: the engine gets too little of the processor. Short stops cost neither EEG nor music."""

from __future__ import annotations

import os
import re
import signal
import time
import urllib.request
from collections.abc import Callable

import numpy as np
import pytest

from acquisition.headsets.simulated_source import SimulatedSource
from acquisition.port import EegSource
from acquisition.signal import EegChunk, Gap, HeadsetStatus, StreamInfo
from acquisition.stream.feed import Feed
from support.moved_clock import MovedClock
from support.peers.real_broker import RealBroker
from support.running_product import MosquittoSub, Product
from support.waiting import wait_until

RATE_HZ = 256.0
HOP_S = 0.5
STOPS = 5


class _Ring:
    """A driver with a ring: all that has come since the last look comes at once."""

    def __init__(self, clock: MovedClock) -> None:
        self._clock = clock

    def open(self) -> StreamInfo:
        self._begin_s, self._sent = self._clock(), 0
        return StreamInfo("ring", "ring", ("TP9",), RATE_HZ, identity="ring")

    def poll(self, timeout_s: float) -> EegChunk | None:
        self._clock.sleep(timeout_s)
        begin, self._sent = self._sent, int((self._clock() - self._begin_s) * RATE_HZ)
        if begin == self._sent:
            return None
        return EegChunk(np.ones((1, self._sent - begin)), np.arange(begin, self._sent) / RATE_HZ)

    def close(self) -> None:
        return None


def _simulated(clock: MovedClock) -> EegSource:
    return SimulatedSource(clock=clock, sleep=clock.sleep)


@pytest.mark.parametrize("make", [_Ring, _simulated], ids=["ring", "simulated"])
@pytest.mark.parametrize("turn_s", [0.001, 0.02], ids=["quick", "busy"])
@pytest.mark.parametrize(("stop_s", "stops"), [(0.5, 40), (4.5, 3)], ids=["many short", "few long"])
def test_f18_stops_of_the_process_lose_no_sample_and_are_caught_up(
    make: Callable[[MovedClock], EegSource], stop_s: float, stops: int, turn_s: float
) -> None:
    clock = MovedClock()
    feed = Feed(lambda: make(clock), clock=clock, sleep=clock.sleep)
    items: list[object] = []

    def live(seconds: float) -> None:
        until_s = clock() + seconds
        while clock() < until_s:
            items.extend(feed.step())
            clock.now_s += turn_s  # what is done with the samples; when busy, some always wait

    began_s = clock()
    live(3)
    for _ in range(stops):
        clock.now_s += stop_s
        live(0.3)
    live(12)
    states = [item.state for item in items if isinstance(item, HeadsetStatus)]
    assert states == ["connecting", "streaming"], "a stop is no silence of the headset"
    assert not [item for item in items if isinstance(item, Gap)]
    times_s = np.concatenate([item.times_s for item in items if isinstance(item, EegChunk)])
    assert np.diff(times_s) == pytest.approx(1 / RATE_HZ, rel=0.05), "no hole, and nothing twice"
    assert len(times_s) / RATE_HZ == pytest.approx(clock() - began_s, abs=0.3), "all that waited has come"


def _number(port: int, line: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        found = re.search(rf"^{re.escape(line)} (\S+)$", answer.read().decode(), re.MULTILINE)
    assert found is not None, line
    return float(found[1])


@pytest.mark.broker
def test_f18_an_engine_stopped_again_and_again_says_every_window_and_the_music_goes_on(
    product: Product, broker: RealBroker, ear: MosquittoSub, health_ports: dict[str, int]
) -> None:
    running = product.start(
        *("run", "--source", "simulated", "--no-web", "--plain", "--output", "null"),
        *("--baseline", "none", "--seed", "1"),
        *("--broker", f"mqtt://127.0.0.1:{broker.port}"),
    )
    wait_until(lambda: any(said["track"] for said in ear.documents("player/state")), "music sounds")
    wait_until(lambda: bool(ear.on("estimate")), "a first window")
    lost, dry = "neuroplayer_lost_seconds_total", 'neuroplayer_audio_underruns_total{at="decoder"}'
    lost_s, ran_dry = _number(health_ports["engine"], lost), _number(health_ports["player"], dry)
    engine = running.children()["engine"]
    first_s, before = ear.on("estimate")[-1].at_s, len(ear.on("estimate"))
    for _ in range(STOPS):
        os.kill(engine, signal.SIGSTOP)
        time.sleep(0.5)
        os.kill(engine, signal.SIGCONT)
        time.sleep(0.2)
    wait_until(
        lambda: (len(ear.on("estimate")) - before + 3) * HOP_S > time.monotonic() - first_s,
        "the engine has caught up, window by window",
    )
    assert running.children()["engine"] == engine, "it was not taken for dead"
    assert {said["state"] for said in ear.documents("headset")} <= {"connecting", "streaming"}
    assert _number(health_ports["engine"], lost) == lost_s
    assert _number(health_ports["player"], dry) == ran_dry
