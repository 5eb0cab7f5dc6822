"""The player's nouns: moods, tracks, what the wearer is said to feel, and decisions with their reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

MoodSource = Literal["sidecar", "tag", "folder", "vibenet", "analysis", "composed", "given", "unknown"]
PolicyName = Literal["match", "lead", "contrast", "maintain", "manual", "album"]
AnnouncementKind = Literal["off", "chime", "voice"]
MAX_CROSSFADE_S = 30


@dataclass(frozen=True, slots=True)
class Mood:
    """A point of the valence-arousal plane, each -1..1; valence may be unknown."""

    valence: float | None
    arousal: float


@dataclass(frozen=True, slots=True)
class Target:
    """Where the listener wants to be, with the name shown to people."""

    name: str
    mood: Mood


@dataclass(frozen=True, slots=True)
class Track:
    """One playable file or URL. Cue points bound the audible part; loudness is EBU R128 integrated.

    ``opening_lufs`` is the loudness of the first minute that is heard. ``album`` tells albums apart and is
    no name; ``part`` orders the tracks of one: 1000 times the disc's number and the track's, 0 where nobody
    says. ``starred``: its server says that it is liked.
    """

    id: str
    location: str = field(repr=False)
    title: str
    artist: str
    duration_s: float
    cue_in_s: float
    cue_out_s: float
    loudness_lufs: float | None
    true_peak_dbtp: float | None
    mood: Mood
    mood_source: MoodSource
    mood_confidence: float
    fades_out_s: float = 0.0
    opening_lufs: float | None = None
    album: str = ""
    part: int = 0
    starred: bool = False


@dataclass(frozen=True, slots=True)
class WearerMood:
    """What the player was told of the wearer: any sensor could say this, not only EEG."""

    at_s: float
    valence: float | None
    arousal: float | None
    confidence: float
    status: str
    emotion: str = "unknown"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A track that was weighed, with its score and the parts the score was made of."""

    track: Track
    score: float
    parts: Mapping[str, float] = field(default_factory=dict)


ReasonNote = Literal[
    "none", "skipped", "next_failed", "asked_failed", "mood_moved", "aim_changed", "came_along",
    "wished", "resumed", "album_goes_on", "filler_first", "filler_late", "filler_nothing",
]  # fmt: skip
WearerCode = Literal["unheard", "calibrating", "unknown", "undecided", "unreliable", "stale", "known"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a track was chosen, in codes and numbers: whoever shows it makes the sentence, in any language.

    ``mood`` is what is believed of the wearer, ``aim`` where the music should be, ``rank`` the place of the
    chosen among ``weighed`` tracks (0: the best). ``known`` and ``failed`` count tracks where there is
    nothing to play, ``start_s`` is where a track is gone on with.
    """

    note: ReasonNote = "none"
    wearer: WearerCode = "unknown"
    mood: Mood | None = None
    confidence: float | None = None
    policy: PolicyName = "match"
    target: Target | None = None
    aim: Mood | None = None
    weighed: int = 0
    rank: int = 0
    all_banned: bool = False
    start_s: float = 0.0
    known: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """Why this track: enough to explain it to a person and to replay it. ``why`` is ``reason`` in words."""

    at_s: float
    chosen: Track
    kind: Literal["first", "next", "mood_change", "skip", "recovery", "neutral"]
    reason: Reason
    why: str
    policy: str
    aim: Mood
    candidates: tuple[Candidate, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class PlaybackState:
    """What sounds now. Positions are seconds of the track's own time; volume is 0..1.

    ``stream_title`` is what a radio station says it plays; empty for anything else.
    While a fade runs, ``track`` is the one that comes and ``leaving`` the one that goes. ``decision`` is why
    ``track`` was chosen.
    """

    track: Track | None
    position_s: float
    next_track: Track | None
    paused: bool
    volume: float
    crossfade_s: float
    fading: float | None
    policy: str
    target: Target | None
    degraded: tuple[str, ...] = ()
    stream_title: str = ""
    leaving: Track | None = None
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class PlaybackCounts:
    """What went wrong since the start, in numbers that only grow."""

    decoder_underruns: int
    """Times a track ran dry in the mix: its decoder was late."""
    device_underruns: int
    """Times the sound device found nothing to play: this program was late."""
    frames_dropped: int
    """Frames an output had no room for."""
    commands_dropped: int
    """Commands that were overtaken by so many newer ones that they were left out."""
