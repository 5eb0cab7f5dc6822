"""Every role of a running product tells its health and its numbers on loopback."""

from __future__ import annotations

import json
import os
import re
import signal
import urllib.error
import urllib.request
from typing import Any

import psutil
import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from support.running_product import Product, Running
from support.waiting import wait_until

pytestmark = pytest.mark.broker


def _get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def _health(port: int) -> dict[str, Any]:
    status, body = _get(port, "/health")
    found = json.loads(body or "{}")
    assert (status == 200) == bool(found.get("healthy")), (status, body)
    return dict(found)


def _families(port: int) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(_get(port, "/metrics")[1])}


def _value(families: dict[str, Metric], name: str, **labels: str) -> float:
    (sample,) = [
        s for family in families.values() for s in family.samples if (s.name, s.labels) == (name, labels)
    ]
    return float(sample.value)


def _held_to_conventions(family: Metric) -> None:
    """What ``promtool check metrics`` asks for."""
    assert re.fullmatch(r"neuroplayer(_[a-z0-9]+)+", family.name), family.name
    assert family.documentation, family.name
    assert family.type in ("counter", "gauge", "histogram"), family.name
    assert not re.search(r"_(ms|milliseconds|minutes|percent|kb|mb)$", family.name), family.name
    assert not family.name.endswith(("_count", "_sum", "_bucket")), family.name
    if family.type == "counter":
        assert all(sample.name.endswith(("_total", "_created")) for sample in family.samples), family.name
    else:
        assert not family.name.endswith("_total"), family.name


def _mosquitto(running: Running) -> psutil.Process | None:
    for child in psutil.Process(running.process.pid).children(recursive=True):
        if child.name() == "mosquitto":
            return child
    return None


def test_every_role_tells_its_health_and_numbers(product: Product, health_ports: dict[str, int]) -> None:
    os.environ.pop("NEUROPLAYER_MQTT_BROKER", None)
    quick = ("--source", "simulated", "--output", "null", "--baseline", "none")
    running = product.start("run", "--plain", *quick, "--seed", "4")
    wait_until(
        lambda: all(_health(port).get("connected") for port in health_ports.values()),
        "all four are connected",
    )
    for role, port in health_ports.items():
        health = _health(port)
        assert (health["role"], health["healthy"], health["reason"]) == (role, True, None)
    wait_until(
        lambda: (
            "neuroplayer_decisions" in _families(health_ports["player"])
            and bool(_families(health_ports["player"])["neuroplayer_decisions"].samples)
            and 'stage="filter"' in _get(health_ports["engine"], "/metrics")[1]
        ),
        "a track was chosen and a state was said",
    )
    families = {role: _families(port) for role, port in health_ports.items()}
    for one in families.values():
        for family in one.values():
            _held_to_conventions(family)
    engine, player = families["engine"], families["player"]
    assert _value(engine, "neuroplayer_headset_streaming") == 1
    assert _value(engine, "neuroplayer_lost_seconds_total") >= 0
    assert _value(engine, "neuroplayer_late_windows_total") == 0
    assert _value(engine, "neuroplayer_late_seconds") >= 0
    assert _health(health_ports["engine"])["late_windows"] == 0
    assert 0 <= _value(engine, "neuroplayer_signal_quality") <= 1
    for queue in ("mqtt_events", "eeg_to_page", "eeg_to_lsl"):
        assert _value(engine, "neuroplayer_queue_drops_total", queue=queue) == 0
    for queue in ("mqtt_events", "commands", "sound_frames"):
        assert _value(player, "neuroplayer_queue_drops_total", queue=queue) == 0
    for where in ("decoder", "device"):
        assert _value(player, "neuroplayer_audio_underruns_total", at=where) >= 0
    assert _value(families["web"], "neuroplayer_web_pages") == 0
    assert _value(families["broker"], "neuroplayer_mqtt_connected") == 1
    _a_dead_broker_comes_back(running, health_ports["broker"])


def _a_dead_broker_comes_back(running: Running, port: int) -> None:
    broker = _mosquitto(running)
    if broker is None:  # the embedded one lives inside the role
        return
    broker.send_signal(signal.SIGKILL)
    broker.wait()
    wait_until(lambda: _mosquitto(running) is not None, "the broker was started again")
    wait_until(lambda: bool(_health(port).get("healthy")), "and is well")
    running.process.terminate()
    assert running.wait() == 0
    assert not psutil.pid_exists(broker.pid)
