"""Fault F46: the wearer takes back what was recorded, also while it is being recorded."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from real_broker import RealBroker
from running_product import MosquittoSub, Product
from waiting import wait_until

pytestmark = pytest.mark.broker


def test_f46_forget_while_recording_leaves_nothing_and_nothing_new_is_written(
    product: Product, broker: RealBroker, ear: MosquittoSub
) -> None:
    state = Path(os.environ["NEUROPLAYER_STATE_DIR"])
    url = f"mqtt://127.0.0.1:{broker.port}"
    engine = product.start(
        *("engine", "--source", "simulated", "--speed", "8", "--baseline", "10", "--node", "t"),
        *("--broker", url, "--record"),
    )
    wait_until(lambda: len(ear.documents("estimate")) > 3, "estimates")
    wait_until((state / "baselines").is_dir, "a stored rest")
    (state / "labels.jsonl").write_text("{}\n")
    (state / "taste.json").write_text("{}\n")
    running = product.start("forget", "--yes", "--node", "t", "--broker", url)
    assert running.wait() == 0, running.errors
    assert running.says(".xdf.part")
    assert running.says("consent.json")
    assert running.says("labels.jsonl")
    assert running.says("retained message of neuroplayer/t/emotion")
    wait_until(lambda: engine.says("deleted, so the recording has stopped"), "the recording has stopped")
    time.sleep(1.0)
    assert not (state / "recordings").exists()
    assert not (state / "labels.jsonl").exists()
    assert not (state / "taste.json").exists()
    wait_until(lambda: '"recording":false' in ear.on("session")[-1].payload, "REC is off")
    engine.interrupt()
    assert engine.wait() == 0
    assert not (state / "recordings").exists()
    again = product.start("forget", "--yes", "--node", "t", "--broker", url)
    assert again.wait() == 0
    with MosquittoSub(broker.port) as late:
        time.sleep(1.0)
        ours = {heard.topic for heard in late.heard if heard.topic.startswith("neuroplayer/")}
        assert ours <= {"neuroplayer/t/engine/availability"}


def test_f46_forget_asks_first(product: Product) -> None:
    state = Path(os.environ["NEUROPLAYER_STATE_DIR"])
    state.mkdir(parents=True)
    (state / "labels.jsonl").write_text("{}\n")
    running = product.start("forget")
    assert running.wait() != 0
    assert running.says(f"{state / 'labels.jsonl'}: 1 file, 3 bytes")
    assert (state / "labels.jsonl").exists()
    asked = product.start("forget", "--yes")
    assert asked.wait() == 0, asked.errors
    nothing = product.start("forget")
    assert nothing.wait() == 0, nothing.errors
    assert nothing.says("nothing is known")
