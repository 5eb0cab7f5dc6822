"""Stands in for engine and player on a real broker: says documents of the contract, hears commands."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import paho.mqtt.client as mqtt

from daemon.mqtt import codec, documents, topics
from support.waiting import PATIENCE_S, wait_until

MODEL = documents.Model(name="test-model", sha256=None)
CHANNELS = ("TP9", "AF7", "AF8", "TP10")


def now() -> datetime:
    return datetime.now(UTC)


BEGAN = now()
"""One session for a whole run: each that begins is a file of the history, and only the newest are kept."""


def emotion(**given: Any) -> documents.Emotion:
    values: dict[str, Any] = {
        "at": now(),
        "simulated": True,
        "emotion": "relaxed",
        "valence": None,
        "arousal": -0.4,
        "confidence": 0.8,
        "status": "ok",
        "since": now() - timedelta(seconds=42),
        "seq": 1,
        "model": MODEL,
        "latency_ms": {},
    }
    return documents.Emotion(**(values | given))


def estimate(arousal: float = -0.4) -> documents.Estimate:
    return documents.Estimate(
        at=now(),
        simulated=True,
        probabilities={"engaged": 0.5 + arousal / 2},
        valence=None,
        arousal=arousal,
        confidence=0.8,
        status="ok",
        model=MODEL,
    )


def signal(scores: tuple[float, ...] = (1.0, 0.9, 0.6, 0.2), **given: Any) -> documents.Signal:
    reasons = [[], [], ["blink"], ["loose"]]
    electrodes = [
        documents.Electrode(channel=name, score=score, reasons=why if score < 0.8 else [])
        for name, score, why in zip(CHANNELS, scores, reasons, strict=True)
    ]
    values: dict[str, Any] = {
        "at": now(),
        "simulated": True,
        "overall": sum(scores) / len(scores),
        "worn": True,
        "late": 0,
        "electrodes": electrodes,
    }
    return documents.Signal(**(values | given))


def headset(state: str = "streaming", **given: Any) -> documents.Headset:
    values: dict[str, Any] = {
        "at": now(),
        "simulated": True,
        "state": state,
        "source": "simulated",
        "device": "Simulated Muse",
        "rate_hz": 256.0,
        "channels": list(CHANNELS),
        "battery_percent": 80.0,
        "gap_s": None,
        "reason": "",
    }
    return documents.Headset(**(values | given))


def session(phase: str = "running", trusted_s: float = 45.0, **given: Any) -> documents.Session:
    values: dict[str, Any] = {
        "at": now(),
        "simulated": True,
        "active": phase != "stopped",
        "phase": phase,
        "started": BEGAN,
        "baseline_wanted_s": 45.0,
        "baseline_trusted_s": trusted_s,
        "baseline_done": phase == "running",
        "model": MODEL,
        "notes": [],
        "recording": False,
        "dwell_s": 10.0,
        "late": False,
    }
    return documents.Session(**(values | given))


def track(number: int = 1, title: str | None = None, **given: Any) -> documents.TrackInfo:
    values: dict[str, Any] = {
        "id": f"track-{number}",
        "title": title if title is not None else f"Piece number {number}",
        "artist": "The Testers",
        "duration_s": 180.0,
        "mood": documents.TrackMood(valence=0.3, arousal=-0.3, source="tag", confidence=0.9),
    }
    return documents.TrackInfo(**(values | given))


def reason(**given: Any) -> documents.ReasonInfo:
    values: dict[str, Any] = {
        "note": "none",
        "wearer": "known",
        "valence": None,
        "arousal": -0.3,
        "confidence": 0.8,
        "target": None,
        "weighed": 8,
        "rank": 0,
        "all_banned": False,
    }
    return documents.ReasonInfo(**(values | given))


def chosen(**given: Any) -> documents.Chosen:
    values: dict[str, Any] = {
        "kind": "next",
        "why": "You seem calm; this is the best fit of 8.",
        "reason": reason(),
        "policy": "match",
        "aim_valence": None,
        "aim_arousal": -0.3,
    }
    return documents.Chosen(**(values | given))


def player(**given: Any) -> documents.PlayerState:
    values: dict[str, Any] = {
        "at": now(),
        "simulated": True,
        "track": track(1),
        "position_s": 30.0,
        "next": track(2),
        "paused": False,
        "volume": 0.8,
        "crossfade_s": 8.0,
        "fading": None,
        "policy": "match",
        "target": None,
        "target_valence": None,
        "target_arousal": None,
        "output": "null",
        "library_tracks": 8,
        "degraded": [],
        "chosen": chosen(),
    }
    return documents.PlayerState(**(values | given))


def decision(
    number: int = 1, why: str = "You seem calm; this is the best fit of 8.", **given: Any
) -> documents.Decision:
    values: dict[str, Any] = {
        "at": now(),
        "simulated": True,
        "kind": "next",
        "chosen": track(number),
        "why": why,
        "reason": reason(),
        "policy": "match",
        "aim_valence": None,
        "aim_arousal": -0.3,
        "candidates": [],
        "seed": 0,
    }
    return documents.Decision(**(values | given))


NAMES = {kind: name for name, kind in documents.DOCUMENTS.items()}
EVENTS = {topics.ESTIMATE, topics.PLAYER_DECISION, topics.COMMAND_ERROR}


REPEATED_S = {topics.SIGNAL: 1.0, topics.EMOTION: 5.0}
"""As the engine says them again and again: what is not repeated is soon not believed any more."""


class Talker:
    """Publishes as engine and player do (states retained, events not) and keeps the commands it hears."""

    def __init__(self, port: int, node: str = "home") -> None:
        self.topics = topics.Topics(node)
        self.commands: list[tuple[str, dict[str, Any]]] = []
        self._lock = threading.Lock()
        self._newest: dict[str, bytes] = {}
        self._saying, self._closed = threading.Lock(), threading.Event()
        self._repeating = threading.Thread(target=self._repeat)
        self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=f"talker-{time.monotonic_ns()}"
        )
        self._hears = threading.Event()
        self._client.on_message = self._hear
        self._client.on_connect = lambda *_: self._client.subscribe(self.topics.full("cmd/#"), qos=1)
        self._client.on_subscribe = lambda *_: self._hears.set()
        self._client.on_disconnect = lambda *_: self._hears.clear()
        self._client.reconnect_delay_set(1, 2)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.wait_until_it_hears()
        self._repeating.start()

    def wait_until_it_hears(self) -> None:
        """Until the broker knows it, anew after the broker was away."""
        wait_until(self._hears.is_set, "the broker let the talker subscribe")

    def _hear(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        name = message.topic.rsplit("/", 1)[1]
        with self._lock:
            self.commands.append((name, msgspec.json.decode(message.payload or b"{}")))

    def say(self, *documents: documents.Document) -> None:
        for document in documents:
            name = NAMES[type(document)]
            self.raw(name, codec.encode(document), retain=name not in EVENTS)

    def raw(self, name: str, payload: bytes, *, retain: bool = False) -> None:
        with self._saying:
            said = self._client.publish(self.topics.full(name), payload, qos=1, retain=retain)
            if retain:
                self._newest[name] = payload
        said.wait_for_publish(PATIENCE_S)
        assert said.is_published(), f"the broker did not take {name}"

    def online(self, role: str, up: bool = True) -> None:
        self.raw(f"{role}/availability", topics.ONLINE if up else topics.OFFLINE, retain=True)

    def all_is_well(self) -> None:
        self.online("engine")
        self.online("player")
        self.say(headset(), session(), signal(), emotion(), player(), decision())

    def wait_command(self, name: str, seconds: float = PATIENCE_S) -> dict[str, Any]:
        """The first command of that name that came, or comes."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with self._lock:
                for place, (heard, payload) in enumerate(self.commands):
                    if heard == name:
                        del self.commands[place]
                        return payload
            time.sleep(0.02)
        raise AssertionError(f"no command {name} came within {seconds} s; heard {self.commands}")

    def _repeat(self) -> None:
        said_s: dict[str, float] = {}
        while not self._closed.wait(0.2):
            for name, every_s in REPEATED_S.items():
                due = time.monotonic() - said_s.get(name, 0.0) > every_s
                with self._saying:  # or an old word could come after a new one
                    if due and name in self._newest and self._hears.is_set():
                        said_s[name] = time.monotonic()
                        self._client.publish(self.topics.full(name), self._newest[name], qos=1, retain=True)

    def close(self) -> None:
        self._closed.set()
        self._repeating.join()
        self._client.disconnect()
        self._client.loop_stop()


def eventually(check: Callable[[], Any], seconds: float = PATIENCE_S) -> Any:
    """The first true answer of ``check``."""
    until = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < until, f"{check} was never true within {seconds} s"
        time.sleep(0.05)
