"""What people said of a track's mood: sidecar files, tags and folder rules, in this order of belief."""

from __future__ import annotations

import csv
import fnmatch
import glob
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from types import MappingProxyType

import msgspec

from player.library.music_folder import open_under
from player.library.sources.foreign_text import composed, decoded, number
from player.location import quoted, without_login
from player.music import Mood, MoodSource

_TABLE: dict[tuple[float, float], str] = {
    (0.5, -0.7): "calm peaceful relaxing relaxed relax serene tranquil soothing gentle chill chillout mellow",
    (0.1, -0.85): "sleep sleepy sleeping lullaby still quiet meditative meditation ambient dreamy",
    (0.4, -0.3): "soft tender romantic warm acoustic sentimental nostalgic",
    (0.2, 0.1): "focus focused concentration study work thoughtful neutral balanced reflective",
    (0.7, 0.4): "happy cheerful joyful sunny fun carefree bright uplifting optimistic summer",
    (0.6, 0.8): "energetic energetisch energise energize energy lively excited exciting euphoric party "
    "dance workout running sport upbeat",
    (-0.6, -0.5): "sad melancholy melancholic sorrowful gloomy lonely bittersweet blue",
    (-0.5, 0.0): "dark sombre somber moody mysterious",
    (-0.6, 0.6): "tense anxious dramatic epic suspenseful nervous",
    (-0.7, 0.85): "angry aggressive furious intense violent",
}
"""Own choice after the circumplex of Russell (1980); people's own sidecar values override it."""

MOOD_WORDS: Mapping[str, Mood] = MappingProxyType(
    {word: Mood(*point) for point, words in _TABLE.items() for word in words.split()}
)


def mood_of_words(text: str) -> Mood | None:
    """The mean of the mood words in a text such as ``Calm; Dreamy``; None if there is none."""
    found = [MOOD_WORDS[word] for word in re.findall(r"[a-z]+", text.lower()[:400]) if word in MOOD_WORDS]
    if not found:
        return None
    valence = sum(mood.valence or 0.0 for mood in found) / len(found)
    return Mood(round(valence, 3), round(sum(mood.arousal for mood in found) / len(found), 3))


SIDECAR_NAMES = ("moods.csv", "moods.toml")
MAX_SIDECAR_BYTES = 8 << 20
CONFIDENCE: Mapping[MoodSource, float] = {
    "sidecar": 1.0,
    "composed": 1.0,
    "given": 1.0,
    "tag": 0.8,
    "folder": 0.6,
    "vibenet": 0.55,
    "analysis": 0.5,
    "unknown": 0.1,
}


class SidecarError(ValueError):
    """A mood sidecar breaks a rule. The message names the file, the row and the value."""


