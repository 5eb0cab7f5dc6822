"""How soon a started engine is there, and how much memory it holds.

``python bench/inference/startup.py [RUNS]``; writes to bench/results/. The engine runs as users run it, a
process of its own with the simulated wearer; another process hears it by MQTT. Ready: its availability is
``online``. Reading: its session names the network, which was tried in a child and loaded.
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])]

import msgspec  # noqa: E402
import psutil  # noqa: E402
from measuring import write  # noqa: E402

from daemon.broker import mosquitto_binary, mosquitto_config  # noqa: E402
from daemon.mqtt.transport.link import MqttLink  # noqa: E402
from daemon.settings import BrokerSettings  # noqa: E402

LISTEN_S = 15.0


async def one_run(broker: BrokerSettings, folder: Path, node: str) -> dict[str, float]:
    """Seconds from the start of the process, and MB when it has run a while."""
    found: dict[str, float] = {}
    began_s = 0.0

    def on_message(topic: str, payload: bytes, retained: bool) -> None:
        now_s = time.monotonic() - began_s
        if topic.endswith("engine/availability") and payload == b"online":
            found.setdefault("ready_s", now_s)
        if topic.endswith("/session"):
            model = msgspec.json.decode(payload)["model"]
            if model is not None and model["sha256"] is not None:
                found.setdefault("reading_s", now_s)

    link = MqttLink(broker, "bench", on_message=on_message, subscriptions=[f"neuroplayer/{node}/#"])
    environment = {**os.environ, "NEUROPLAYER_STATE_DIR": str(folder), "NEUROPLAYER_CACHE_DIR": str(folder)}
    command = [sys.executable, "-m", "daemon.cli", "engine", "--source", "simulated", "--broker", broker.url]
    command += ["--node", node]
    async with link:
        await link.connected.wait()
        began_s = time.monotonic()
        quiet = subprocess.DEVNULL
        child = await asyncio.create_subprocess_exec(*command, env=environment, stderr=quiet)
        await asyncio.sleep(LISTEN_S)
        process = psutil.Process(child.pid)
        found["rss_mb"] = process.memory_info().rss / 2**20
        found["threads"] = process.num_threads()
        child.terminate()
        await child.wait()
    return found


def main() -> None:
    """Several runs, the first of which warms the file cache and does not count."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    binary = mosquitto_binary()
    if binary is None:
        sys.exit("Mosquitto is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        broker = BrokerSettings(port=int(probe.getsockname()[1]))
    with tempfile.TemporaryDirectory() as name:
        config = Path(name) / "mosquitto.conf"
        config.write_text(mosquitto_config(broker))
        with subprocess.Popen([binary, "-c", str(config)], stderr=subprocess.DEVNULL) as server:
            time.sleep(0.5)
            rows = [asyncio.run(one_run(broker, Path(name) / str(i), f"bench-{i}")) for i in range(runs + 1)][
                1:
            ]
            server.terminate()
    document: dict[str, Any] = {
        key: round(statistics.median(row.get(key, float("nan")) for row in rows), 3)
        for key in ("ready_s", "reading_s", "rss_mb", "threads")
    }
    document["runs"] = rows
    lines = [
        f"Medians of {runs} starts of `neuroplayer engine --source simulated` with a warm file cache.",
        "",
        "| what | figure | target |",
        "|---|---|---|",
        f"| start to `online` | {document['ready_s']} s | 1 s |",
        f"| start to the network in use | {document['reading_s']} s | |",
        f"| resident memory after {LISTEN_S:g} s | {document['rss_mb']:.0f} MB | 150 MB |",
    ]
    write("inference_startup", "Start of the engine", document, lines)


if __name__ == "__main__":
    main()
