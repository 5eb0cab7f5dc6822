"""Root starts it, and Mosquitto becomes another user: it ends with the supervisor all the same."""

from __future__ import annotations

import os
import shutil

import psutil
import pytest

from support.running_product import Product
from support.waiting import wait_until


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mosquitto", path="/usr/sbin:/usr/bin") is None,
    reason="needs root and Mosquitto",
)
def test_a_killed_supervisor_leaves_no_broker_behind(product: Product) -> None:
    running = product.start("run", "--no-web", "--output", "null", "--source", "simulated")
    supervisor = psutil.Process(running.process.pid)

    def brokers() -> list[psutil.Process]:
        return [one for one in supervisor.children(recursive=True) if one.name() == "mosquitto"]

    wait_until(lambda: bool(brokers()), "Mosquitto runs")
    (broker,) = brokers()
    running.process.kill()
    wait_until(lambda: not broker.is_running() or broker.status() == psutil.STATUS_ZOMBIE, "it has ended")
