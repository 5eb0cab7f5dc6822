"""What the player says on MQTT, made from what it does."""

from __future__ import annotations

from datetime import datetime

from daemon.mqtt import documents
from player.choice.taste import Taste
from player.location import printable_text
from player.music import Decision, PlaybackState, Reason, Track


def track_info(track: Track, taste: Taste | None = None) -> documents.TrackInfo:
    """A track without its path."""
    mood = documents.TrackMood(
        valence=track.mood.valence,
        arousal=track.mood.arousal,
        source=track.mood_source,
        confidence=track.mood_confidence,
    )
    return documents.TrackInfo(
        id=track.id,
        title=track.title,
        artist=track.artist,
        duration_s=track.duration_s,
        mood=mood,
        liked=taste is not None and track.id in taste.liked,
    )


def state_document(
    state: PlaybackState,
    at: datetime,
    *,
    simulated: bool,
    output: str,
    library_tracks: int,
    taste: Taste | None = None,
) -> documents.PlayerState:
    """The playback's state as the contract has it."""
    target = state.target
    return documents.PlayerState(
        at=at,
        simulated=simulated,
        track=track_info(state.track, taste) if state.track else None,
        position_s=round(max(0.0, state.position_s), 3),
        next=track_info(state.next_track, taste) if state.next_track else None,
        paused=state.paused,
        volume=state.volume,
        crossfade_s=state.crossfade_s,
        fading=state.fading,
        policy=state.policy,  # type: ignore[arg-type]  # held against the contract when encoded
        target=target.name if target else None,
        target_valence=target.mood.valence if target else None,
        target_arousal=target.mood.arousal if target else None,
        output=output,
        library_tracks=library_tracks,
        degraded=[printable_text(reason) for reason in state.degraded],
        stream_title=printable_text(state.stream_title),
        leaving=track_info(state.leaving, taste) if state.leaving else None,
        chosen=chosen_info(state.decision) if state.decision else None,
    )


def chosen_info(decision: Decision) -> documents.Chosen:
    """A decision as the state of playback tells it."""
    return documents.Chosen(
        kind=decision.kind,
        why=decision.why,
        reason=reason_info(decision.reason),
        policy=decision.policy,  # type: ignore[arg-type]  # held against the contract when encoded
        aim_valence=decision.aim.valence,
        aim_arousal=decision.aim.arousal,
    )


def reason_info(reason: Reason) -> documents.ReasonInfo:
    """A reason as the contract has it."""
    return documents.ReasonInfo(
        note=reason.note,
        wearer=reason.wearer,
        valence=reason.mood.valence if reason.mood else None,
        arousal=reason.mood.arousal if reason.mood else None,
        confidence=reason.confidence,
        target=reason.target.name if reason.target else None,
        weighed=reason.weighed,
        rank=reason.rank,
        all_banned=reason.all_banned,
        start_s=round(max(0.0, reason.start_s), 3),
        known=reason.known,
        failed=reason.failed,
    )


def decision_document(decision: Decision, at: datetime, *, simulated: bool) -> documents.Decision:
    """A decision as the contract has it, with its best candidates."""
    best = sorted(decision.candidates, key=lambda candidate: -candidate.score)[: documents.MAX_CANDIDATES]
    return documents.Decision(
        at=at,
        simulated=simulated,
        kind=decision.kind,
        chosen=track_info(decision.chosen),
        why=decision.why,
        reason=reason_info(decision.reason),
        policy=decision.policy,  # type: ignore[arg-type]  # held against the contract when encoded
        aim_valence=decision.aim.valence,
        aim_arousal=decision.aim.arousal,
        candidates=[
            documents.CandidateInfo(id=c.track.id, title=c.track.title, score=c.score, parts=dict(c.parts))
            for c in best
        ],
        seed=decision.seed,
    )
