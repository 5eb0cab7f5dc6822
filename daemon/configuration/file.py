"""The configuration file and the environment: read, checked as a whole, every problem named at once.

A configuration is a mapping from dotted keys to checked values. Profiles are tables that overlay the rest.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemon.configuration.keys import BY_NAME, KEYS, PROFILE_NAME, SECTIONS, Key, variable
from daemon.errors import BadInputError, BrokenRuleError
from daemon.places import is_there

MAX_BYTES = 256 * 1024
MASK = "********"

Values = dict[str, Any]


class ConfigError(BadInputError):
    """One line a problem, all of them."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


@dataclass(slots=True)
class _Reading:
    """What was found in one source, and what was wrong with it."""

    origin: str
    lines: Mapping[str, int] = field(default_factory=dict)
    values: Values = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def refuse(self, name: str, rule: str, value: object = None) -> None:
        line = self.lines.get(name)
        where = f"{self.origin} line {line}" if line else self.origin
        got = f", got {_shown(name, value)}" if value is not None else ""
        self.problems.append(f"{where}: {name} {rule}{got}")

    def take(self, name: str, value: object, prefix: str = "") -> None:
        key = BY_NAME.get(name)
        if key is None:
            self.refuse(prefix + name, f"is no key of the configuration{_did_you_mean(name)}")
            return
        try:
            self.values[prefix + name] = key.read(value)
        except BrokenRuleError as error:
            self.refuse(prefix + name, str(error), value)
        except BadInputError as error:  # names the value already
            self.refuse(prefix + name, f"is wrong: {error}")


def _shown(name: str, value: object) -> str:
    secret = name.rpartition(".")[2] == "password"
    return MASK if secret else f"{value!r:.120}"


def _did_you_mean(name: str) -> str:
    known = list(BY_NAME)
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if not found:
        by_last = {key.rpartition(".")[2]: key for key in reversed(known)}
        close = difflib.get_close_matches(name.rpartition(".")[2], list(by_last), n=1, cutoff=0.7)
        found = [by_last[last] for last in close]
    return f"; did you mean {found[0]}?" if found else ""


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict) and (prefix + name) not in BY_NAME:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


_LINE = re.compile(r"\s*(?:\[([\w.\- \"']+)\]|([\w.\-\"']+)\s*=)")


def _lines(text: str) -> dict[str, int]:
    """Dotted name -> number of its line, as far as a plain look at the text can tell."""
    found: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.match(line)
        if match and match[1] is not None:
            section = match[1].replace('"', "").replace(" ", "") + "."
        elif match:
            found.setdefault(section + match[2].strip("\"'"), number)
    return found


def read_file(path: Path, profile: str | None = None) -> Values:
    """The values of the file, of its profile on top. Raises ``ConfigError`` with every problem."""
    reading = _Reading(str(path))
    try:
        text = _text_of(path)
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: not TOML: {error}"]) from None
    except RecursionError:
        raise ConfigError([f"{path}: nested too deeply"]) from None
    reading.lines = _lines(text)
    profiles = document.pop("profiles", {})
    default = document.pop(PROFILE_NAME, None)
    for name, value in _flat(document):
        reading.take(name, value)
    if isinstance(profiles, dict):
        for title, table in profiles.items():
            _take_profile(reading, title, table)
    else:
        reading.refuse("profiles", "must be a table of tables")
    own = {name: value for name, value in reading.values.items() if not name.startswith("profiles.")}
    own |= _chosen(reading, profiles, profile or default)
    _check_together(reading, own, path)
    if reading.problems:
        raise ConfigError(reading.problems)
    return own


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError([f"{path}: larger than {MAX_BYTES} bytes"])
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError([f"{path}: cannot be read ({reason})"]) from None


def _take_profile(reading: _Reading, title: str, table: object) -> None:
    prefix = f"profiles.{title}."
    if not isinstance(table, dict):
        reading.refuse(f"profiles.{title}", "must be a table")
        return
    for name, value in _flat(table):
        reading.take(name, value, prefix)


def _chosen(reading: _Reading, profiles: object, profile: object) -> Values:
    if profile is None:
        return {}
    known = list(profiles) if isinstance(profiles, dict) else []
    if profile not in known:
        have = f"one of {', '.join(known)}" if known else "the file has no profiles"
        reading.refuse(PROFILE_NAME, f"must name a profile: {have}", profile)
        return {}
    prefix = f"profiles.{profile}."
    return {n.removeprefix(prefix): v for n, v in reading.values.items() if n.startswith(prefix)}


def _check_together(reading: _Reading, values: Values, path: Path) -> None:
    if "mqtt.password" in values and path.stat().st_mode & 0o077:
        reading.refuse("mqtt.password", f"stands in a file others can read; mend it with: chmod 600 {path}")
    if "mqtt.password" in values and "mqtt.password_file" in values:
        reading.refuse("mqtt.password_file", "cannot stand beside mqtt.password")
    if ("mqtt.cert_file" in values) != ("mqtt.key_file" in values):
        missing = "mqtt.key_file" if "mqtt.cert_file" in values else "mqtt.cert_file"
        reading.refuse(missing, "is missing: a client certificate needs both cert_file and key_file")


def read_environment(environment: Mapping[str, str] = os.environ) -> Values:
    """The values of ``NEUROPLAYER_<SECTION>_<KEY>``. Raises ``ConfigError`` with every problem."""
    reading = _Reading("environment")
    for key in KEYS:
        text = environment.get(variable(key))
        if text is not None and text != "":
            reading.take(key.name, text)
    if reading.problems:
        raise ConfigError(reading.problems)
    return reading.values


def read_all(path: Path, profile: str | None = None, *, must_exist: bool = False) -> Values:
    """Environment over file over nothing. Raises ``ConfigError`` with the problems of both."""
    problems: list[str] = []
    values: Values = {}
    profile = profile or os.environ.get("NEUROPLAYER_PROFILE") or None
    if is_there(path) or must_exist or profile:
        try:
            values |= read_file(path, profile)
        except ConfigError as error:
            problems += error.problems
    try:
        values |= read_environment()
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError(problems)
    return values


def masked(key: Key, value: object) -> object:
    """The value as it may be shown."""
    return MASK if key.secret else value


def template() -> str:
    """A configuration file with every key, commented out, for ``config init``."""
    lines = ["# Neuro-Adaptive Music Player. Every key is optional; remove the # in front to set one.", ""]
    for section in ("", *SECTIONS):
        if section:
            lines += ["", f"[{section}]"]
        for key in KEYS:
            where, _, name = key.name.rpartition(".")
            if where == section and not key.secret:
                lines += [f"# {key.text}", f"#{name} = {key.example}"]
    lines += [
        "",
        "# Several wearers or rooms on one broker: a profile overlays any key (--profile anna).",
        "#[profiles.anna]",
        '#node = "anna"',
        '#session.source = "lsl:Anna"',
    ]
    return "\n".join(lines) + "\n"
