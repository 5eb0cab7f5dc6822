"""What a session leaves behind on the broker and on the disk: of a guest, of a replay, and of anybody."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from support.peers.real_broker import RealBroker
from support.running_product import MosquittoSub, Product
from support.waiting import wait_until

pytestmark = pytest.mark.broker


def _retained(broker: RealBroker) -> dict[str, dict[str, object]]:
    with MosquittoSub(broker.port) as late:
        time.sleep(1.0)
        return {h.topic.split("/", 2)[2]: h.document for h in late.heard if h.payload.startswith("{")}


@pytest.mark.parametrize("wearer", ["anna", "guest"])
def test_after_a_clean_stop_the_broker_claims_nothing_of_anybody(
    product: Product, broker: RealBroker, ear: MosquittoSub, wearer: str
) -> None:
    folder = Path(os.environ["NEUROPLAYER_STATE_DIR"]) / "wearers"
    common = ("--node", "t", "--wearer", wearer, "--broker", f"mqtt://127.0.0.1:{broker.port}")
    source = ("--source", "simulated", "--speed", "8", "--baseline", "10", "--record")
    engine = product.start("engine", *source, *common)
    player = product.start("player", "--output", "null", *common)
    wait_until(lambda: any(d["status"] == "ok" for d in ear.documents("emotion")), "a mood")
    wait_until(lambda: any(d["track"] for d in ear.documents("player/state")), "music")
    wait_until(lambda: any(folder.glob("*/baselines/*.json")), "a rest")
    for role in (engine, player):
        role.interrupt()
        assert role.wait() == 0, role.errors
    left = _retained(broker)
    assert (left["emotion"]["status"], left["emotion"]["emotion"]) == ("stale", "unknown")
    assert left["session"]["active"] is False
    if wearer == "guest":
        assert left["player/state"]["track"] is None
        assert left["signal"]["electrodes"] == []
        assert not [path for path in folder.rglob("*") if path.is_file()], (
            "a guest leaves nothing on the disk"
        )
    else:
        assert list(folder.glob("anna/recordings/*.xdf"))


def test_a_replay_is_said_to_be_one(
    product: Product, broker: RealBroker, ear: MosquittoSub, tmp_path: Path
) -> None:
    rng = np.random.default_rng(3)
    rows = [
        f"{1_700_000_000 + number / 256:.6f}," + ",".join(f"{value:.2f}" for value in row)
        for number, row in enumerate(rng.normal(0, 20, (20 * 256, 4)))
    ]
    recording = tmp_path / "of_anna" / "once.csv"
    recording.parent.mkdir()
    recording.write_text("\n".join(["timestamps,TP9,AF7,AF8,TP10", *rows]) + "\n")
    common = ("--node", "t", "--broker", f"mqtt://127.0.0.1:{broker.port}")
    engine = product.start("engine", "--source", f"replay:{recording}", "--speed", "4", *common)
    player = product.start("player", "--output", f"wav:{tmp_path / 'of_anna' / 'x.wav'}", *common)
    view = product.start("view", "--plain", *common)
    wait_until(lambda: any(d["source"] for d in ear.documents("headset")), "the recording is read")
    wait_until(lambda: any(d["replayed"] for d in ear.documents("player/state")), "the player was told")
    assert all(d["replayed"] for name in ("headset", "emotion", "session") for d in ear.documents(name))
    assert {d["source"] for d in ear.documents("headset")} <= {"", "replay:once.csv"}
    assert {d["output"] for d in ear.documents("player/state")} == {"wav:x.wav"}
    wait_until(lambda: view.says("[replayed]"), "the terminal says so")
    assert "of_anna" not in "".join(h.payload for h in ear.heard)
    for role in (engine, player, view):
        role.interrupt()
        role.wait()
