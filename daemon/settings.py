"""What a role needs to know, as plain data that travels from the command line to each child as JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from player.music import MAX_CROSSFADE_S, AnnouncementKind, PolicyName

Style = Literal["component", "device", "off"]

CrossfadeS = Annotated[float, Meta(ge=0, le=MAX_CROSSFADE_S)]
Volume = Annotated[float, Meta(ge=0, le=1)]
DwellS = Annotated[float, Meta(ge=0, le=120)]
"""Bounds that file, flags, MQTT commands and Home Assistant share: the type of a field is its rule."""

GUEST = "guest"
"""The wearer of whom nothing is kept."""

RoleName = Literal["broker", "engine", "player", "web", "view"]
ViewKind = Literal["live", "plain", "json", "none"]


class BrokerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the broker is and how to be let in.

    ``ours`` means that this product starts it, ``mqtt3`` that it is known to speak MQTT 3.1.1 only.
    """

    host: str = "127.0.0.1"
    port: int = 1883
    tls: bool = False
    ours: bool = False
    named: bool = False
    mqtt3: bool = False
    username: str | None = None
    password: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    @property
    def url(self) -> str:
        """The address as a person types it, without the password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' if self.tls else ''}://{host}:{self.port}"


class WebSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the page is served. ``named`` means that a person named the address."""

    host: str = "127.0.0.1"
    port: int = 8765
    named: bool = False


class HomeAssistantSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the product announces itself to Home Assistant."""

    discovery: Style = "component"
    prefix: str = "homeassistant"
    name: str | None = None


class LogSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is said on standard error, and for whom."""

    format: Literal["human", "json"] = "human"
    level: Literal["debug", "info", "warning", "error"] = "warning"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a session was asked for. Durations in seconds; ``speed`` None means as fast as possible."""

    node: str = "home"
    wearer: str = ""
    """Who wears the headset; empty: whom the node is named after. What is theirs: ``daemon.wearers``."""
    source: str = "simulated"
    source_named: bool = False
    """A person named the source; else a headset is looked for before the simulated wearer is taken."""
    look_s: Annotated[float, Meta(ge=0, le=30)] = 0.6
    """So long for a headset: enough for every stream to answer, as a second one must not be overlooked."""
    speed: float | None = 1.0
    music: tuple[str, ...] = ()
    output: str = "device"
    broker: BrokerSettings = BrokerSettings()
    baseline: float | Literal["last"] = 45.0
    again: bool = False
    """For a role that was started again in one and the same session."""
    rest_again: bool = False
    """For an engine that died in a session: the rest it had stored is tried before a new one is taken."""
    policy: PolicyName = "match"
    target: str | None = None
    duration_s: float | None = None
    seed: Annotated[int, Meta(ge=0, le=2**31)] = 0
    web: WebSettings | None = None
    view: ViewKind = "live"
    crossfade_s: CrossfadeS = 8.0
    volume: Volume = 1.0
    cues: AnnouncementKind = "chime"
    lsl_out: str = ""
    """Name under which the EEG is offered as an LSL outlet; empty where it is not."""
    record: str = ""
    """Name of the recording that this session makes, without its folder; empty where none is wanted."""
    encrypt: bool = False
    """Whether what is recorded opens with the wearer's key only."""
    state_dir: str = ""
    cache_dir: str = ""
    dwell_s: DwellS | None = None
    keep_days: Annotated[float, Meta(ge=1, le=36500)] | None = None
    """Recordings and histories older than so many days are deleted; None: never."""
    share: Literal["off", "coarse", "full"] = "full"
    home_assistant: HomeAssistantSettings = HomeAssistantSettings()
    open_page: bool = False
    """Whether the page is opened in the person's browser once it answers."""
    health_port: Annotated[int, Meta(ge=1, le=65530)] | None = None
    log: LogSettings = LogSettings()
    config_path: str | None = None
    profile: str | None = None
    flags: dict[str, Any] = {}
    headline: tuple[str, ...] = ()


def to_json(settings: Settings) -> bytes:
    """The settings for a child process."""
    return msgspec.json.encode(settings)


def from_json(payload: bytes) -> Settings:
    """The settings a parent wrote. Raises ``msgspec.MsgspecError``."""
    return msgspec.json.decode(payload, type=Settings)
