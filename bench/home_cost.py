"""What the daemon costs in a home: MQTT beside bare paho, the supervisor's memory, the cold start, idle.

``.venv/bin/python bench/home_cost.py [--out bench/results/home_cost]`` writes a JSON and a Markdown file.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]
from daemon.mqtt.transport.link import MqttLink  # noqa: E402
from daemon.settings import BrokerSettings  # noqa: E402
from support.peers.real_broker import RealBroker  # noqa: E402

PAYLOAD = b"x" * 300
ROUNDS, MESSAGES, PACE_S = 6, 100, 0.01


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _ours(port: int) -> list[float]:
    sent: dict[int, float] = {}
    took: list[float] = []

    def on_message(topic: str, payload: bytes, retained: bool) -> None:
        took.append(time.perf_counter() - sent[int(payload[:8])])

    settings = BrokerSettings(port=port)
    async with (
        MqttLink(settings, "bench-in", on_message=on_message, subscriptions=["bench/ours"]) as listener,
        MqttLink(settings, "bench-out", on_message=on_message) as speaker,
    ):
        await listener.connected.wait()
        await speaker.connected.wait()
        for number in range(MESSAGES):
            sent[number] = time.perf_counter()
            speaker.send("bench/ours", b"%08d" % number + PAYLOAD, qos=1)
            await asyncio.sleep(PACE_S)
        await asyncio.sleep(0.3)
    return took


def _paho(port: int) -> list[float]:
    sent: dict[int, float] = {}
    took: list[float] = []
    ready = threading.Event()
    clients = [mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5) for _ in range(2)]
    listener, speaker = clients
    listener.on_message = lambda *a: took.append(time.perf_counter() - sent[int(a[2].payload[:8])])
    listener.on_subscribe = lambda *a: ready.set()
    for client in clients:
        client.connect("127.0.0.1", port)
        found = client.socket()
        if found is not None:
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.loop_start()
    listener.subscribe("bench/paho", qos=1)
    ready.wait(5)
    for number in range(MESSAGES):
        sent[number] = time.perf_counter()
        speaker.publish("bench/paho", b"%08d" % number + PAYLOAD, qos=1)
        time.sleep(PACE_S)
    time.sleep(0.3)
    for client in clients:
        client.disconnect()
        client.loop_stop()
    return took


def mqtt_beside_paho(port: int) -> dict[str, Any]:
    """Publish to subscriber, QoS 1, both in turns: a round each."""
    ours, paho = [], []
    for _ in range(ROUNDS):
        ours += asyncio.run(_ours(port))
        paho += _paho(port)
    figures = {
        name: {"p50_ms": 1e3 * statistics.median(took), "p95_ms": 1e3 * sorted(took)[int(len(took) * 0.95)]}
        for name, took in (("ours", ours), ("paho", paho))
    }
    ratio = figures["ours"]["p50_ms"] / figures["paho"]["p50_ms"]
    return {**figures, "messages": ROUNDS * MESSAGES, "ratio_p50": ratio, "target_ratio": 1.5}


def whole_product(port: int, folder: Path, idle_s: float) -> dict[str, Any]:
    """Cold start, the supervisor's memory and what all roles use while nothing but music and EEG goes on."""
    environment = os.environ | {
        "NEUROPLAYER_STATE_DIR": str(folder / "state"),
        "NEUROPLAYER_CACHE_DIR": str(folder / "cache"),
        "NEUROPLAYER_CONFIG": str(folder / "none.toml"),
    }
    command = [sys.executable, "-m", "daemon.cli", "run", "--plain", "--output", "null", "--baseline", "none"]
    marks: dict[str, float] = {}
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    began_s = time.monotonic()

    def on_message(_client: Any, _data: Any, message: Any) -> None:
        document = json.loads(message.payload) if message.payload.startswith(b"{") else {}
        if message.topic.endswith("player/state") and document.get("track") and document["position_s"] > 0:
            marks.setdefault("first_sound_s", time.monotonic() - began_s)
        if message.topic.endswith("/emotion") and document.get("status") == "ok":
            marks.setdefault("first_state_s", time.monotonic() - began_s)

    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.subscribe("neuroplayer/#")
    client.loop_start()
    process = subprocess.Popen(
        [*command, "--broker", f"mqtt://127.0.0.1:{port}"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while len(marks) < 2 and time.monotonic() - began_s < 120:
            time.sleep(0.05)
        time.sleep(5)
        supervisor = psutil.Process(process.pid)
        memory = supervisor.memory_full_info()
        children = supervisor.children(recursive=True)
        everyone = {_name(child): child for child in children if child.status() != psutil.STATUS_ZOMBIE}
        everyone["supervisor"] = supervisor
        before = {name: sum(child.cpu_times()[:2]) for name, child in everyone.items()}
        time.sleep(idle_s)
        cpu = {
            name: round(100 * (sum(child.cpu_times()[:2]) - before[name]) / idle_s, 2)
            for name, child in everyone.items()
            if child.is_running() and child.status() != psutil.STATUS_ZOMBIE
        }
    finally:
        process.terminate()
        process.wait(15)
        client.disconnect()
        client.loop_stop()
    return {
        **marks,
        "supervisor_own_mb": memory.uss / 1e6,
        "supervisor_rss_mb": memory.rss / 1e6,
        "supervisor_target_mb": 30,
        "cpu_percent_of_a_core": cpu,
        "cpu_percent_total": round(sum(cpu.values()), 2),
    }


def _name(process: psutil.Process) -> str:
    command = process.cmdline()
    role = command[-1] if "daemon.child" in command else Path(command[0]).name if command else "?"
    return role if role in ("engine", "player", "web", "view", "broker") else f"{role}-{process.pid}"


def main() -> int:
    """Measure and write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench/results/home_cost"))
    parser.add_argument("--idle", type=float, default=20.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), _free_port()
        broker = RealBroker(folder, port)
        broker.start()
        try:
            figures = {
                "machine": f"{platform.machine()}, {os.cpu_count()} cores",
                "load_average": os.getloadavg()[0],
                "mqtt": mqtt_beside_paho(port),
                "product": whole_product(port, folder, asked.idle),
            }
        finally:
            broker.stop()
    asked.out.with_suffix(".json").write_text(json.dumps(figures, indent=2) + "\n")
    asked.out.with_suffix(".md").write_text(_words(figures))
    print(_words(figures))
    return 0


def _words(figures: dict[str, Any]) -> str:
    link, product = figures["mqtt"], figures["product"]
    rows = [
        ("Publish to subscriber through Mosquitto, p50", f"{link['ours']['p50_ms']:.2f} ms"),
        ("the same with bare paho, same run", f"{link['paho']['p50_ms']:.2f} ms"),
        ("ratio (target at most 1.5)", f"{link['ratio_p50']:.2f}"),
        ("Supervisor's own memory (target under 30 MB)", f"{product['supervisor_own_mb']:.1f} MB"),
        ("Supervisor's RSS, shared pages included", f"{product['supervisor_rss_mb']:.1f} MB"),
        ("Cold start to first sound", f"{product.get('first_sound_s', float('nan')):.1f} s"),
        ("Cold start to first state", f"{product.get('first_state_s', float('nan')):.1f} s"),
        ("Processor time of all roles, of one core", f"{product['cpu_percent_total']:.1f} %"),
    ]
    lines = [
        "# The daemon in a home",
        "",
        f"{figures['machine']}; load average {figures['load_average']:.1f}.",
    ]
    lines += [
        "",
        "| figure | measured |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
