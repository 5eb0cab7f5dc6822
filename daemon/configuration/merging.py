"""File < environment < flags, merged into the settings of a session."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from daemon import places
from daemon.configuration import values as opt
from daemon.configuration.file import read_all
from daemon.configuration.keys import KEYS, Key, option_name
from daemon.configuration.reading import Values, in_words
from daemon.errors import BadInputError, BrokenRuleError
from daemon.settings import BrokerSettings, Settings, ViewKind, WebSettings
from daemon.wearers.moving import move_in
from daemon.wearers.wearer import Wearer, wearer_of

StructT = TypeVar("StructT", bound=msgspec.Struct)
MAX_PASSWORD_BYTES = 4096
BY_OPTION = {option_name(key): key for key in KEYS if key.flag}


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
        if given.get("open"):
            raise BadInputError("--open needs the page that --no-web leaves out")
        values["web.enabled"] = False
    settings = Settings(
        source_named="session.source" in values,
        duration_s=opt.parse_duration(given["duration"]) if "duration" in given else None,
        view=_view(given),
        state_dir=str(places.state_dir()),
        cache_dir=str(places.cache_dir()),
        config_path=str(path) if places.is_there(path) else None,
        profile=given.get("profile"),
        flags={k: list(v) if isinstance(v, tuple) else v for k, v in given.items()},
    )
    for key in KEYS:
        if key.field and key.name in values:
            settings = _with(settings, key.field, values[key.name])
    return msgspec.structs.replace(
        settings,
        broker=_broker(settings, values),
        web=_web(settings, values),
        record=_record(settings, values),
    )


def _with(settings: StructT, field: str, value: Any) -> StructT:
    """The settings with another value of a dotted field."""
    name, _, rest = field.partition(".")
    if rest:
        value = _with(getattr(settings, name), rest, value)
    return msgspec.structs.replace(settings, **{name: value})


def broker_at(settings: Settings, url: str) -> BrokerSettings:
    """The broker of that address, with name and password where it is the one that is configured."""
    return settings.broker if settings.broker.url == url else opt.parse_broker(url)


def asked_wearer(wearer: str | None = None, node: str | None = None) -> Wearer:
    """Whom a command that is no session is about: named by flags, environment or file, as for ``run``.

    What earlier versions kept is moved to its wearer first. Raises ``BadInputError``.
    """
    given = {"wearer": wearer, "node": node}
    values = read_all(places.config_file()) | _from_flags({k: v for k, v in given.items() if v is not None})
    plain = {name: values[name] for name in given if name in values}
    found = wearer_of(Settings(state_dir=str(places.state_dir()), **plain))
    move_in(found)
    return found


def _from_flags(given: Mapping[str, Any]) -> Values:
    values = {key.name: _flag(key, given[option]) for option, key in BY_OPTION.items() if option in given}
    if "mqtt.broker" in values and values["mqtt.broker"].username:
        values["mqtt.username"] = values["mqtt.broker"].username
        values["mqtt.password"] = values["mqtt.broker"].password
        values["mqtt.password_file"] = None
    return values


def _flag(key: Key, value: Any) -> Any:
    try:
        return key.read(value)
    except BrokenRuleError as error:
        raise BadInputError(
            f"{key.flag.split()[0]} {error}, got {in_words(value, secret=key.secret)}"
        ) from None


def _broker(settings: Settings, values: Values) -> BrokerSettings:
    broker = msgspec.structs.replace(settings.broker, named="mqtt.broker" in values)
    if values.get("mqtt.password_file"):
        secret = _password(Path(values["mqtt.password_file"]))
        broker = msgspec.structs.replace(broker, password=secret)
    return broker


def _password(path: Path) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_PASSWORD_BYTES).decode()
    except (OSError, UnicodeDecodeError):
        raise BadInputError(f"mqtt.password_file {path} cannot be read as text") from None
    return text.split("\n", 1)[0].rstrip("\r")


def _web(settings: Settings, values: Values) -> WebSettings | None:
    if values.get("web.enabled") is False:
        return None
    return msgspec.structs.replace(settings.web or WebSettings(), named="web.listen" in values)


def _record(settings: Settings, values: Values) -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}-{settings.node}" if values.get("session.record") else ""


def _view(given: Mapping[str, Any]) -> ViewKind:
    if given.get("as_json"):
        return "json"
    return "plain" if given.get("plain") or not sys.stdout.isatty() else "live"
