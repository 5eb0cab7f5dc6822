"""Measures the way of a sample: from the headset's chunk through the engine and the broker to a subscriber.

Real engine roles, real links, the own broker and a subscriber in a process of its own; only the headset is
made up: it hands over prepared samples when they are due. One session has its source in a thread, as live;
many share the event loop, for nobody wears a hundred headsets. They begin at random moments, as people do.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from acquisition.port import MAX_POLL_S
from acquisition.signal import EegChunk, FeedItem, FloatArray, HeadsetStatus, StreamInfo
from acquisition.stream.feed import Feed
from acquisition.stream.timeline import Timeline
from daemon.broker import mosquitto_binary
from daemon.diagnosis.latency_listener import Received
from daemon.engine.prepared import PreparedPipeline
from daemon.engine.role import EngineRole, HeadsetFeed
from daemon.errors import BadInputError
from daemon.mqtt.outlet import Outlet
from daemon.mqtt.topics import ENGINE_AVAILABILITY, Topics
from daemon.mqtt.transport.link import MqttLink
from daemon.settings import BrokerSettings
from inference.baseline.baseline import Baseline
from inference.classification.band_power_classifier import BandPowerClassifier
from inference.features.schemas import schema_named
from inference.networks.manifest import Manifest, map_channels
from inference.networks.model_store import ModelStore
from inference.networks.vetting import load_network
from inference.pipeline import Pipeline, PipelineSettings
from inference.port import Classifier

CHANNELS = ("TP9", "AF7", "AF8", "TP10")
RATE_HZ = 256.0
CHUNK = 16
WINDOW_S, HOP_S = 2.0, 0.5
CONNECT_S = 60.0
"""So long the broker, the listener and the sessions have to find each other."""
START_S = 0.5
"""From then to the first sample."""


@dataclass(frozen=True, slots=True)
class LatencyFigures:
    """``total_ms`` is from the last sample of a window to the subscriber, one for each window heard."""

    sessions: int
    model: str
    total_ms: Sequence[float]
    stages_ms: Sequence[dict[str, float]]
    lost: int
    cpu_share: float


class DueSource:
    """Prepared samples, each chunk handed over when its last sample is due; notes when that was."""

    def __init__(self, samples_uv: FloatArray, name: str) -> None:
        self._samples_uv, self.name = samples_uv, name
        self.start_s = time.monotonic()
        self._at = 0
        self.due_s: list[float] = []

    def open(self) -> StreamInfo:
        """Describe the stream."""
        return StreamInfo("bench", self.name, CHANNELS, RATE_HZ, simulated=True, identity=self.name)

    @property
    def next_due_s(self) -> float:
        """When the next chunk's last sample is due."""
        return self.start_s + (self._at + CHUNK) / RATE_HZ

    def poll(self, timeout_s: float) -> EegChunk | None:
        """The next chunk once it is due."""
        due_s = self.next_due_s
        wait_s = due_s - time.monotonic()
        if wait_s > 0:
            time.sleep(max(0.0, min(wait_s, timeout_s, MAX_POLL_S)))
            if time.monotonic() < due_s:
                return None
        places = np.arange(self._at, self._at + CHUNK)
        self._at += CHUNK
        self.due_s.append(due_s)
        return EegChunk(self._samples_uv[:, places % self._samples_uv.shape[1]], places / RATE_HZ)

    def close(self) -> None:
        """Nothing to let go of."""

    def window_due_s(self) -> list[float]:
        """When the chunks came that completed a window."""
        window, hop = round(WINDOW_S * RATE_HZ), round(HOP_S * RATE_HZ)
        ends = [(i + 1) * CHUNK for i in range(len(self.due_s))]
        done = [end >= window and (end - window) % hop == 0 for end in ends]
        return [due for complete, due in zip(done, self.due_s, strict=True) if complete]


class DueFeed:
    """The chunks of a source on the event loop, through the same timeline as the acquisition loop's."""

    def __init__(self, source: DueSource) -> None:
        self._source = source

    def on_music(self, valence: float | None, arousal: float | None) -> None:
        """The wearer is deaf."""

    async def __aiter__(self) -> AsyncIterator[FeedItem]:
        timeline = Timeline(RATE_HZ)
        yield HeadsetStatus("streaming", self._source.open())
        while True:
            await asyncio.sleep(max(0.0, self._source.next_due_s - time.monotonic()))
            chunk = self._source.poll(0.0)
            for item in timeline.push(chunk) if chunk is not None else ():
                yield item


def measure(sessions: int, seconds: float, roots: Sequence[Path]) -> LatencyFigures:
    """Run so many sessions in this process for so long. Takes a few seconds more than ``seconds``."""
    reader = _reader(roots)
    with tempfile.TemporaryDirectory() as name, _broker(Path(name)) as broker:
        command = [sys.executable, "-m", "daemon.diagnosis.latency_listener", broker.host, str(broker.port)]
        command += ["3"] if broker.mqtt3 else []
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as listener:
            assert listener.stdout is not None  # noqa: S101 - opened as a pipe
            try:
                listener.stdout.readline()
                sources, share = asyncio.run(_sessions(sessions, seconds, reader, broker, Path(name)))
                answer, _ = listener.communicate(b"enough\n", timeout=CONNECT_S)
            finally:
                listener.kill()
    return _figures(sources, msgspec.json.decode(answer, type=Received), reader[0].model_id.name, share)


