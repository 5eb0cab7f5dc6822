"""The configuration file: read, checked as a whole, every problem named at once.

A configuration is a mapping from dotted keys to checked values. Profiles are tables that overlay the rest.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from daemon.configuration.environment import read_environment
from daemon.configuration.keys import BY_NAME
from daemon.configuration.reading import ConfigError, Reading, Values
from daemon.places import is_there

MAX_BYTES = 256 * 1024
MAX_PARTS = 16
"""A name with more parts is none of ours, and tomllib would take minutes over one with thousands."""
MAX_TOLD = 20
PROFILE_NAME = "profile"


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


_PART = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_MANY_PARTS = re.compile(rf"(?<![\w.-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MAX_PARTS}}}")

_MANY_DIGITS = re.compile(r"[0-9][0-9_]{4000}")


def read_file(path: Path, profile: str | None = None) -> Values:
    """The values of the file, of its profile on top. Raises ``ConfigError`` with every problem."""
    reading = Reading(str(path))
    text = _text_of(path)
    document = _parsed(path, text)
    reading.lines = _lines(text)
    profiles = document.pop("profiles", {})
    default = document.pop(PROFILE_NAME, None)
    for name, value in _flat(document):
        reading.add(name, value)
    if isinstance(profiles, dict):
        for title, table in profiles.items():
            _take_profile(reading, title, table)
    else:
        reading.refuse("profiles", "must be a table of tables")
    own = {name: value for name, value in reading.values.items() if not name.startswith("profiles.")}
    own |= _chosen(reading, profiles, profile or default)
    _check_together(reading, own, path)
    if reading.problems:
        raise ConfigError(reading.shown_problems())
    return own


def _parsed(path: Path, text: str) -> dict[str, Any]:
    deep = _MANY_PARTS.search(text)
    if deep is not None:
        line = text.count("\n", 0, deep.start()) + 1
        raise ConfigError([f"{path} line {line}: a name has more than {MAX_PARTS} parts"])
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: not TOML: {error}"]) from None
    except RecursionError:
        raise ConfigError([f"{path}: nested too deeply"]) from None
    except ValueError:  # of int()
        number = _MANY_DIGITS.search(text)
        line = text.count("\n", 0, number.start()) + 1 if number else 1
        names = [name for name, found in _lines(text).items() if found == line]
        raise ConfigError([f"{path} line {line}: {''.join(names)} has too many digits"]) from None


def _text_of(path: Path) -> str:
    try:
        # a pipe that nobody writes to would keep us waiting
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ConfigError([f"{path}: cannot be read (must be an ordinary file)"])
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ConfigError([f"{path}: larger than {MAX_BYTES} bytes"])
        return data.decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError([f"{path}: cannot be read ({reason})"]) from None


def _take_profile(reading: Reading, title: str, table: object) -> None:
    prefix = f"profiles.{title}."
    if not isinstance(table, dict):
        reading.refuse(f"profiles.{title}", "must be a table")
        return
    for name, value in _flat(table):
        reading.add(name, value, prefix)


def _chosen(reading: Reading, profiles: object, profile: object) -> Values:
    if profile is None:
        return {}
    known = list(profiles) if isinstance(profiles, dict) else []
    if profile not in known:
        have = f"one of {', '.join(known[:MAX_TOLD])}" if known else "the file has no profiles"
        reading.refuse(PROFILE_NAME, f"must name a profile: {have}", profile)
        return {}
    prefix = f"profiles.{profile}."
    return {n.removeprefix(prefix): v for n, v in reading.values.items() if n.startswith(prefix)}


def _check_together(reading: Reading, values: Values, path: Path) -> None:
    if "mqtt.password" in values and path.stat().st_mode & 0o077:
        reading.refuse("mqtt.password", f"stands in a file others can read; mend it with: chmod 600 {path}")
    if "mqtt.password" in values and "mqtt.password_file" in values:
        reading.refuse("mqtt.password_file", "cannot stand beside mqtt.password")
    if ("mqtt.cert_file" in values) != ("mqtt.key_file" in values):
        missing = "mqtt.key_file" if "mqtt.cert_file" in values else "mqtt.cert_file"
        reading.refuse(missing, "is missing: a client certificate needs both cert_file and key_file")


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
