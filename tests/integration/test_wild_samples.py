"""A stream of numbers that no electrode measures costs nothing but its own estimates."""

from __future__ import annotations

from typing import Any

import pytest

from support.peers.real_broker import RealBroker
from support.peers.real_outlet import RealOutlet
from support.running_product import MosquittoSub, Product
from support.waiting import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.slow]


@pytest.mark.parametrize("unit", ["microvolts", "volts"])
def test_samples_beyond_all_numbers_are_no_signal_and_print_nothing(
    product: Product, broker: RealBroker, ear: MosquittoSub, unit: str
) -> None:
    wild: dict[str, Any] = {
        "format": "double64",
        "unit": unit,
        "factor": 4e306 if unit == "microvolts" else 1e307,
    }
    with RealOutlet(**wild) as outlet:
        running = product.start(
            *("engine", "--source", f"lsl:{outlet.name}", "--lsl-out", f"{outlet.name}-again"),
            *("--record", "--broker", f"mqtt://127.0.0.1:{broker.port}"),
        )
        wait_until(lambda: len(ear.on("signal")) >= 8, "the quality of some windows")
        running.interrupt()
        assert running.wait() == 0, running.errors
    assert not ear.on("estimate")
    assert {electrode["score"] for electrode in ear.documents("signal")[-1]["electrodes"]} == {0.0}
    assert not running.says("Warning"), running.errors
