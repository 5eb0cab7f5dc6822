"""What each MQTT topic carries, version 1 of the contract: typed, bounded, finite, every field present.

Every document is held against its own type before it leaves. Times are RFC 3339 UTC.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from daemon.mqtt import topics
from daemon.mqtt.bounds import (
    EmotionName,
    EyesName,
    HeadsetState,
    Name,
    Positive,
    Share,
    Signed,
    StatusName,
    Text,
    Time,
)
from player.music import PolicyName

MAX_CANDIDATES = 12
DecisionKind = Literal["first", "next", "mood_change", "skip", "recovery", "neutral"]
LATE_NOTE = "this machine is too busy to read every moment: old ones are left out, so that the newest is said"
"""The note, for people, of a session that is ``late``."""


class Document(Struct, frozen=True, kw_only=True):
    """What every document has: when it was said, and whether a wearer is behind it, and now."""

    at: Time
    simulated: Annotated[bool, Meta(description="true: no person is behind this, the EEG is made up")]
    replayed: Annotated[bool, Meta(description="true: the EEG is a recording's, of another time")] = False


class Headset(Document, frozen=True, kw_only=True):
    """How the headset is doing. Topic ``headset``, retained."""

    state: HeadsetState
    source: Name
    device: Name
    rate_hz: Positive | None
    channels: Annotated[list[Name], Meta(max_length=512)]
    battery_percent: Annotated[float, Meta(ge=0, le=100)] | None
    gap_s: Positive | None
    reason: Text


class Electrode(Struct, frozen=True, kw_only=True):
    """One electrode's contact and why it is not better."""

    channel: Name
    score: Share
    reasons: Annotated[list[Name], Meta(max_length=16)]


class Signal(Document, frozen=True, kw_only=True):
    """Signal quality per electrode. Topic ``signal``, retained, at most 1 Hz."""

    overall: Share
    worn: bool
    electrodes: Annotated[list[Electrode], Meta(max_length=512)]
    late: Annotated[int, Meta(ge=0, description="windows left out so far: the engine was late")]
    eyes: Annotated[EyesName, Meta(description="now, by blinks and alpha; unknown where neither is seen")] = (
        "unknown"
    )
    rest_eyes: Annotated[EyesName, Meta(description="in most of the rest the session is read against")] = (
        "unknown"
    )


class Model(Struct, frozen=True, kw_only=True):
    """Which classifier spoke; ``sha256`` is null for the rule-based band-power fallback."""

    name: Name
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | None


class Estimate(Document, frozen=True, kw_only=True):
    """One window's opinion. Topic ``estimate``, not retained."""

    probabilities: dict[Name, Share]
    valence: Signed | None
    arousal: Signed | None
    confidence: Share
    status: StatusName
    model: Model


class Emotion(Document, frozen=True, kw_only=True):
    """The settled state. Topic ``emotion``, retained, on change and every 10 s."""

    emotion: EmotionName
    valence: Signed | None
    arousal: Signed | None
    confidence: Share
    status: StatusName
    since: Time
    seq: Annotated[int, Meta(ge=0)]
    model: Model
    latency_ms: dict[Name, Positive]


class MoodChanged(Document, frozen=True, kw_only=True):
    """The settled emotion has become another one. Topic ``mood_changed``, an event, not retained."""

    event_type: EmotionName
    previous: EmotionName
    valence: Signed | None
    arousal: Signed | None
    confidence: Share


class Session(Document, frozen=True, kw_only=True):
    """Where the session stands. Topic ``session``, retained. The guided rest counts trusted up to wanted."""

    active: bool
    phase: Literal["waiting", "calibrating", "running", "stopped"]
    started: Time | None
    baseline_wanted_s: Positive
    baseline_trusted_s: Positive
    baseline_done: bool
    model: Model | None
    notes: Annotated[list[Text], Meta(max_length=16)]
    recording: Annotated[bool, Meta(description="true: EEG and all that follows is written to disk")]
    dwell_s: Positive | None
    late: Annotated[bool, Meta(description="true: windows are left out now, the machine is too slow")]


class TrackMood(Struct, frozen=True, kw_only=True):
    """Where a track lies in the plane, who says so, and how sure that is."""

    valence: Signed | None
    arousal: Signed
    source: Name
    confidence: Share


class TrackInfo(Struct, frozen=True, kw_only=True):
    """A track as others may see it: never a path of this machine."""

    id: Name
    title: Text
    artist: Text
    duration_s: Positive
    mood: TrackMood
    liked: Annotated[bool, Meta(description="true: the listener asked for more like this")] = False


