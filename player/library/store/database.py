"""The tables of the library's cache in SQLite, and how those of an older version become them."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from player.library.sources.track_names import track_id

SCHEMA_VERSION = 2
LOCKED_S = 30.0
"""How long another program may write before this one takes the cache to be unusable."""
WIPE_S = 1.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    header BLOB, sound TEXT, reason TEXT, changed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS files_by_sound ON files (sound);
CREATE INDEX IF NOT EXISTS files_by_change ON files (changed);
CREATE TABLE IF NOT EXISTS places (root TEXT, path TEXT, given BLOB, PRIMARY KEY (root, path)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS places_by_path ON places (path);
CREATE TABLE IF NOT EXISTS sounds (
    id TEXT PRIMARY KEY, beginning TEXT, whole TEXT,
    analyser INTEGER, analysis BLOB, heard INTEGER NOT NULL DEFAULT 0, energy REAL, valence REAL
);
CREATE INDEX IF NOT EXISTS sounds_by_beginning ON sounds (beginning);
CREATE TABLE IF NOT EXISTS refusals (
    path TEXT PRIMARY KEY, kind TEXT NOT NULL, product TEXT NOT NULL, decoder TEXT NOT NULL,
    tries INTEGER NOT NULL, at_s REAL NOT NULL, waiting INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter (value INTEGER NOT NULL);
INSERT INTO counter SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM counter);
"""
_FROM_VERSION_1 = """
ALTER TABLE files RENAME TO files_1;
DROP INDEX IF EXISTS files_by_root;
DROP INDEX IF EXISTS files_by_change;
CREATE TABLE IF NOT EXISTS learned (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, energy REAL, valence REAL
) WITHOUT ROWID;
{schema}
INSERT INTO places SELECT root, path, given FROM files_1;
INSERT OR IGNORE INTO sounds (id, analyser, analysis, heard, energy, valence)
    SELECT track_id(f.path), analyser, analysis, l.path IS NOT NULL, energy, valence FROM files_1 f
    LEFT JOIN learned l ON l.path = f.path AND l.size = f.size AND l.mtime_ns = f.mtime_ns
    WHERE f.size > 0 AND header IS NOT NULL;
INSERT INTO files SELECT path, size, mtime_ns, header,
    CASE WHEN size > 0 AND header IS NOT NULL THEN track_id(path) END, reason, changed FROM files_1;
DROP TABLE files_1;
DROP TABLE IF EXISTS learned;
"""
"""Each file of the old cache keeps its measurements and the name that likes and bans know it by."""
_NAMES = frozenset(
    {
        *("files", "files_by_sound", "files_by_change", "places", "places_by_path"),
        *("sounds", "sounds_by_beginning", "counter", "refusals"),
    }
)


def connect(path: Path) -> sqlite3.Connection:
    """Open or make the database, and carry an older one over. Raises sqlite3.Error."""
    db = sqlite3.connect(path, timeout=LOCKED_S, check_same_thread=False)
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, 1, SCHEMA_VERSION):
            raise _other_version(version)
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA secure_delete = ON")  # what is removed is overwritten
        if version == 1:
            _carry_over(db)
        here = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        # only where something is missing: who only reads need not wait for another's writing
        if version == 0 or not here >= _NAMES:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(_SCHEMA)
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        db.execute("SELECT path, changed FROM files LIMIT 1").fetchone()
    except BaseException:
        db.close()
        raise
    return db


def wipe_free_pages(path: Path) -> bool:
    """Overwrite what was deleted from a database, its write-ahead log too; False while others hold it."""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=WIPE_S, isolation_level=None)) as db:
            db.execute("PRAGMA secure_delete = ON")
            db.execute("VACUUM")
            busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.DatabaseError:
        return False
    return not busy


def _carry_over(db: sqlite3.Connection) -> None:
    """Bring a cache of version 1 to this one in one step, or not at all: nothing measured is lost."""
    db.create_function("track_id", 1, track_id, deterministic=True)
    script = _FROM_VERSION_1.format(schema=_SCHEMA)
    try:
        db.executescript(f"BEGIN EXCLUSIVE; {script} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
    except sqlite3.Error:
        if db.in_transaction:
            db.rollback()
        if db.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
            return  # another process was first
        raise


def _other_version(version: int) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(f"schema version {version}")
    error.sqlite_errorcode = sqlite3.SQLITE_ERROR
    return error
