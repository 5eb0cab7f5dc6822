"""The other end of the latency bench: a subscriber in a process of its own that notes when messages come.

``python -m daemon.diagnosis.latency_listener HOST PORT [3]`` says ``ready`` on standard output once it is
subscribed; a line on its standard input ends it, with one line of JSON: arrival times by node, and the
stages told.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import defaultdict

import msgspec

from daemon.mqtt.transport.link import MqttLink
from daemon.settings import BrokerSettings


class Received(msgspec.Struct):
    """Arrival times of ``estimate`` by node, and every ``latency_ms`` that an ``emotion`` told."""

    arrivals_s: dict[str, list[float]]
    stages_ms: list[dict[str, float]]


class _Stages(msgspec.Struct):
    latency_ms: dict[str, float]


async def _listen(broker: BrokerSettings) -> Received:
    arrivals_s: dict[str, list[float]] = defaultdict(list)
    stages_ms: list[dict[str, float]] = []

    def on_message(topic: str, payload: bytes, retained: bool) -> None:
        now_s = time.monotonic()
        _, node, name = topic.split("/", 2)
        if name == "estimate":
            arrivals_s[node].append(now_s)
        elif name == "emotion":
            stages_ms.append(msgspec.json.decode(payload, type=_Stages).latency_ms)

    topics = ["neuroplayer/+/estimate", "neuroplayer/+/emotion"]
    link = MqttLink(broker, "neuroplayer-bench-listener", on_message=on_message, subscriptions=topics)
    async with link:
        await link.connected.wait()
        print("ready", flush=True)  # noqa: T201 - the parent waits for it
        await asyncio.to_thread(sys.stdin.readline)
    return Received(dict(arrivals_s), stages_ms)


def main() -> None:
    """Listen, then tell."""
    host, port, *old = sys.argv[1:]
    broker = BrokerSettings(host=host, port=int(port), mqtt3=bool(old))
    heard = asyncio.run(_listen(broker))
    sys.stdout.buffer.write(msgspec.json.encode(heard) + b"\n")


if __name__ == "__main__":
    main()