async def _sessions(
    sessions: int,
    seconds: float,
    reader: tuple[Classifier, Manifest | None],
    broker: BrokerSettings,
    folder: Path,
) -> tuple[list[DueSource], float]:
    """(the sources with what they noted, share of a core that this process used)."""
    rng = random.Random(0)  # noqa: S311 - phases, no secret
    samples_uv = np.random.default_rng(0).normal(size=(4, round(60 * RATE_HZ))) * 10
    sources = [DueSource(samples_uv, f"bench-{number:03}") for number in range(sessions)]
    async with contextlib.AsyncExitStack() as stack:
        labels = folder / "labels.jsonl"
        ready = [
            await _session(stack, broker, source, reader, labels, alone=sessions == 1) for source in sources
        ]
        async with asyncio.timeout(CONNECT_S):
            for _, link in ready:
                await link.connected.wait()
        began_s = time.monotonic() + START_S
        for source in sources:
            source.start_s = began_s + rng.uniform(0, 1)
        tasks = [asyncio.create_task(role.run()) for role, _ in ready]
        await asyncio.sleep(max(0.0, began_s - time.monotonic()))
        used_s = time.process_time()
        await asyncio.sleep(seconds)
        used_s = time.process_time() - used_s
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return sources, used_s / seconds


async def _session(
    stack: contextlib.AsyncExitStack,
    broker: BrokerSettings,
    source: DueSource,
    reader: tuple[Classifier, Manifest | None],
    labels_file: Path,
    *,
    alone: bool,
) -> tuple[EngineRole, MqttLink]:
    node = Topics(source.name)
    feed: HeadsetFeed = DueFeed(source)
    if alone:
        feed = await stack.enter_async_context(Feed(lambda: source))

    def prepare(info: StreamInfo) -> PreparedPipeline:
        return _prepared(info, *reader)

    outlet = Outlet(node)
    role = EngineRole(outlet, feed, prepare, simulated=True, labels_file=labels_file)
    outlet.link = link = MqttLink(
        broker,
        f"neuroplayer-{source.name}",
        on_message=role.on_message,
        subscriptions=role.subscriptions,
        availability=node.full(ENGINE_AVAILABILITY),
    )
    await stack.enter_async_context(link)
    return role, link


def _reader(roots: Sequence[Path]) -> tuple[Classifier, Manifest | None]:
    """The network that the product would choose for a Muse headband, else the band-power rule."""
    manifest = ModelStore(tuple(roots)).choose_for(CHANNELS)
    if manifest is None or (manifest.window_s, manifest.hop_s) != (WINDOW_S, HOP_S):
        return BandPowerClassifier(CHANNELS), None
    variant = "int8" if "int8" in manifest.files else "float"
    return load_network(manifest, variant), manifest


def _prepared(info: StreamInfo, classifier: Classifier, manifest: Manifest | None) -> PreparedPipeline:
    """A pipeline with a baseline made up, so that it names a mood from the first window on."""
    n = schema_named(classifier.feature_schema).length(classifier.channels)
    rest = Baseline(classifier.feature_schema, classifier.channels, np.full(n, 1.5), np.full(n, 0.5), 60.0)
    channels = map_channels(manifest, info.channels) if manifest else info.channels
    pipeline = Pipeline(info, classifier, PipelineSettings(mains_hz="auto"), rest, channels=channels)
    return PreparedPipeline(pipeline=pipeline, model=classifier.model_id, baseline_s=0.0)


def _figures(sources: Sequence[DueSource], heard: Received, model: str, cpu_share: float) -> LatencyFigures:
    total_ms: list[float] = []
    lost = 0
    for source in sources:
        due_s, arrived_s = source.window_due_s(), heard.arrivals_s.get(source.name, [])
        lost += abs(len(due_s) - len(arrived_s))
        if len(due_s) - len(arrived_s) in (0, 1):  # the last window may have been cut off
            total_ms += [1e3 * (b - a) for a, b in zip(due_s, arrived_s, strict=False)]
    return LatencyFigures(len(sources), model, total_ms, heard.stages_ms, lost, cpu_share)


@contextlib.contextmanager
def _broker(folder: Path) -> Iterator[BrokerSettings]:
    """The product's own broker on a free port, in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    broker = BrokerSettings(port=port, ours=True, mqtt3=mosquitto_binary() is None)
    environment = {**os.environ, "NEUROPLAYER_STATE_DIR": str(folder), "NEUROPLAYER_CACHE_DIR": str(folder)}
    command = [sys.executable, "-m", "daemon.cli", "broker", "--broker", broker.url]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as child:
        try:
            _wait_for(broker, child)
            yield broker
        finally:
            child.terminate()


def _wait_for(broker: BrokerSettings, child: subprocess.Popen[bytes]) -> None:
    until_s = time.monotonic() + CONNECT_S
    while child.poll() is None and time.monotonic() < until_s:
        with socket.socket() as probe:
            if probe.connect_ex((broker.host, broker.port)) == 0:
                return
        time.sleep(0.02)
    raise BadInputError(f"bench: the broker on port {broker.port} did not start; try again")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` percent lie; 0 where there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))] if ordered else 0.0
