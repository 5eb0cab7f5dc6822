"""What each MQTT topic carries, version 1 of the contract: typed, bounded, finite, every field present.

Encoding is ``msgspec``'s JSON, which knows no NaN, and every document is held against its own type before it
leaves. Times are RFC 3339 UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from daemon import topics

MAX_COMMAND_BYTES = 4 * 1024
MAX_STATE_BYTES = 64 * 1024
MAX_CANDIDATES = 12
LATE_NOTE = "this machine is too busy to read every moment: old ones are left out, so that the newest is said"
"""A note of a session whose engine leaves windows out."""

Time = Annotated[datetime, Meta(tz=True, description="RFC 3339, UTC")]
Signed = Annotated[float, Meta(ge=-1, le=1)]
Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(ge=0)]
Name = Annotated[str, Meta(max_length=200)]
Text = Annotated[str, Meta(max_length=2000)]

HeadsetState = Literal["connecting", "streaming", "stale", "lost", "incompatible", "ended"]
EmotionName = Literal["neutral", "happy", "sad", "relaxed", "focused", "unknown"]
StatusName = Literal["ok", "warming_up", "calibrating", "unreliable", "stale"]
PolicyWord = Literal["match", "lead", "contrast", "maintain", "manual"]


class MessageError(ValueError):
    """A document breaks the contract. The message names the field and the rule."""


class Document(Struct, frozen=True, kw_only=True):
    """What every document has: when it was said, and whether the wearer behind it is a simulated one."""

    at: Time
    simulated: Annotated[bool, Meta(description="true: no person is behind this, the EEG is made up")]


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


class PlayerState(Document, frozen=True, kw_only=True):
    """What sounds now. Topic ``player/state``, retained."""

    track: TrackInfo | None
    position_s: Positive
    next: TrackInfo | None
    paused: bool
    volume: Share
    crossfade_s: Positive
    fading: Share | None
    policy: PolicyWord
    target: Name | None
    target_valence: Signed | None
    target_arousal: Signed | None
    output: Name
    library_tracks: Annotated[int, Meta(ge=0)]
    degraded: Annotated[list[Text], Meta(max_length=32)]


class CandidateInfo(Struct, frozen=True, kw_only=True):
    """A track that was weighed."""

    id: Name
    title: Text
    score: float
    parts: dict[Name, float]


class Decision(Document, frozen=True, kw_only=True):
    """Why this track. Topic ``player/decision``, not retained."""

    kind: Literal["first", "next", "mood_change", "skip", "recovery", "neutral"]
    chosen: TrackInfo
    why: Text
    policy: PolicyWord
    aim_valence: Signed | None
    aim_arousal: Signed
    candidates: Annotated[list[CandidateInfo], Meta(max_length=MAX_CANDIDATES)]
    seed: int


class CommandError(Document, frozen=True, kw_only=True):
    """The answer to a command that was refused. Topic ``cmd/error``, not retained."""

    command: Name
    error: Text
    refused: Annotated[int, Meta(ge=0, description="refused commands since the role started")]


class Command(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every command document is: an object without surprises."""


class SessionCommand(Command, frozen=True, kw_only=True):
    """Start a session (with a new guided rest) or stop reading the wearer."""

    action: Literal["start", "stop"]


class RecalibrateCommand(Command, frozen=True, kw_only=True):
    """Take the resting baseline anew."""


class DwellCommand(Command, frozen=True, kw_only=True):
    """How long a settled emotion is held before another may follow."""

    seconds: Annotated[float, Meta(ge=0, le=120)]


class RecordCommand(Command, frozen=True, kw_only=True):
    """Write the session to disk from now on, EEG included, or stop it. To start needs a person's consent."""

    action: Literal["start", "stop"]
    who: Annotated[str, Meta(max_length=100, description="who agrees; needed to start")] = ""
    consent: Annotated[str, Meta(max_length=1000, description="what they agreed to; needed to start")] = ""


