"""What is known of every file and of every sound, kept in SQLite.

A file is known by path, size and mtime; what was measured belongs to its sound, and follows it to any path.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from player.analysis.track_measures import ANALYSER_VERSION, Analysis, LearnedMood
from player.library.music_folder import FoundFile
from player.library.sources.mood_tags import GivenMood
from player.library.sources.track_names import track_id
from player.library.store.database import connect
from player.library.store.refusals import OURS, Attempt, Refusal, Versions, is_due
from player.library.store.rows import FileRow, Header, KnownSound, PendingFile

log = logging.getLogger(__name__)

_CIRCUMSTANCES = frozenset(
    {
        *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY),
        *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM),
    }
)
"""Errors that say nothing against what the database holds."""
FLUX_OF_VERSION_2 = 3.0
"""By how much the usual range of flux differs from that of analyser 2."""
EXCERPT = 0
"""The analyser's version of sounds of which only an excerpt was measured."""
MAX_LOST_SOUNDS = 100_000
"""Of sounds whose files are gone so many are remembered, for they may come back under another name."""


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
            self._db = connect(path)
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
        self._db = connect(self._path)

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def known(self, root: str) -> dict[str, tuple[int, int, str | None, str | None]]:
        """Path -> (size, mtime_ns, why it is refused, of which kind that is) of all rows under a root."""
        query = (
            "SELECT f.path, size, mtime_ns, reason, kind FROM files f JOIN places p ON p.path = f.path "
            "LEFT JOIN refusals r ON r.path = f.path WHERE root = ?"
        )
        rows = self._db.execute(query, (root,))
        return {path: (size, mtime_ns, reason, kind) for path, size, mtime_ns, reason, kind in rows}

    def known_elsewhere(self, paths: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Path -> (size, mtime_ns) of those among the paths that some root knows."""
        found = {}
        for path in paths:
            row = self._db.execute("SELECT size, mtime_ns FROM files WHERE path = ?", (path,)).fetchone()
            if row is not None:
                found[path] = row
        return found

    def given(self, root: str) -> dict[str, GivenMood | None]:
        """Path -> the mood that people stated of each row under a root, outside of its tags."""
        rows = self._db.execute("SELECT path, given FROM places WHERE root = ?", (root,))
        return {path: _decoded(_GIVEN, given) for path, given in rows}

    def stream_headers(self, root: str) -> dict[str, Header | None]:
        """URL -> what playlists say of it."""
        query = "SELECT path, header FROM files JOIN places USING (path) WHERE root = ? AND path LIKE '%://%'"
        return {path: _decoded(_HEADER, header) for path, header in self._db.execute(query, (root,))}

    def tagged(self, root: str) -> set[str]:
        """Paths under a root whose own tags state a mood."""
        query = (
            "SELECT path, header FROM files JOIN places USING (path) WHERE root = ? AND header IS NOT NULL"
        )
        rows = self._db.execute(query, (root,))
        headers = ((path, _decoded(_HEADER, header)) for path, header in rows)
        return {path for path, header in headers if header is not None and header.tagged is not None}

    def add(self, root: str, files: Sequence[FoundFile]) -> None:
        """Take in new or changed files; of a changed one only its sound's measures are still known."""
        change = self._next_change()
        self._db.executemany(
            "INSERT OR REPLACE INTO files (path, size, mtime_ns, changed) VALUES (?, ?, ?, ?)",
            ((file.path, file.size, file.mtime_ns, change) for file in files),
        )
        self._db.executemany("DELETE FROM refusals WHERE path = ?", ((file.path,) for file in files))
        self._place(root, (file.path for file in files))
        self._db.commit()

    def share(self, root: str, paths: Iterable[str]) -> None:
        """Take in files that another root knows as they are."""
        paths = list(paths)
        change = self._next_change()
        self._db.executemany(
            "UPDATE files SET changed = ? WHERE path = ?", ((change, path) for path in paths)
        )
        self._place(root, paths)
        self._db.commit()

    def _place(self, root: str, paths: Iterable[str]) -> None:
        self._db.executemany(
            "INSERT OR IGNORE INTO places (root, path) VALUES (?, ?)", ((root, path) for path in paths)
        )

    def refuse(
        self, root: str, refusals: Iterable[tuple[str, Refusal]], versions: Versions, at_s: float
    ) -> None:
        """Remember (path, why) of what cannot be played, and who could not at what time of the wall clock.

        A fault of ours leaves a file whose header is known among what is played; it is only not measured.
        """
        refusals = list(refusals)
        change = self._next_change()
        for path, why in refusals:
            self._db.execute(
                "INSERT INTO files (path, size, mtime_ns, reason, changed) VALUES (?, -1, 0, ?, ?) "
                "ON CONFLICT (path) DO UPDATE SET changed = excluded.changed, "
                "reason = CASE WHEN ? AND header IS NOT NULL THEN NULL ELSE excluded.reason END",
                (path, why.detail, change, why.kind in OURS),
            )
            self._db.execute(
                "INSERT INTO refusals VALUES (?, ?, ?, ?, 1, ?, 1) ON CONFLICT (path) DO UPDATE SET "
                "tries = 1 + tries * (kind = excluded.kind), kind = excluded.kind, "
                "product = excluded.product, decoder = excluded.decoder, at_s = excluded.at_s, waiting = 1",
                (path, why.kind, versions.product, versions.decoder, at_s),
            )
        self._place(root, (path for path, _ in refusals))
        self._db.commit()

    def try_due(self, roots: Sequence[str], versions: Versions, begun_s: float, now_s: float) -> None:
        """Let a session that began at ``begun_s`` try again what it may; see ``is_due``."""
        marks = ",".join("?" * len(roots))
        query = (
            "SELECT DISTINCT f.path, kind, product, decoder, tries, at_s "  # noqa: S608
            "FROM files f JOIN places p ON p.path = f.path LEFT JOIN refusals r ON r.path = f.path "
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

    def remove(self, root: str, paths: Iterable[str]) -> None:
        """Forget files that are gone from under a root, but not what was measured of their sounds."""
        gone = list(paths)
        self._db.executemany(
            "DELETE FROM places WHERE root = ? AND path = ?", ((root, path) for path in gone)
        )
        for table in ("files", "refusals"):
            self._db.executemany(
                f"DELETE FROM {table} WHERE path = ?1 "  # noqa: S608
                "AND NOT EXISTS (SELECT 1 FROM places WHERE path = ?1)",
                ((path,) for path in gone),
            )
        self._db.execute(
            "DELETE FROM sounds WHERE rowid IN (SELECT s.rowid FROM sounds s WHERE NOT EXISTS "
            "(SELECT 1 FROM files WHERE sound = s.id) ORDER BY s.rowid DESC LIMIT -1 OFFSET ?)",
            (MAX_LOST_SOUNDS,),
        )
        self._db.commit()

    def set_headers(self, headers: Mapping[str, Header]) -> None:
        """Store what was read from headers."""
        change = self._next_change()
        self._db.executemany(
            "UPDATE files SET header = ?, changed = ? WHERE path = ?",
            ((_encode(header), change, path) for path, header in headers.items()),
        )
        self._db.commit()

    def set_given(self, root: str, given: Mapping[str, GivenMood | None]) -> None:
        """Store or clear the moods that people stated."""
        change = self._next_change()
        self._db.executemany(
            "UPDATE places SET given = ? WHERE root = ? AND path = ?",
            ((None if mood is None else _encode(mood), root, path) for path, mood in given.items()),
        )
        self._db.executemany(
            "UPDATE files SET changed = ? WHERE path = ?", ((change, path) for path in given)
        )
        self._db.commit()

    def sounds_beginning(self, beginning: str) -> list[KnownSound]:
        """The sounds that begin so, and where they lie."""
        found = self._db.execute("SELECT id, whole FROM sounds WHERE beginning = ?", (beginning,)).fetchall()
        query = "SELECT root, path FROM files JOIN places USING (path) WHERE sound = ? GROUP BY path"
        return [KnownSound(sound, whole, tuple(self._db.execute(query, (sound,)))) for sound, whole in found]

    def set_sound(self, path: str, sound: str, beginning: str, whole: str | None = None) -> None:
        """Store which sound a file holds."""
        self._db.execute(
            "INSERT INTO sounds (id, beginning, whole) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE "
            "SET beginning = excluded.beginning, whole = coalesce(excluded.whole, whole)",
            (sound, beginning, whole),
        )
        change = self._next_change()
        self._db.execute("UPDATE files SET sound = ?, changed = ? WHERE path = ?", (sound, change, path))
        self._db.commit()

    def name_remote(self, paths: Iterable[str]) -> None:
        """Know tracks of a server by their locations: nobody reads their bytes to tell them apart."""
        named = [(track_id(path), path) for path in paths]
        self._db.executemany(
            "INSERT OR IGNORE INTO sounds (id, beginning) VALUES (?, '')", ((one,) for one, _ in named)
        )
        self._db.executemany("UPDATE files SET sound = ? WHERE path = ?", named)
        self._db.commit()

    def set_whole(self, sound: str, whole: str) -> None:
        """Store the name of all of a sound."""
        self._db.execute("UPDATE sounds SET whole = ? WHERE id = ?", (whole, sound))
        self._db.commit()

    def set_analysis(self, sound: str, analysis: Analysis) -> None:
        """Store what was measured, under the present version of the analyser."""
        self._db.execute(
            "UPDATE sounds SET analysis = ?, analyser = ? WHERE id = ?",
            (_encode(analysis), ANALYSER_VERSION if analysis.whole else EXCERPT, sound),
        )
        if analysis.whole:
            here = "SELECT path FROM files WHERE sound = ? AND reason IS NULL"
            self._db.execute(f"DELETE FROM refusals WHERE path IN ({here})", (sound,))  # noqa: S608
        self._touch(sound)

    def set_learned(self, sound: str, mood: LearnedMood | None) -> None:
        """Store what a network heard in a sound; None: it was tried, and nothing came of it."""
        energy, valence = (None, None) if mood is None else (mood.energy, mood.valence)
        self._db.execute(
            "UPDATE sounds SET heard = 1, energy = ?, valence = ? WHERE id = ?", (energy, valence, sound)
        )
        self._touch(sound)

    def _touch(self, sound: str) -> None:
        change = self._next_change()
        self._db.execute("UPDATE files SET changed = ? WHERE sound = ?", (change, sound))
        self._db.commit()

    def without_header(self, roots: Sequence[str]) -> list[PendingFile]:
        """The files whose header nobody has read, or whose sound nobody has named."""
        return self._pending(roots, "(f.header IS NULL OR (f.size > 0 AND s.beginning IS NULL))")

    def without_analysis(self, roots: Sequence[str]) -> list[PendingFile]:
        """A file of each sound that is to be measured by the present analyser, excerpt or whole."""
        return self._pending(
            roots, f"s.id IS NOT NULL AND (s.analyser IS NULL OR s.analyser != {ANALYSER_VERSION})"
        )

    def without_learned(self, roots: Sequence[str]) -> list[PendingFile]:
        """A file of each measured sound that no network has heard."""
        return self._pending(roots, "s.analysis IS NOT NULL AND NOT s.heard")

    def _pending(self, roots: Sequence[str], condition: str) -> list[PendingFile]:
        marks = ",".join("?" * len(roots))
        waiting = "SELECT 1 FROM refusals r WHERE r.path = f.path AND r.waiting = 1"
        query = (
            "SELECT f.path, min(root), f.size, f.sound, s.analyser FROM files f "  # noqa: S608
            "JOIN places p ON p.path = f.path LEFT JOIN sounds s ON s.id = f.sound "
            f"WHERE f.reason IS NULL AND NOT EXISTS ({waiting}) AND {condition} AND root IN ({marks}) "
            "GROUP BY coalesce(f.sound, f.path) ORDER BY f.path"
        )
        return [PendingFile(*row) for row in self._db.execute(query, tuple(roots))]

    def rows(self, roots: Sequence[str], since: int = -1) -> Iterator[FileRow]:
        """Rows under the roots that changed after ``since``."""
        marks = ",".join("?" * len(roots))
        query = (
            "SELECT f.path, root, header, given, analyser, analysis, "  # noqa: S608
            "reason, changed, energy, s.valence, f.sound, kind "
            "FROM files f JOIN places p ON p.path = f.path LEFT JOIN sounds s ON s.id = f.sound "
            "LEFT JOIN refusals r ON r.path = f.path "
            f"WHERE changed > ? AND root IN ({marks}) ORDER BY f.path"
        )
        for row in self._db.execute(query, (since, *roots)):
            path, root, header, given, analyser, analysis, reason, changed, energy, valence, sound, kind = row
            yield FileRow(
                path,
                root,
                _decoded(_HEADER, header),
                _decoded(_GIVEN, given),
                _as_measured_now(_decoded(_ANALYSIS, analysis), analyser),
                reason,
                changed,
                None if energy is None else LearnedMood(energy, valence),
                sound,
                kind,
            )

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
        query = f"SELECT count(*) FROM places WHERE root IN ({marks})"  # noqa: S608
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


def _as_measured_now(analysis: Analysis | None, analyser: int | None) -> Analysis | None:
    """What an older analyser found, until the present one has been there: its flux counted other bands."""
    if analysis is None or analyser != 2:
        return analysis
    flux = analysis.features.flux * FLUX_OF_VERSION_2
    features = msgspec.structs.replace(analysis.features, flux=flux)
    return msgspec.structs.replace(analysis, features=features)
