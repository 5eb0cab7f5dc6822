"""Tracks for tests, with only what a test cares about spelled out."""

from __future__ import annotations

from player.music import Mood, MoodSource, Track, WearerMood


def make_track(
    name: str,
    arousal: float = 0.0,
    valence: float | None = None,
    *,
    artist: str = "",
    duration_s: float = 180.0,
    cue_in_s: float = 0.0,
    cue_out_s: float | None = None,
    lufs: float | None = -18.0,
    peak: float | None = -6.0,
    fades_out_s: float = 0.0,
    source: MoodSource = "sidecar",
) -> Track:
    return Track(
        id=name,
        location=f"/music/{name}.wav",
        title=name,
        artist=artist,
        duration_s=duration_s,
        cue_in_s=cue_in_s,
        cue_out_s=duration_s if cue_out_s is None else cue_out_s,
        loudness_lufs=lufs,
        true_peak_dbtp=peak,
        mood=Mood(valence, arousal),
        mood_source=source,
        mood_confidence=1.0,
        fades_out_s=fades_out_s,
    )


def feeling(
    at_s: float,
    arousal: float | None,
    valence: float | None = None,
    confidence: float = 1.0,
    status: str = "ok",
) -> WearerMood:
    emotion = "neutral" if arousal is not None else "unknown"
    return WearerMood(at_s, valence, arousal, confidence, status, emotion)


def ladder(n: int, low: float = -0.9, high: float = 0.9) -> tuple[Track, ...]:
    """``n`` tracks evenly spread in arousal, each by an artist of its own."""
    step = (high - low) / max(1, n - 1)
    return tuple(make_track(f"t{i:03d}", low + i * step, artist=f"artist {i}") for i in range(n))