class ReasonInfo(Struct, frozen=True, kw_only=True):
    """Why this track, in codes and numbers: the sentence ``why`` is made of these, and any other may be.

    ``wearer`` says how far the mood was known; ``rank``, from 0, is the place among the ``weighed``.
    """

    note: Name
    wearer: Literal["unheard", "calibrating", "unknown", "undecided", "unreliable", "stale", "known"]
    valence: Signed | None
    arousal: Signed | None
    confidence: Share | None
    target: Name | None
    weighed: Annotated[int, Meta(ge=0)]
    rank: Annotated[int, Meta(ge=0)]
    all_banned: bool
    start_s: Annotated[Positive, Meta(description="where a track is gone on with")] = 0.0
    known: Annotated[int, Meta(ge=0, description="tracks known, where there is nothing to play")] = 0
    failed: Annotated[int, Meta(ge=0, description="of these could not be played")] = 0


class Chosen(Struct, frozen=True, kw_only=True):
    """Why what plays was chosen: the decision once more, without its candidates, for who came later."""

    kind: DecisionKind
    why: Text
    reason: ReasonInfo
    policy: PolicyName
    aim_valence: Signed | None
    aim_arousal: Signed


class PlayerState(Document, frozen=True, kw_only=True):
    """What sounds now. Topic ``player/state``, retained. During a fade ``track`` is the one that comes."""

    track: TrackInfo | None
    position_s: Positive
    next: TrackInfo | None
    paused: bool
    volume: Share
    crossfade_s: Positive
    fading: Share | None
    policy: PolicyName
    target: Name | None
    target_valence: Signed | None
    target_arousal: Signed | None
    output: Name
    library_tracks: Annotated[int, Meta(ge=0)]
    degraded: Annotated[list[Text], Meta(max_length=32)]
    stream_title: Annotated[Name, Meta(description="what a radio station says it plays; else empty")] = ""
    leaving: Annotated[TrackInfo | None, Meta(description="the track that a running fade leaves")] = None
    chosen: Annotated[Chosen | None, Meta(description="why the track that plays was chosen")] = None


class CandidateInfo(Struct, frozen=True, kw_only=True):
    """A track that was weighed."""

    id: Name
    title: Text
    score: float
    parts: dict[Name, float]


class Decision(Document, frozen=True, kw_only=True):
    """Why this track. Topic ``player/decision``, not retained."""

    kind: DecisionKind
    chosen: TrackInfo
    why: Text
    reason: ReasonInfo
    policy: PolicyName
    aim_valence: Signed | None
    aim_arousal: Signed
    candidates: Annotated[list[CandidateInfo], Meta(max_length=MAX_CANDIDATES)]
    seed: int


class CommandError(Document, frozen=True, kw_only=True):
    """The answer to a command that was refused. Topic ``cmd/error``, not retained."""

    command: Name
    error: Text
    refused: Annotated[int, Meta(ge=0, description="refused commands since the role started")]


class Forgotten(Document, frozen=True, kw_only=True):
    """The answer to ``cmd/forget``: this role keeps nothing more of its wearer. Not retained."""

    role: Literal["engine", "player", "web"]


class SessionWearer(Document, frozen=True, kw_only=True):
    """Whose session it is, and who else is known here. Topic ``wearer``, retained while the session runs."""

    wearer: Annotated[str, Meta(min_length=1, max_length=64, description="a name, or guest")]
    known: Annotated[list[Name], Meta(max_length=64)]


class Info(Document, frozen=True, kw_only=True):
    """What this role is and can do. Topics ``info`` (the engine) and ``player/info``, retained."""

    version: Name
    installed: Annotated[Name, Meta(description="what a restart would run, as it lies on the disk")]
    contract: Annotated[int, Meta(ge=1, description="the version of this contract")] = 1
    system: Annotated[Name, Meta(description="operating system and processor, e.g. Linux aarch64")]
    commands: Annotated[list[Name], Meta(max_length=64, description="what the role obeys")]
    headset: Name | None
    rate_hz: Positive | None
    channels: Annotated[int, Meta(ge=0)] | None
    model: Model | None
    policies: Annotated[list[Name], Meta(max_length=64)]
    targets: Annotated[list[Name], Meta(max_length=64)]


DOCUMENTS: dict[str, type[Document]] = {
    topics.HEADSET: Headset,
    topics.SIGNAL: Signal,
    topics.ESTIMATE: Estimate,
    topics.EMOTION: Emotion,
    topics.MOOD_CHANGED: MoodChanged,
    topics.SESSION: Session,
    topics.PLAYER_STATE: PlayerState,
    topics.PLAYER_DECISION: Decision,
    topics.COMMAND_ERROR: CommandError,
    topics.FORGOTTEN: Forgotten,
    topics.WEARER: SessionWearer,
    topics.INFO: Info,
    topics.PLAYER_INFO: Info,
}
