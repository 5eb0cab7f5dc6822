"""What the inference worker says: signal quality, one window's estimate, and the settled emotion state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

Emotion = Literal["neutral", "happy", "sad", "relaxed", "focused", "unknown"]
Status = Literal["ok", "warming_up", "calibrating", "unreliable", "stale"]
QualityReason = Literal[
    "flat",
    "railed",
    "line_noise",
    "muscle",
    "blink",
    "loose",
    "not_finite",
    "lost",
    "alike",
    "unrelated",
    "narrow",
    "slope",
    "featureless",
    "steady",
    "level",
]

Eyes = Literal["open", "closed", "unknown"]
NO_HEAD: frozenset[QualityReason] = frozenset(
    {"alike", "unrelated", "narrow", "slope", "featureless", "steady"}
)
"""Reasons that say nothing of contact: the signal is none of a head's."""
EMOTIONS: tuple[Emotion, ...] = get_args(Emotion)


AROUSAL_OF_LABEL: Mapping[str, int] = MappingProxyType(
    {"calm": -1, "engaged": 1, "relaxed": -1, "focused": 1, "sad": -1, "happy": 1, "neutral": 0}
)
"""What a network may call its outputs, and the side of the arousal axis each stands for (Russell 1980)."""


@dataclass(frozen=True, slots=True)
class Affect:
    """A point of the valence-arousal plane, each -1..1, or None where it is not known.

    Arousal is the calm (-1) to mentally engaged (+1) axis. Valence stays None until the wearer's own
    calibration beats chance.
    """

    valence: float | None
    arousal: float | None


@dataclass(frozen=True, slots=True)
class ModelId:
    """Which classifier spoke, pinned by the hash of its file (empty for the rule-based fallback)."""

    name: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class ChannelQuality:
    """How good one electrode's contact is, 0..1, and why it is not better."""

    channel: str
    score: float
    reasons: tuple[QualityReason, ...] = ()


@dataclass(frozen=True, slots=True)
class SignalQuality:
    """The signal of one window. ``worn`` says whether the headset seems to be on a head; ``eyes`` are unknown
    where neither blinks nor the back of the head can be seen.
    """

    at_s: float
    overall: float
    worn: bool
    channels: tuple[ChannelQuality, ...]
    eyes: Eyes = "unknown"
    rest_eyes: Eyes = "unknown"
    """As they were for most of the rest that the session is read against."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """One window's opinion. ``at_s`` is the stream time of the window's last sample."""

    at_s: float
    probabilities: Mapping[str, float]
    affect: Affect
    confidence: float
    status: Status
    model: ModelId


@dataclass(frozen=True, slots=True)
class EmotionState:
    """The settled state that the home and the player act on."""

    at_s: float
    emotion: Emotion
    affect: Affect
    confidence: float
    status: Status
    since_s: float
    seq: int
    model: ModelId
    latency_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BaselineProgress:
    """How far the guided rest has come. ``trusted_s`` counts only clean signal."""

    wanted_s: float
    trusted_s: float
    done: bool


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A window that was not read, because the engine was late and newer ones waited."""

    at_s: float


Reading = SignalQuality | Estimate | EmotionState | BaselineProgress | LeftOut
"""Everything the pipeline may return for a chunk."""
