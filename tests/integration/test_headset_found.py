"""``neuroplayer run`` without a source, beside headsets that stream on this machine."""

from __future__ import annotations

import psutil
import pytest

from support.peers.real_broker import RealBroker
from support.peers.real_outlet import RealOutlet
from support.running_product import MosquittoSub, Product, Running
from support.waiting import wait_until

pytestmark = pytest.mark.broker
QUICK = ("run", "--no-web", "--output", "null", "--baseline", "none", "--plain")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine busy with other work an outlet may answer late."""
    monkeypatch.setenv("NEUROPLAYER_SESSION_LOOK_S", "2.5")


def _searching(running: Running) -> list[psutil.Process]:
    children = psutil.Process(running.process.pid).children()
    return [child for child in children if "acquisition.lsl.search_process" in child.cmdline()]


def test_the_one_headset_is_taken_and_never_called_simulated(
    product: Product, broker: RealBroker, ear: MosquittoSub
) -> None:
    with RealOutlet(name="Muse S") as outlet:
        running = product.start(*QUICK, "--broker", f"mqtt://127.0.0.1:{broker.port}")
        wait_until(lambda: bool(ear.on("player/state")), "the music does not wait for the search")
        wait_until(lambda: "streaming" in [d["state"] for d in ear.documents("headset")], "it is read")
        running.interrupt()
        assert running.wait() == 0, running.errors
    assert f"Headset: LSL stream '{outlet.name}' (4 channels, 256 Hz) found on this machine" in running.lines
    assert not running.says("simulated")
    said = [*ear.documents("headset"), *ear.documents("emotion")]
    assert not any(document["simulated"] for document in said)
    assert ear.documents("headset")[-1]["channels"] == ["TP9", "AF7", "AF8", "TP10"]


def test_an_end_during_the_search_leaves_nobody(
    product: Product, broker: RealBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEUROPLAYER_SESSION_LOOK_S", "30")
    running = product.start(*QUICK, "--broker", f"mqtt://127.0.0.1:{broker.port}")
    wait_until(lambda: bool(_searching(running)) and "engine" in running.children(), "it looks")
    family = psutil.Process(running.process.pid).children(recursive=True)
    running.interrupt()
    assert running.wait() == 0, running.errors
    wait_until(lambda: not any(process.is_running() for process in family), "all have ended")
    assert not running.errors
