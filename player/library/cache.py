"""What is known of every file, kept in SQLite: keyed by path, size, mtime and the analyser's version."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from player.analysis.track_measures import ANALYSER_VERSION, Analysis, LearnedMood
from player.library.mood_tags import GivenMood
from player.library.music_folder import FoundFile
from player.library.refusals import OURS, Attempt, Refusal, Versions, is_due

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
LOCKED_S = 30.0
"""How long another program may write before this one takes the cache to be unusable."""
_CIRCUMSTANCES = frozenset(
    {
        *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY),
        *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM),
    }
)
"""Errors that say nothing against what the database holds."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, root TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    header BLOB, given BLOB, analyser INTEGER, analysis BLOB, reason TEXT, changed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS files_by_root ON files (root);
CREATE INDEX IF NOT EXISTS files_by_change ON files (changed);
CREATE TABLE IF NOT EXISTS counter (value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS learned (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, energy REAL, valence REAL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refusals (
    path TEXT PRIMARY KEY, kind TEXT NOT NULL, product TEXT NOT NULL, decoder TEXT NOT NULL,
    tries INTEGER NOT NULL, at_s REAL NOT NULL, waiting INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counter SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM counter);
"""


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file's own header says; ``duration_s`` 0 for streams."""

    duration_s: float
    title: str
    artist: str
    tagged: GivenMood | None = None


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file or URL of the library and all that is known of it."""

    path: str
    root: str
    header: Header | None
    given: GivenMood | None
    analysis: Analysis | None
    reason: str | None
    changed: int
    learned: LearnedMood | None = None
    kind: str | None = None
    """Of the reason, one of ``RefusalKind``; None also where an older version wrote it."""


_HEADER = msgspec.json.Decoder(Header)
_GIVEN = msgspec.json.Decoder(GivenMood)
_ANALYSIS = msgspec.json.Decoder(Analysis)
_Kind = TypeVar("_Kind")
_encode = msgspec.json.Encoder().encode


class TrackCache:
    """One connection to the cache. The scanning process writes, players read; use in one thread."""

    def __init__(self, path: Path) -> None:
        """Open or make the database; one that is damaged or of another version is set aside and made anew.

        Raises OSError if the folder cannot be written, or another program keeps the database locked.
        """
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = _connect(path)
        except sqlite3.DatabaseError as error:
            self._begin_anew(error)

    def _begin_anew(self, error: sqlite3.DatabaseError) -> None:
        """Set a damaged database aside. One that is only locked, or cannot be written now, is left alone."""
        if error.sqlite_errorcode & 0xFF in _CIRCUMSTANCES:
            raise OSError(f"{self._path}: the library's cache cannot be used ({error})") from error
        log.warning("%s is damaged (%s) and is made anew", self._path, error)
        with contextlib.suppress(FileNotFoundError):
            self._path.replace(self._path.with_suffix(".damaged"))
        for leftover in (f"{self._path}-wal", f"{self._path}-shm"):
            Path(leftover).unlink(missing_ok=True)
        self._db = _connect(self._path)

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def known(self, root: str) -> dict[str, tuple[int, int, str | None, str | None]]:
        """Path -> (size, mtime_ns, why it is refused, of which kind that is) of all rows under a root."""
        query = (
            "SELECT f.path, size, mtime_ns, reason, kind FROM files f LEFT JOIN refusals r ON r.path = f.path"
        )
        rows = self._db.execute(f"{query} WHERE root = ?", (root,))
        return {path: (size, mtime_ns, reason, kind) for path, size, mtime_ns, reason, kind in rows}

    def given(self, root: str) -> dict[str, GivenMood | None]:
        """Path -> the mood that people stated of each row under a root, outside of its tags."""
        rows = self._db.execute("SELECT path, given FROM files WHERE root = ?", (root,))
        return {path: _decoded(_GIVEN, given) for path, given in rows}

    def stream_headers(self, root: str) -> dict[str, Header | None]:
        """URL -> what playlists say of it."""
        query = "SELECT path, header FROM files WHERE root = ? AND size = 0 AND path LIKE '%://%'"
        rows = self._db.execute(query, (root,))
        return {path: _decoded(_HEADER, header) for path, header in rows}

    def tagged(self, root: str) -> set[str]:
        """Paths under a root whose own tags state a mood."""
        query = "SELECT path, header FROM files WHERE root = ? AND header IS NOT NULL"
        rows = self._db.execute(query, (root,))
        headers = ((path, _decoded(_HEADER, header)) for path, header in rows)
        return {path for path, header in headers if header is not None and header.tagged is not None}

    def add(self, root: str, files: Sequence[FoundFile]) -> None:
        """Take in new or changed files; what was known of a changed one is forgotten."""
        change = self._next_change()
        self._db.executemany(
            "INSERT OR REPLACE INTO files (path, root, size, mtime_ns, changed) VALUES (?, ?, ?, ?, ?)",
            ((file.path, root, file.size, file.mtime_ns, change) for file in files),
        )
        self._db.executemany("DELETE FROM refusals WHERE path = ?", ((file.path,) for file in files))
        self._db.commit()

    def refuse(
        self, root: str, refusals: Iterable[tuple[str, Refusal]], versions: Versions, at_s: float
    ) -> None:
        """Remember (path, why) of what cannot be played, and who could not at what time of the wall clock.

        A fault of ours leaves a file whose header is known among what is played; it is only not measured.
        """
        change = self._next_change()
        for path, why in refusals:
            self._db.execute(
                "INSERT INTO files (path, root, size, mtime_ns, reason, changed) VALUES (?, ?, -1, 0, ?, ?) "
                "ON CONFLICT (path) DO UPDATE SET changed = excluded.changed, "
                "reason = CASE WHEN ? AND header IS NOT NULL THEN NULL ELSE excluded.reason END",
                (path, root, why.detail, change, why.kind in OURS),
            )
            self._db.execute(
                "INSERT INTO refusals VALUES (?, ?, ?, ?, 1, ?, 1) ON CONFLICT (path) DO UPDATE SET "
                "tries = 1 + tries * (kind = excluded.kind), kind = excluded.kind, "
                "product = excluded.product, decoder = excluded.decoder, at_s = excluded.at_s, waiting = 1",
                (path, why.kind, versions.product, versions.decoder, at_s),
            )
        self._db.commit()

    def try_due(self, roots: Sequence[str], versions: Versions, begun_s: float, now_s: float) -> None:
        """Let a session that began at ``begun_s`` try again what it may; see ``is_due``."""
        marks = ",".join("?" * len(roots))
        query = (
            "SELECT f.path, kind, product, decoder, tries, at_s "  # noqa: S608
            "FROM files f LEFT JOIN refusals r ON r.path = f.path "
            f"WHERE root IN ({marks}) AND (reason IS NOT NULL OR waiting = 1)"
        )
        due = []
        for path, kind, product, decoder, tries, at_s in self._db.execute(query, tuple(roots)):
            attempt = None if kind is None else Attempt(kind, Versions(product, decoder), tries, at_s)
            if is_due(attempt, versions, begun_s, now_s):
                due.append(path)
        self.try_again(due)

    def try_again(self, paths: Sequence[str]) -> None:
        """Hold nothing against these files any more; what is remembered is how often they were tried."""
        if not paths:
            return
        change = self._next_change()
        self._db.executemany(
            "UPDATE files SET reason = NULL, changed = ? WHERE path = ?", ((change, path) for path in paths)
        )
        self._db.executemany("UPDATE refusals SET waiting = 0 WHERE path = ?", ((path,) for path in paths))
        self._db.commit()

    def remove(self, paths: Iterable[str]) -> None:
        """Forget files that are gone."""
        gone = [(path,) for path in paths]
        self._db.executemany("DELETE FROM files WHERE path = ?", gone)
        self._db.executemany("DELETE FROM learned WHERE path = ?", gone)
        self._db.executemany("DELETE FROM refusals WHERE path = ?", gone)
        self._db.commit()

    def set_headers(self, headers: Mapping[str, Header]) -> None:
        """Store what was read from headers."""
        change = self._next_change()
        self._db.executemany(
            "UPDATE files SET header = ?, changed = ? WHERE path = ?",
            ((_encode(header), change, path) for path, header in headers.items()),
        )
        self._db.commit()

    def set_given(self, given: Mapping[str, GivenMood | None]) -> None:
        """Store or clear the moods that people stated."""
        change = self._next_change()
        self._db.executemany(
            "UPDATE files SET given = ?, changed = ? WHERE path = ?",
            ((None if mood is None else _encode(mood), change, path) for path, mood in given.items()),
        )
        self._db.commit()

    def set_analysis(self, path: str, analysis: Analysis) -> None:
        """Store what was measured, under the present version of the analyser."""
        self._db.execute(
            "UPDATE files SET analysis = ?, analyser = ?, changed = ? WHERE path = ?",
            (_encode(analysis), ANALYSER_VERSION, self._next_change(), path),
        )
        self._db.execute("DELETE FROM refusals WHERE path = ?", (path,))
        self._db.commit()

    def set_learned(self, path: str, mood: LearnedMood | None) -> None:
        """Store what a network heard in the file as it is now; None: it was tried, and nothing came of it."""
        energy, valence = (None, None) if mood is None else (mood.energy, mood.valence)
        self._db.execute(
            "INSERT OR REPLACE INTO learned SELECT path, size, mtime_ns, ?, ? FROM files WHERE path = ?",
            (energy, valence, path),
        )
        change = self._next_change()
        self._db.execute("UPDATE files SET changed = ? WHERE path = ?", (change, path))
        self._db.commit()

    def without_header(self, roots: Sequence[str], limit: int) -> list[tuple[str, str, int]]:
        """(path, root, size) of the files whose header nobody has read."""
        return self._pending(roots, "header IS NULL", limit)

    def without_analysis(self, roots: Sequence[str], limit: int) -> list[tuple[str, str, int]]:
        """(path, root, size) of the files to be measured by the present analyser."""
        return self._pending(
            roots, f"size > 0 AND (analyser IS NULL OR analyser != {ANALYSER_VERSION})", limit
        )

    def without_learned(self, roots: Sequence[str], limit: int) -> list[tuple[str, str, int]]:
        """(path, root, size) of the measured files that no network has heard as they are now."""
        heard = "SELECT 1 FROM learned l WHERE l.path = files.path AND l.size = files.size"
        unheard = f"NOT EXISTS ({heard} AND l.mtime_ns = files.mtime_ns)"
        return self._pending(roots, f"size > 0 AND analysis IS NOT NULL AND {unheard}", limit)

    def _pending(self, roots: Sequence[str], condition: str, limit: int) -> list[tuple[str, str, int]]:
        marks = ",".join("?" * len(roots))
        waiting = "SELECT 1 FROM refusals r WHERE r.path = files.path AND r.waiting = 1"
        query = (
            "SELECT path, root, size FROM files "  # noqa: S608
            f"WHERE reason IS NULL AND NOT EXISTS ({waiting}) AND {condition} "
        )
        return self._db.execute(
            f"{query} AND root IN ({marks}) ORDER BY path LIMIT ?", (*roots, limit)
        ).fetchall()

    def rows(self, roots: Sequence[str], since: int = -1) -> Iterator[FileRow]:
        """Rows under the roots that changed after ``since``."""
        marks = ",".join("?" * len(roots))
        query = (
            "SELECT f.path, root, header, given, analysis, reason, changed, energy, valence, kind "  # noqa: S608
            "FROM files f LEFT JOIN learned l "
            "ON l.path = f.path AND l.size = f.size AND l.mtime_ns = f.mtime_ns "
            "LEFT JOIN refusals r ON r.path = f.path "
            f"WHERE changed > ? AND root IN ({marks}) ORDER BY f.path"
        )
        for row in self._db.execute(query, (since, *roots)):
            path, root, header, given, analysis, reason, changed, energy, valence, kind = row
            try:
                yield FileRow(
                    path,
                    root,
                    _HEADER.decode(header) if header else None,
                    _GIVEN.decode(given) if given else None,
                    _ANALYSIS.decode(analysis) if analysis else None,
                    reason,
                    changed,
                    None if energy is None else LearnedMood(energy, valence),
                    kind,
                )
            except msgspec.DecodeError:
                # written by another version: the scanner will measure it again
                yield FileRow(path, root, None, None, None, reason, changed, kind=kind)

    def all_rows(self, roots: Sequence[str]) -> list[FileRow]:
        """All rows under the roots; a database that proves damaged inside is set aside and made anew.

        For those who read before anybody writes. Raises OSError as the constructor does.
        """
        try:
            return list(self.rows(roots))
        except sqlite3.DatabaseError as error:
            self._db.close()
            self._begin_anew(error)
            return []

    def count(self, roots: Sequence[str]) -> int:
        """How many rows there are under the roots."""
        marks = ",".join("?" * len(roots))
        query = f"SELECT count(*) FROM files WHERE root IN ({marks})"  # noqa: S608
        return int(self._db.execute(query, tuple(roots)).fetchone()[0])

    def _next_change(self) -> int:
        query = "UPDATE counter SET value = value + 1 RETURNING value"
        return int(self._db.execute(query).fetchone()[0])


def _decoded(decoder: msgspec.json.Decoder[_Kind], value: bytes | None) -> _Kind | None:
    """What was stored; None where there is nothing, or what another version wrote."""
    if value is None:
        return None
    try:
        return decoder.decode(value)
    except msgspec.DecodeError:
        return None


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=LOCKED_S, check_same_thread=False)
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, SCHEMA_VERSION):
            raise _other_version(version)
        db.execute("PRAGMA synchronous = NORMAL")
        here = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        # only where something is missing: who only reads need not wait for another's writing
        if version == 0 or not here >= {
            "files",
            "files_by_root",
            "files_by_change",
            "counter",
            "learned",
            "refusals",
        }:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(_SCHEMA)
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        db.execute("SELECT path, changed FROM files LIMIT 1").fetchone()
    except BaseException:
        db.close()
        raise
    return db


def _other_version(version: int) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(f"schema version {version}")
    error.sqlite_errorcode = sqlite3.SQLITE_ERROR
    return error
