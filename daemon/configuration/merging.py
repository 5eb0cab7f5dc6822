"""File < environment < flags, merged into the settings of a session."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from daemon import places
from daemon.configuration import values as opt
from daemon.configuration.file import Values, read_all
from daemon.configuration.keys import BY_NAME
from daemon.errors import BadInputError, BrokenRuleError
from daemon.mqtt.topics import TopicError, checked_node
from daemon.settings import (
    BrokerSettings,
    HomeAssistantSettings,
    LogSettings,
    Settings,
    ViewKind,
    WebSettings,
)

DEFAULT_WEB = WebSettings()
MAX_PASSWORD_BYTES = 4096
FLAGS: Mapping[str, str] = {
    "node": "node",
    "source": "session.source",
    "speed": "session.speed",
    "baseline": "session.baseline",
    "seed": "session.seed",
    "record": "session.record",
    "lsl_out": "session.lsl_out",
    "music": "music.folders",
    "policy": "music.policy",
    "target": "music.target",
    "output": "sound.output",
    "cues": "sound.cues",
    "broker": "mqtt.broker",
    "web": "web.listen",
    "open_page": "web.open",
}
PLAIN: Mapping[str, str] = {
    "node": "node",
    "share": "share",
    "source": "session.source",
    "look_s": "session.look_s",
    "speed": "session.speed",
    "baseline": "session.baseline",
    "dwell_s": "session.dwell_s",
    "seed": "session.seed",
    "lsl_out": "session.lsl_out",
    "music": "music.folders",
    "policy": "music.policy",
    "target": "music.target",
    "crossfade_s": "music.crossfade_s",
    "volume": "music.volume",
    "output": "sound.output",
    "cues": "sound.cues",
    "open_page": "web.open",
    "health_port": "health.port",
}


def settings_from(options: Mapping[str, Any]) -> Settings:
    """The settings of a session. Raises ``BadInputError`` for the first wrong option or a broken file."""
    # a number that is 0 was given; what flags leave out is None, False or nothing
    given = {
        key: value for key, value in options.items() if value is not False and value not in (None, (), [])
    }
    path = Path(given["config"]) if "config" in given else places.config_file()
    values = read_all(path, given.get("profile"), must_exist="config" in given)
    values |= _from_flags(given)
    if given.get("no_web"):
        if given.get("open_page"):
            raise BadInputError("--open needs the page that --no-web leaves out")
        values["web.enabled"] = False
    plain = {name: values[key] for name, key in PLAIN.items() if key in values}
    if "duration" in given:
        plain["duration_s"] = opt.parse_duration(given["duration"])
    node = plain.get("node", "home")
    return Settings(
        source_named="session.source" in values,
        record=f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}-{node}" if values.get("session.record") else "",
        broker=_broker(values),
        web=_web(values),
        view=_view(given),
        home_assistant=HomeAssistantSettings(**_section(values, "home_assistant")),
        log=LogSettings(**_section(values, "log")),
        state_dir=str(places.state_dir()),
        cache_dir=str(places.cache_dir()),
        config_path=str(path) if places.is_there(path) else None,
        profile=given.get("profile"),
        flags={k: list(v) if isinstance(v, tuple) else v for k, v in given.items()},
        **plain,
    )


def _from_flags(given: Mapping[str, Any]) -> Values:
    if "node" in given:
        try:
            checked_node(str(given["node"]))
        except TopicError as error:
            raise BadInputError(str(error)) from None
    values = {key: _flag(flag, key, given[flag]) for flag, key in FLAGS.items() if flag in given}
    if "mqtt.broker" in values and values["mqtt.broker"].username:
        values["mqtt.username"] = values["mqtt.broker"].username
        values["mqtt.password"] = values["mqtt.broker"].password
        values["mqtt.password_file"] = None
    return values


def _flag(flag: str, key: str, value: Any) -> Any:
    try:
        return BY_NAME[key].read(value)
    except BrokenRuleError as error:
        raise BadInputError(f"--{flag} {error}, got {value!r:.80}") from None


def _section(values: Values, section: str) -> Values:
    return {k.removeprefix(f"{section}."): v for k, v in values.items() if k.startswith(f"{section}.")}


def _broker(values: Values) -> BrokerSettings:
    broker: BrokerSettings = values.get("mqtt.broker", BrokerSettings())
    secret = values.get("mqtt.password") or broker.password
    if values.get("mqtt.password_file"):
        secret = _password(Path(values["mqtt.password_file"]))
    return msgspec.structs.replace(
        broker,
        username=values.get("mqtt.username") or broker.username,
        password=secret,
        ca_file=values.get("mqtt.ca_file"),
        cert_file=values.get("mqtt.cert_file"),
        key_file=values.get("mqtt.key_file"),
        named="mqtt.broker" in values,
    )


def _password(path: Path) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_PASSWORD_BYTES).decode()
    except (OSError, UnicodeDecodeError):
        raise BadInputError(f"mqtt.password_file {path} cannot be read as text") from None
    return text.split("\n", 1)[0].rstrip("\r")


def _web(values: Values) -> WebSettings | None:
    if values.get("web.enabled") is False:
        return None
    web: WebSettings = values.get("web.listen", DEFAULT_WEB)
    return msgspec.structs.replace(web, named="web.listen" in values)


def _view(given: Mapping[str, Any]) -> ViewKind:
    if given.get("as_json"):
        return "json"
    return "plain" if given.get("plain") or not sys.stdout.isatty() else "live"