class GivenMood(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mood that somebody stated, and where: ``by`` is the sidecar's path or the folder's name."""

    valence: float | None
    arousal: float
    source: MoodSource
    by: str = ""

    def mood(self) -> Mood:
        """As a point of the plane."""
        return Mood(self.valence, self.arousal)


@dataclass(slots=True)
class MoodRules:
    """All sidecars of one music folder: rows by path, patterns and folders, the deepest sidecar first.

    Names are held with each letter in one piece, whichever way they were written.
    """

    root: str = os.sep
    rows: dict[str, GivenMood] = field(default_factory=dict)
    patterns: list[str] = field(default_factory=list)
    folders: list[tuple[str, GivenMood]] = field(default_factory=list)
    _by_folder: dict[str, GivenMood | None] = field(default_factory=dict)
    _fitted: set[str] = field(default_factory=set)

    def stated(self, path: str) -> GivenMood | None:
        """The sidecar's word on a path or URL."""
        name = composed(path)
        fitting = (pattern for pattern in self.patterns if fnmatch.fnmatchcase(name, pattern))
        row = name if name in self.rows else next(fitting, None)
        if row is None:
            return None
        self._fitted.add(row)
        return self.rows[row]

    def unfitted(self) -> dict[str, list[str]]:
        """Sidecar -> its rows that fit nothing of what was asked about."""
        found: dict[str, list[str]] = {}
        for row, mood in self.rows.items():
            # the pieces of the demo are listed before they are composed
            if row not in self._fitted and mood.source != "composed":
                found.setdefault(mood.by, []).append(row)
        return found

    def of_folder(self, path: str) -> GivenMood | None:
        """A folder rule, or the nearest folder below the root whose whole name is a mood word.

        Asked once all rules are there: each folder is looked at once.
        """
        folder = path.rpartition(os.sep)[0]
        if folder not in self._by_folder:
            self._by_folder[folder] = self._found(composed(folder))
        return self._by_folder[folder]

    def _found(self, within: str) -> GivenMood | None:
        for folder, mood in self.folders:
            if (within + os.sep).startswith(folder.rstrip(os.sep) + os.sep):
                return mood
        above = composed(self.root).rstrip(os.sep) + os.sep
        if not within.startswith(above):
            return None
        for name in reversed(PurePath(within[len(above) :]).parts):
            mood_there = MOOD_WORDS.get(name.strip().casefold())
            if mood_there is not None:
                return GivenMood(mood_there.valence, mood_there.arousal, "folder", name)
        return None


def read_rules(root: Path, sidecars: Iterable[str]) -> tuple[MoodRules, list[tuple[str, str]]]:
    """Read the sidecars found under ``root``; returns the rules and (path, reason) of the broken ones."""
    rules = MoodRules(root=str(root))
    broken: list[tuple[str, str]] = []
    for path in sorted(sidecars, key=lambda name: -name.count(os.sep)):
        try:
            with open_under(root, path) as file:
                content = file.read(MAX_SIDECAR_BYTES + 1)
            if len(content) > MAX_SIDECAR_BYTES:
                raise SidecarError(f"is larger than {MAX_SIDECAR_BYTES >> 20} MiB")
            read_sidecar(content, path, rules)
        except (SidecarError, OSError) as error:
            broken.append((path, str(error)))
    return rules, broken


def read_sidecar(content: bytes, path: str, rules: MoodRules) -> None:
    """Add one ``moods.csv`` or ``moods.toml`` to the rules. Raises SidecarError."""
    folder = str(PurePath(path).parent)
    try:
        text = decoded(content)
        if path.endswith(".toml"):
            entries = tomllib.loads(text)
            _only_keys(entries, {"track", "folder"})
            for row in _tables(entries, "track"):
                _add_track(rules, folder, row, path)
            for row in _tables(entries, "folder"):
                target = os.path.normpath(PurePath(folder, str(row.get("path", ""))))
                rules.folders.append((composed(target), _given(row, "folder", path)))
        else:
            for row in csv.DictReader(text.splitlines(), delimiter=csv_delimiter(text), strict=True):
                _add_track(rules, folder, {key: value for key, value in row.items() if key and value}, path)
    except (tomllib.TOMLDecodeError, csv.Error) as error:
        raise SidecarError(f"cannot be parsed: {error}") from error
    except RecursionError:
        raise SidecarError("cannot be parsed: nested too deeply") from None


def csv_delimiter(text: str) -> str:
    """What parts the columns: office programs write a semicolon where the comma is the decimal sign."""
    header = text.partition("\n")[0]
    return max(",;\t", key=header.count)


def _tables(entries: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    tables = entries.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(row, dict) for row in tables):
        raise SidecarError(f"{name} must be written as [[{name}]] tables")
    return tables


def _add_track(rules: MoodRules, folder: str, row: Mapping[str, object], by: str) -> None:
    name = str(row.get("path", "")).strip()
    if not name:
        raise SidecarError(f"a row has no path: {quoted(dict(row))}")
    given = _given(row, "composed" if row.get("source") == "composed" else "sidecar", by)
    if "://" in name:
        rules.rows.setdefault(without_login(name), given)
        return
    literal = literal_name(name)
    target = composed(os.path.normpath(PurePath(folder, name if literal is None else literal)))
    if literal is None:
        # a track may be called so: what is spelled the same is meant before what only fits
        rules.patterns.append(target)
    rules.rows.setdefault(target, given)


def escaped_name(name: str) -> str:
    """A name as a row of a sidecar that fits this name alone: ``[``, ``*`` and ``?`` stand for themselves."""
    return glob.escape(name)


def literal_name(row: str) -> str | None:
    """The one name that a row of a sidecar means; None if it is a pattern."""
    bare = re.sub(r"\[([*?\[])\]", "", row)
    return None if any(letter in bare for letter in "*?[") else re.sub(r"\[([*?\[])\]", r"\1", row)


def _given(row: Mapping[str, object], source: MoodSource, by: str) -> GivenMood:
    _only_keys(row, {"path", "valence", "arousal", "mood", "label", "source"})
    words = str(row.get("mood") or row.get("label") or "")
    named = mood_of_words(words)
    if words and named is None:
        raise SidecarError(f"{quoted(row.get('path'))}: mood {quoted(words, 40)} is not a known mood word")
    valence = _coordinate(row, "valence") if row.get("valence") not in (None, "") else None
    if row.get("arousal") not in (None, ""):
        valence = valence if named is None else named.valence
        return GivenMood(valence, _coordinate(row, "arousal"), source, by)
    if named is None:
        raise SidecarError(f"{quoted(row.get('path'))}: needs arousal (-1..1) or a mood word")
    return GivenMood(named.valence if valence is None else valence, named.arousal, source, by)


def _only_keys(row: Mapping[str, object], known: set[str]) -> None:
    unknown = set(row) - known
    if unknown:
        raise SidecarError(f"unknown key {sorted(unknown)[0]!r}; known are {', '.join(sorted(known))}")


def _coordinate(row: Mapping[str, object], name: str) -> float:
    value = number(row.get(name))
    if not -1 <= value <= 1:
        raise SidecarError(
            f"{quoted(row.get('path'))}: {name} must be a number within -1..1, got {row.get(name)!r}"
        )
    return value


def mood_of_tags(tags: Mapping[str, str]) -> GivenMood | None:
    """VALENCE and AROUSAL tags (-1..1), else the words of MOOD or TMOO; None if there are none."""
    arousal = _tag_number(tags, "arousal")
    if arousal is not None:
        return GivenMood(_tag_number(tags, "valence"), arousal, "tag")
    for key in ("mood", "tmoo", "txxx:mood"):
        mood = mood_of_words(tags.get(key, ""))
        if mood is not None:
            return GivenMood(mood.valence, mood.arousal, "tag")
    return None


def _tag_number(tags: Mapping[str, str], name: str) -> float | None:
    for key in (name, f"txxx:{name}"):
        value = number(tags.get(key))
        if -1 <= value <= 1:
            return value
    return None
