"""Documents as they are on the wire, one of each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from daemon.mqtt import documents, topics

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


BASE: dict[str, Any] = {"at": NOW, "simulated": False}


MODEL = documents.Model(name="band-power", sha256=None)


TRACK = documents.TrackInfo(
    id="a1",
    title="A title 'with' \"quotes\" " + "x" * 400,
    artist="Someone",
    duration_s=200.0,
    mood=documents.TrackMood(valence=None, arousal=-0.4, source="analysis", confidence=0.4),
)


EMOTION = documents.Emotion(
    **BASE,
    emotion="relaxed",
    valence=None,
    arousal=-0.5,
    confidence=0.83,
    status="ok",
    since=NOW,
    seq=3,
    model=MODEL,
    latency_ms={"filter": 0.1, "compute": 0.4},
)


PLAYER = documents.PlayerState(
    **BASE,
    track=TRACK,
    position_s=3.0,
    next=None,
    paused=False,
    volume=0.8,
    crossfade_s=8.0,
    fading=None,
    policy="match",
    target=None,
    target_valence=None,
    target_arousal=None,
    output="null",
    library_tracks=8,
    degraded=[],
)


SESSION = documents.Session(
    **BASE,
    active=True,
    phase="running",
    started=NOW,
    baseline_wanted_s=45.0,
    baseline_trusted_s=45.0,
    recording=False,
    dwell_s=10.0,
    late=False,
    baseline_done=True,
    model=MODEL,
    notes=[],
)


HEADSET = documents.Headset(
    **BASE,
    state="streaming",
    source="simulated",
    device="none",
    rate_hz=256.0,
    channels=["AF7"],
    battery_percent=None,
    gap_s=None,
    reason="",
)


SIGNAL = documents.Signal(
    **BASE,
    overall=0.91,
    worn=True,
    late=0,
    electrodes=[
        documents.Electrode(channel="AF7", score=0.2, reasons=["flat"]),
        documents.Electrode(channel="AF8", score=0.9, reasons=[]),
    ],
)


MOOD = documents.MoodChanged(
    **BASE, event_type="happy", previous="relaxed", valence=0.3, arousal=0.4, confidence=0.8
)


INFO = documents.Info(
    **BASE,
    version="0.1.0",
    installed="0.2.0",
    system="Linux x86_64",
    commands=["session"],
    headset="Muse",
    rate_hz=256.0,
    channels=4,
    model=MODEL,
    policies=[],
    targets=[],
)


DOCUMENTS = {
    topics.INFO: INFO,
    topics.EMOTION: EMOTION,
    topics.PLAYER_STATE: PLAYER,
    topics.SESSION: SESSION,
    topics.HEADSET: HEADSET,
    topics.SIGNAL: SIGNAL,
    topics.MOOD_CHANGED: MOOD,
}
