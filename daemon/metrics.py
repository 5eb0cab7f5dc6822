"""What a role publishes, as numbers for Prometheus: latency, loss, quality, decisions, queue drops."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from daemon import messages
from daemon.messages import MessageError
from daemon.outbox import LinkCounters

PREFIX = "neuroplayer"
LATENCY_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)


class LinkState(Protocol):
    """What the metrics read of the link."""

    counters: LinkCounters
    connected: asyncio.Event
    last_error: str | None


class Metrics:
    """One role's numbers, in a registry of its own. Labels are bounded: electrodes, stages, kinds."""

    def __init__(self, role: str, link: LinkState) -> None:
        self._registry = registry = CollectorRegistry()
        self._link = link
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
        self._lost = Counter(f"{PREFIX}_lost_seconds", "EEG time lost in gaps", registry=registry)
        self._decisions = Counter(f"{PREFIX}_decisions", "Tracks chosen", ["kind"], registry=registry)
        self._degraded = Gauge(f"{PREFIX}_player_degradations", "Reasons shown now", registry=registry)
        self._refused = Counter(f"{PREFIX}_commands_refused", "Bad commands", registry=registry)
        for name, field, text in (
            ("mqtt_connects", "connects", "Connections made"),
            ("mqtt_failures", "failures", "Attempts and links that broke"),
            ("mqtt_published", "published", "Messages published"),
            ("mqtt_received", "received", "Messages heard"),
            ("mqtt_dropped_events", "dropped_events", "Events dropped from the full queue"),
            ("mqtt_superseded_states", "superseded_states", "States replaced before they were sent"),
            ("mqtt_taken_over", "taken_over", "Times another client took over our id"),
        ):
            gauge = Gauge(f"{PREFIX}_{name}", text, registry=registry)
            gauge.set_function(lambda field=field: float(getattr(link.counters, field)))  # type: ignore[misc]
        up = Gauge(f"{PREFIX}_mqtt_connected", "1 while connected", registry=registry)
        up.set_function(lambda: float(link.connected.is_set()))

    def note(self, name: str, payload: bytes) -> None:
        """Count a document as it leaves."""
        if name not in messages.DOCUMENTS:
            return
        with contextlib.suppress(MessageError):
            self._count(messages.decode(name, payload))

    def _count(self, document: messages.Document) -> None:
        match document:
            case messages.Emotion():
                self._states.labels(document.status).inc()
                for stage, value_ms in document.latency_ms.items():
                    self._latency.labels(stage[:32]).observe(value_ms / 1e3)
            case messages.Signal():
                self._quality.set(document.overall)
                for electrode in document.electrodes[:64]:
                    self._electrode.labels(electrode.channel[:32]).set(electrode.score)
            case messages.Headset():
                self._streaming.set(document.state == "streaming")
                self._lost.inc(document.gap_s or 0.0)
            case messages.Decision():
                self._decisions.labels(document.kind).inc()
            case messages.PlayerState():
                self._degraded.set(len(document.degraded))
            case messages.CommandError():
                self._refused.inc()

    def text(self) -> bytes:
        """The exposition format, version 0.0.4."""
        return generate_latest(self._registry)
