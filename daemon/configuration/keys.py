"""Every key of the configuration: its name, its rule, what it is for, and how its value is read.

One table serves the file, the environment, ``config init`` and the flags that bear the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import msgspec

from daemon.configuration import values as opt
from daemon.errors import BrokenRuleError
from daemon.mqtt.topics import TopicError, checked_node
from daemon.settings import Style

Read = Callable[[Any], Any]

PROFILE_NAME = "profile"


@dataclass(frozen=True, slots=True)
class Key:
    """One key. ``read`` returns the checked value or raises ``BadInputError``; ``example`` is TOML text."""

    name: str
    read: Read
    example: str
    text: str
    secret: bool = False


def _typed(kind: Any, rule: str) -> Read:
    def read(value: Any) -> Any:
        try:
            return msgspec.convert(value, kind, strict=not isinstance(value, str))
        except msgspec.ValidationError:
            raise BrokenRuleError(f"must be {rule}") from None

    return read


def _text(check: Callable[[str], Any] = lambda text: text, limit: int = 500) -> Read:
    def read(value: Any) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not 0 < len(value) <= limit or "\0" in value:
            raise BrokenRuleError(f"must be a text of 1 to {limit} characters")
        return check(value)

    return read


def _choice(words: tuple[str, ...]) -> Read:
    def check(text: str) -> str:
        if text not in words:
            raise BrokenRuleError(f"must be one of {', '.join(words)}")
        return text

    return _text(check)


def _folders(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.split(":")
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise BrokenRuleError("must be a list of folders")
    return tuple(opt.check_music(str(_expanded(folder))) for folder in value)


def _node(text: str) -> str:
    try:
        return checked_node(text)
    except TopicError:
        raise BrokenRuleError("must be 1 to 64 of the characters a-z, 0-9, _ and -") from None


def _expanded(text: str) -> Path:
    """With the home folder in place of ``~``; who has none gets no such file."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def _readable(text: str) -> str:
    path = _expanded(text)
    if not path.is_file():
        raise BrokenRuleError("must name a file that exists")
    return str(path)


def _private(text: str) -> str:
    """A secret: nobody but its owner may read it."""
    path = Path(_readable(text))
    if path.stat().st_mode & 0o077:
        raise BrokenRuleError(f"can be read by others on this machine; mend it with: chmod 600 {path}")
    return str(path)


def _prefix(text: str) -> str:
    if any(character in text for character in "+#\0 ") or text.startswith("/"):
        raise BrokenRuleError("must be a topic without wildcards or blanks")
    return text


def _number(low: float, high: float, kind: type = float) -> Read:
    def read(value: Any) -> Any:
        try:
            number: Any = msgspec.convert(value, kind, strict=not isinstance(value, str))
        except msgspec.ValidationError:
            number = None
        if number is None or isinstance(value, bool) or not low <= number <= high:
            raise BrokenRuleError(f"must be a number from {low:g} to {high:g}")
        return number

    return read


_switch = _typed(bool, "true or false")
_seconds = _number(0, 120)

KEYS: tuple[Key, ...] = (
    Key("node", _text(_node), '"home"', "Name of this player in the MQTT topics; one a wearer or room."),
    Key("share", _choice(("off", "coarse", "full")), '"full"', "What states leave: off, coarse or full."),
    Key("session.source", _text(opt.check_source), '"simulated"', "simulated, lsl[:NAME], brainflow:BOARD."),
    Key(
        "session.look_s",
        _number(0, 30),
        "0.6",
        "How long a headset is looked for where no source is named, in seconds; 0: not at all.",
    ),
    Key("session.speed", _text(opt.parse_speed), '"1"', "Speed of a replay or of the simulated wearer."),
    Key("session.baseline", _text(opt.parse_baseline), "45", "Guided rest: seconds, last or none."),
    Key("session.dwell_s", _seconds, "10", "How long a settled emotion is held, in seconds."),
    Key("session.seed", _number(0, 2**31, int), "0", "Seed of everything random."),
    Key("session.record", _switch, "false", "Record every session, EEG included, for the wearer."),
    Key("session.lsl_out", _text(opt.check_lsl_name), '"neuroplayer"', "Offer the EEG as an LSL stream."),
    Key("music.folders", _folders, '["~/Music"]', "Where the music lies: folders and playlists."),
    Key("music.policy", _text(opt.check_policy), '"match"', "match, lead, contrast, maintain or manual."),
    Key("music.target", _text(opt.check_target), '"relax"', "Where the listener wants to be."),
    Key("music.crossfade_s", _number(0, 30), "8", "Length of the crossfades in seconds."),
    Key("music.volume", _number(0, 1), "0.8", "Volume, 0 to 1."),
    Key("sound.output", _text(opt.check_output), '"device"', "device, wav:FILE, fifo:FILE or null."),
    Key(
        "sound.cues",
        _choice(("off", "chime", "voice")),
        '"chime"',
        "How the guided rest and a lost headset are told: off, chime or voice (needs espeak-ng).",
    ),
    Key("mqtt.broker", _text(opt.parse_broker), '"mqtt://192.168.1.2:1883"', "mqtt:// or mqtts:// address."),
    Key("mqtt.username", _text(), '"neuroplayer"', "Name to log in with."),
    Key("mqtt.password", _text(), '""', "Better: password_file.", secret=True),
    Key(
        "mqtt.password_file",
        _text(_private),
        '"~/.mqtt-password"',
        "Its first line is the password; mode 0600.",
    ),
    Key("mqtt.ca_file", _text(_readable), '"/etc/ssl/home-ca.pem"', "The authority that signed the broker."),
    Key("mqtt.cert_file", _text(_readable), '"client.pem"', "Client certificate."),
    Key("mqtt.key_file", _text(_private), '"client.key"', "Its key; mode 0600."),
    Key(
        "home_assistant.discovery",
        _choice(get_args(Style)),
        '"component"',
        "component, device (Home Assistant 2024.11 and newer) or off.",
    ),
    Key("home_assistant.prefix", _text(_prefix), '"homeassistant"', "Discovery prefix configured there."),
    Key("home_assistant.name", _text(limit=80), '"Living room"', "How the device is called there."),
    Key("web.enabled", _switch, "true", "Serve the live page."),
    Key("web.listen", _text(opt.parse_web), '"127.0.0.1:8765"', "Where the page is served."),
    Key("web.open", _switch, "false", "Open the page in your browser once it answers."),
    Key(
        "health.port",
        _number(1, 65530, int),
        "9464",
        "Metrics and health on loopback, one port a role: engine, player, web, broker.",
    ),
    Key("log.format", _choice(("human", "json")), '"human"', "Lines for people or for machines."),
    Key("log.level", _choice(("debug", "info", "warning", "error")), '"warning"', "What is said."),
)

BY_NAME: Mapping[str, Key] = {key.name: key for key in KEYS}
SECTIONS: tuple[str, ...] = tuple(
    dict.fromkeys(key.name.partition(".")[0] for key in KEYS if "." in key.name)
)


def variable(key: Key) -> str:
    """``mqtt.broker`` -> ``NEUROPLAYER_MQTT_BROKER``."""
    return "NEUROPLAYER_" + key.name.replace(".", "_").upper()
