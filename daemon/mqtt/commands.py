"""The commands of the MQTT contract, one frozen document each."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from daemon.mqtt.bounds import Name, Signed
from daemon.settings import CrossfadeS, DwellS, Volume
from player.music import PolicyName

MAX_POSITION_S = 48 * 3600
"""No track is longer."""


class Command(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every command document is: an object without surprises."""


class SessionCommand(Command, frozen=True, kw_only=True):
    """Start a session (with a new guided rest) or stop reading the wearer."""

    action: Literal["start", "stop"]


class RecalibrateCommand(Command, frozen=True, kw_only=True):
    """Take the resting baseline anew."""


class DwellCommand(Command, frozen=True, kw_only=True):
    """How long a settled emotion is held before another may follow."""

    seconds: DwellS


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


class ForgetCommand(Command, frozen=True, kw_only=True):
    """Keep nothing more of this wearer, on disk and on the broker, and drop what is in memory.

    Only a role whose wearer has this name obeys, and answers with ``forgotten``; its music goes on. Files are
    deleted by ``neuroplayer forget``.
    """

    wearer: Annotated[str, Meta(min_length=1, max_length=70)]


class WearerCommand(Command, frozen=True, kw_only=True):
    """End the session and begin one of this wearer, known or new; ``guest``: of whom nothing is kept.

    Obeyed where ``neuroplayer run`` has started the roles. Nothing is recorded in the new session until its
    wearer agrees.
    """

    wearer: Annotated[str, Meta(min_length=1, max_length=64)]


class SkipCommand(Command, frozen=True, kw_only=True):
    """Crossfade to another track now."""


class PauseCommand(Command, frozen=True, kw_only=True):
    """Pause, resume, or the other of the two (null)."""

    paused: bool | None = None


class VolumeCommand(Command, frozen=True, kw_only=True):
    """Set the volume, linear gain 0..1."""

    volume: Volume


class PolicyCommand(Command, frozen=True, kw_only=True):
    """Choose how tracks are chosen."""

    policy: PolicyName


class TargetCommand(Command, frozen=True, kw_only=True):
    """A mood by name, or a point of the plane; both null clears the target."""

    name: Annotated[str, Meta(max_length=64)] | None = None
    valence: Signed | None = None
    arousal: Signed | None = None


class CrossfadeCommand(Command, frozen=True, kw_only=True):
    """Set the length of the crossfades."""

    seconds: CrossfadeS


class SeekCommand(Command, frozen=True, kw_only=True):
    """Go to a place in what sounds; behind its end is its end. A stream without an end refuses."""

    position_s: Annotated[float, Meta(ge=0, le=MAX_POSITION_S)]


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


COMMANDS: dict[str, type[Command]] = {
    "session": SessionCommand,
    "recalibrate": RecalibrateCommand,
    "label": LabelCommand,
    "dwell": DwellCommand,
    "record": RecordCommand,
    "forget": ForgetCommand,
    "skip": SkipCommand,
    "pause": PauseCommand,
    "volume": VolumeCommand,
    "policy": PolicyCommand,
    "target": TargetCommand,
    "crossfade": CrossfadeCommand,
    "seek": SeekCommand,
    "like": LikeCommand,
    "ban": BanCommand,
    "play": PlayCommand,
    "speak": SpeakCommand,
    "library_rescan": LibraryRescanCommand,
    "wearer": WearerCommand,
}
