"""What the engine says on MQTT, made from what its parts say. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from acquisition.signal import HeadsetStatus, StreamInfo
from daemon.engine.prepared import PreparedPipeline
from daemon.mqtt import documents
from daemon.mqtt.bounds import StatusName
from inference.emotion import BaselineProgress, EmotionState, Estimate, ModelId, SignalQuality
from player.location import printable_spec, printable_text


def headset_document(
    status: HeadsetStatus, info: StreamInfo | None, at: datetime, *, simulated: bool
) -> documents.Headset:
    """How the headset is doing; ``info`` describes the stream that was known last."""
    return documents.Headset(
        at=at,
        simulated=simulated,
        state=status.state,
        source=printable_spec(info.source) if info else "",
        device=info.device if info else "",
        rate_hz=info.rate_hz if info else None,
        channels=list(info.channels) if info else [],
        battery_percent=status.battery_percent if _is_share(status.battery_percent) else None,
        gap_s=status.gap_s,
        reason=printable_text(status.reason),
    )


def _is_share(percent: float | None) -> bool:
    """Drivers say 255 or -1 where they know nothing."""
    return percent is not None and 0 <= percent <= 100


def signal_document(quality: SignalQuality, at: datetime, *, simulated: bool, late: int) -> documents.Signal:
    """The contact of the electrodes; ``late`` windows were left out so far."""
    return documents.Signal(
        at=at,
        simulated=simulated,
        overall=quality.overall,
        worn=quality.worn,
        late=late,
        eyes=quality.eyes,
        rest_eyes=quality.rest_eyes,
        electrodes=[
            documents.Electrode(channel=c.channel, score=c.score, reasons=list(c.reasons))
            for c in quality.channels
        ],
    )


def no_signal(at: datetime, *, simulated: bool) -> documents.Signal:
    """Of nobody's electrodes."""
    return documents.Signal(at=at, simulated=simulated, overall=0.0, worn=False, late=0, electrodes=[])


def estimate_document(estimate: Estimate, at: datetime, *, simulated: bool) -> documents.Estimate:
    """One window's opinion."""
    return documents.Estimate(
        at=at,
        simulated=simulated,
        probabilities=dict(estimate.probabilities),
        valence=estimate.affect.valence,
        arousal=estimate.affect.arousal,
        confidence=estimate.confidence,
        status=estimate.status,
        model=model_document(estimate.model),
    )


def emotion_document(
    state: EmotionState, at: datetime, since: datetime, *, simulated: bool, compute_ms: float
) -> documents.Emotion:
    """The settled state; ``compute_ms`` is what reading the samples took."""
    latency = {**state.latency_ms, "compute": compute_ms}
    return documents.Emotion(
        at=at,
        simulated=simulated,
        emotion=state.emotion,
        valence=two_digits(state.affect.valence),
        arousal=two_digits(state.affect.arousal),
        confidence=round(state.confidence, 2),
        status=state.status,
        since=since,
        seq=state.seq,
        model=model_document(state.model),
        latency_ms={name: round(value, 3) for name, value in latency.items()},
    )


def two_digits(value: float | None) -> float | None:
    """What is said of a number: more would be noise, which databases keep as change."""
    return None if value is None else round(value, 2)


def unknown_emotion(
    status: StatusName, at: datetime, *, simulated: bool, seq: int, prepared: PreparedPipeline | None
) -> documents.Emotion:
    """The claim of nothing."""
    return documents.Emotion(
        at=at,
        simulated=simulated,
        emotion="unknown",
        valence=None,
        arousal=None,
        confidence=0.0,
        status=status,
        since=at,
        seq=seq,
        model=model_document(prepared.model) if prepared else documents.Model(name="none", sha256=None),
        latency_ms={},
    )


def session_document(
    prepared: PreparedPipeline | None,
    progress: BaselineProgress,
    at: datetime,
    *,
    simulated: bool,
    active: bool,
    started: datetime | None,
    recording: bool,
    notes: tuple[str, ...],
    late: bool,
) -> documents.Session:
    """Where the session stands; empty notes are left out, and that of a ``late`` engine is added."""
    every = (*(prepared.notes if prepared else ()), *notes, documents.LATE_NOTE if late else "")
    return documents.Session(
        at=at,
        simulated=simulated,
        active=active,
        phase=_phase(prepared, progress, active),
        started=started,
        baseline_wanted_s=progress.wanted_s,
        baseline_trusted_s=progress.trusted_s,
        baseline_done=progress.done,
        model=model_document(prepared.model) if prepared else None,
        notes=[printable_text(note) for note in every if note],
        recording=recording,
        dwell_s=prepared.pipeline.dwell_s if prepared else None,
        late=late,
    )


def _phase(
    prepared: PreparedPipeline | None, progress: BaselineProgress, active: bool
) -> Literal["waiting", "calibrating", "running", "stopped"]:
    if not active:
        return "stopped"
    if prepared is None:
        return "waiting"
    return "running" if progress.done else "calibrating"


def model_document(model: ModelId) -> documents.Model:
    """Which classifier spoke."""
    return documents.Model(name=model.name, sha256=model.sha256 or None)


def differs(new: documents.Emotion, old: documents.Emotion) -> bool:
    """Whether another emotion, status or classifier is told."""
    return (new.emotion, new.status, new.model) != (old.emotion, old.status, old.model)


def drift(new: documents.Emotion, old: documents.Emotion) -> float:
    """How far the numbers have moved, at most; 2 where one has come or gone."""
    return max(
        _moved(new.arousal, old.arousal),
        _moved(new.valence, old.valence),
        abs(new.confidence - old.confidence),
    )


def _moved(new: float | None, old: float | None) -> float:
    if new is None or old is None:
        return 0.0 if new is old else 2.0
    return abs(new - old)