class LabelCommand(Command, frozen=True, kw_only=True):
    """What the wearer says to feel now."""

    valence: Signed | None = None
    arousal: Signed | None = None
    text: Annotated[str, Meta(max_length=200)] = ""


class SkipCommand(Command, frozen=True, kw_only=True):
    """Crossfade to another track now."""


class PauseCommand(Command, frozen=True, kw_only=True):
    """Pause, resume, or the other of the two (null)."""

    paused: bool | None = None


class VolumeCommand(Command, frozen=True, kw_only=True):
    """Set the volume, linear gain 0..1."""

    volume: Share


class PolicyCommand(Command, frozen=True, kw_only=True):
    """Choose how tracks are chosen."""

    policy: PolicyWord


class TargetCommand(Command, frozen=True, kw_only=True):
    """A mood by name, or a point of the plane; both null clears the target."""

    name: Annotated[str, Meta(max_length=64)] | None = None
    valence: Signed | None = None
    arousal: Signed | None = None


class CrossfadeCommand(Command, frozen=True, kw_only=True):
    """Set the length of the crossfades."""

    seconds: Annotated[float, Meta(ge=0, le=30)]


class LikeCommand(Command, frozen=True, kw_only=True):
    """Play this track more gladly, or no longer so. Without an id: what sounds now."""

    id: Name | None = None
    liked: bool = True


class BanCommand(Command, frozen=True, kw_only=True):
    """Never play this track again, or let it play again. Without an id: what sounds now."""

    id: Name | None = None
    banned: bool = True


class PlayCommand(Command, frozen=True, kw_only=True):
    """Crossfade to this track of the library now."""

    id: Annotated[str, Meta(min_length=1, max_length=200)]


class SpeakCommand(Command, frozen=True, kw_only=True):
    """Let a cue be heard over the music, as a chime or spoken, as the player is configured."""

    cue: Literal["rest_begin", "rest_end", "headset_lost", "headset_back"]


class LibraryRescanCommand(Command, frozen=True, kw_only=True):
    """Look through the music folders again."""


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
}
COMMANDS: dict[str, type[Command]] = {
    "session": SessionCommand,
    "recalibrate": RecalibrateCommand,
    "label": LabelCommand,
    "dwell": DwellCommand,
    "record": RecordCommand,
    "skip": SkipCommand,
    "pause": PauseCommand,
    "volume": VolumeCommand,
    "policy": PolicyCommand,
    "target": TargetCommand,
    "crossfade": CrossfadeCommand,
    "like": LikeCommand,
    "ban": BanCommand,
    "play": PlayCommand,
    "speak": SpeakCommand,
    "library_rescan": LibraryRescanCommand,
}

_StructT = TypeVar("_StructT", bound=Struct)


def _parsed(payload: bytes, kind: type[_StructT]) -> _StructT:
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise MessageError(f"{type(error).__name__}: {error}"[:300]) from None


def encode(document: Document | Command) -> bytes:
    """The document as JSON. Raises ``MessageError`` for a value outside the contract, NaN included."""
    payload = msgspec.json.encode(document)
    _parsed(payload, type(document))
    return payload


def decode(name: str, payload: bytes) -> Document:
    """The document of a short topic name. Raises ``MessageError``."""
    kind = DOCUMENTS.get(name)
    if kind is None:
        raise MessageError(f"topic {name!r:.80} carries no document")
    if len(payload) > MAX_STATE_BYTES:
        raise MessageError(f"{name}: {len(payload)} bytes, at most {MAX_STATE_BYTES}")
    return _parsed(payload, kind)


def decode_command(name: str, payload: bytes) -> Command:
    """A command's document; an empty payload stands for ``{}``. Raises ``MessageError``."""
    kind = COMMANDS.get(name)
    if kind is None:
        raise MessageError(f"unknown command {name!r:.80}, one of {', '.join(COMMANDS)}")
    if len(payload) > MAX_COMMAND_BYTES:
        raise MessageError(f"{name}: {len(payload)} bytes, at most {MAX_COMMAND_BYTES}")
    return _parsed(payload or b"{}", kind)
