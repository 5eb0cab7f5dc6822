"""What a role does, as numbers for Prometheus: latency, loss, quality, decisions, underruns, queue drops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from acquisition.signal import EegChunk, Gap, HeadsetStatus
from daemon.mqtt import documents
from daemon.mqtt.transport.outbox import LinkCounters


class SignalLoss:
    """Hears everything a feed gives; a short hole that was bridged is lost as well."""

    def __init__(self) -> None:
        self._rate_hz = 0.0
        self.lost_s = 0.0

    def push(self, item: HeadsetStatus | EegChunk | Gap) -> None:
        """Take what the feed gives."""
        if isinstance(item, HeadsetStatus) and item.info is not None:
            self._rate_hz = item.info.rate_hz
        elif isinstance(item, Gap) and self._rate_hz > 0:
            self.lost_s += item.missing_samples / self._rate_hz


PREFIX = "neuroplayer"
LATENCY_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)
LINK = (
    ("connects", "Connections made to the broker"),
    ("failures", "Attempts and links that broke"),
    ("published", "Messages published"),
    ("received", "Messages heard"),
    ("superseded_states", "States replaced by newer ones before they were sent"),
    ("taken_over", "Times another client took over our id"),
    ("flooding_commands", "Commands left out because too many came"),
)

Read = Callable[[], float]


class LinkState(Protocol):
    """What the metrics read of the link."""

    counters: LinkCounters
    connected: asyncio.Event
    last_error: str | None


@dataclass(frozen=True)
class RoleCounts:
    """What a role counts beside its link. Each is read when asked for; all but ``gauges`` only grow."""

    queues: Mapping[str, Read] = field(default_factory=dict)
    """What a full queue has dropped, by the queue's name."""
    underruns: Mapping[str, Read] = field(default_factory=dict)
    """How often sound ran dry, by where: the decoder or the device."""
    lost_s: Read | None = None
    """EEG that was lost between the headset and the classifier, in seconds."""
    counters: Mapping[str, tuple[str, Read]] = field(default_factory=dict)
    """Further counters: name without prefix and ``_total``, what it counts, its value."""
    gauges: Mapping[str, tuple[str, Read]] = field(default_factory=dict)
    """Further gauges, likewise."""
    told: Mapping[str, Read] = field(default_factory=dict)
    """What ``/health`` tells as well, by name."""


class CountsCollector(Collector):
    """Reads the counters of the link and of the role when Prometheus asks."""

    def __init__(self, link: LinkState, counts: RoleCounts) -> None:
        self._link, self._counts = link, counts

    def collect(self) -> Iterator[Metric]:
        """One family each, named by Prometheus' conventions."""
        link, counts = self._link, self._counts
        for name, text in LINK:
            yield _counter(f"mqtt_{name}", text, float(getattr(link.counters, name)))
        yield _gauge("mqtt_connected", "1 while connected to the broker", float(link.connected.is_set()))
        queues = {"mqtt_events": lambda: float(link.counters.dropped_events), **counts.queues}
        yield _labelled("queue_drops", "What full queues have dropped", "queue", queues)
        if counts.underruns:
            yield _labelled("audio_underruns", "Times the sound ran dry", "at", counts.underruns)
        if counts.lost_s is not None:
            yield _counter("lost_seconds", "EEG time lost in gaps", counts.lost_s())
        for name, (text, read) in counts.counters.items():
            yield _counter(name, text, read())
        for name, (text, read) in counts.gauges.items():
            yield _gauge(name, text, read())


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"{PREFIX}_{name}", text, value)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, value)


def _labelled(name: str, text: str, label: str, values: Mapping[str, Read]) -> Metric:
    family = CounterMetricFamily(f"{PREFIX}_{name}", text, labels=[label])
    for word, read in values.items():
        family.add_metric([word], read())
    return family


class Metrics:
    """One role's numbers, in a registry of its own. Labels are bounded: electrodes, stages, kinds."""

    def __init__(self, role: str, link: LinkState, counts: RoleCounts) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(CountsCollector(link, counts))
        if role == "engine":
            self._measure_engine()
        if role == "player":
            self._measure_player()
        if role in ("engine", "player"):
            self._refused = Counter(
                f"{PREFIX}_commands_refused", "Commands that were refused", registry=self._registry
            )

    def _measure_engine(self) -> None:
        registry = self._registry
        self._latency = Histogram(
            f"{PREFIX}_stage_seconds",
            "Computing time by stage",
            ["stage"],
            buckets=LATENCY_S,
            registry=registry,
        )
        self._states = Counter(f"{PREFIX}_states", "Emotion states said", ["status"], registry=registry)
        self._quality = Gauge(f"{PREFIX}_signal_quality", "Overall, 0..1", registry=registry)
        self._electrode = Gauge(f"{PREFIX}_electrode_quality", "0..1", ["channel"], registry=registry)
        self._streaming = Gauge(f"{PREFIX}_headset_streaming", "1 while samples come", registry=registry)

    def _measure_player(self) -> None:
        registry = self._registry
        self._decisions = Counter(f"{PREFIX}_decisions", "Tracks chosen", ["kind"], registry=registry)
        self._degraded = Gauge(f"{PREFIX}_player_degradations", "Reasons shown now", registry=registry)

    def note(self, document: documents.Document) -> None:
        """Count a document as it leaves."""
        match document:
            case documents.Emotion():
                self._states.labels(document.status).inc()
                for stage, value_ms in document.latency_ms.items():
                    self._latency.labels(stage[:32]).observe(value_ms / 1e3)
            case documents.Signal():
                self._quality.set(document.overall)
                for electrode in document.electrodes[:64]:
                    self._electrode.labels(electrode.channel[:32]).set(electrode.score)
            case documents.Headset():
                self._streaming.set(document.state == "streaming")
            case documents.Decision():
                self._decisions.labels(document.kind).inc()
            case documents.PlayerState():
                self._degraded.set(len(document.degraded))
            case documents.CommandError():
                self._refused.inc()

    def text(self) -> bytes:
        """The exposition format, version 0.0.4."""
        return generate_latest(self._registry)
