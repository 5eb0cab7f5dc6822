"""Keeps each session as one file of JSON lines: bounded in size and number, private to the user."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from daemon.mqtt import commands, documents
from daemon.safe_text import shown
from daemon.web.state import session_records as records

MAX_FILE_BYTES = 8 * 1024 * 1024
MAX_FILES = 60
MAX_LABELS = 500
MOOD_EVERY_S = 1.0
QUALITY_EVERY_S = 5.0
FLUSH_EVERY_S = 2.0
PATIENCE_S = 30.0
"""So long the first records wait for the engine to say when the session began: its file is named by that."""
MAX_PENDING = 500
EVENING_S = 600.0
"""An engine that died and is back within so long goes on with the same session."""
_NAME = re.compile(r"\d{8}T\d{6}Z(-\d{1,2})?")

log = logging.getLogger(__name__)


class SessionLog:
    """Hears documents and writes what the history needs. A full disk costs the log, never the page.

    ``wall`` gives the present time in UTC. Close it at the end.
    """

    def __init__(self, folder: Path, node: str, wall: Callable[[], datetime]) -> None:
        self.folder, self._node, self._wall = folder, node, wall
        self._file: BinaryIO | None = None
        self._pending: deque[records.Record] = deque(maxlen=MAX_PENDING)
        self.name: str | None = None
        self.labels: list[float] = []
        """Valence of the words said in this session, at most ``MAX_LABELS``."""
        self._started: datetime | None = None
        self._active = False
        self._died_at_s = -EVENING_S
        self._bytes = 0
        self._full = False
        self._failed = False
        self._keeps = True
        self._simulated = self._replayed = False
        self._last_s: dict[str, float] = {}
        self._said: dict[str, object] = {}
        self._flushed_s = 0.0

    def forget_wearer(self) -> None:
        """The wearer is to be forgotten: write no more."""
        self.close()
        self._keeps, self.name = False, None
        self._pending.clear()
        self.labels.clear()

    def on_document(self, _topic: str, document: documents.Document) -> None:
        """Take note of a document."""
        if isinstance(document, documents.Session):
            self._on_session(document)
        record = self._record(document)
        if record is not None:
            self._write(record, document)

    def on_label(self, label: commands.LabelCommand) -> None:
        """Take note of the wearer's own word."""
        if label.valence is not None and len(self.labels) < MAX_LABELS:
            self.labels.append(label.valence)
        self._write(records.LabelRecord(t=self._now_s(), a=label.arousal, v=label.valence), None)

    def flush(self) -> None:
        """Write what waits, so that a reader sees it."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.flush()

    def close(self) -> None:
        """Write what is left."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def on_availability(self, role: str, online: bool) -> None:
        """The engine died in the middle of a session: what it says when it is back is the same evening."""
        if role == "engine" and not online and self._active:
            self._died_at_s = self._now_s()

    def _on_session(self, session: documents.Session) -> None:
        if session.started is not None and session.started != self._started:
            goes_on = self._file is not None and 0 <= self._now_s() - self._died_at_s < EVENING_S
            if self._file is not None and not goes_on:
                self.close()
                self.labels.clear()
                self._said.clear()
                self._last_s.clear()
                self._simulated, self._replayed = session.simulated, session.replayed
            self._started, self._died_at_s = session.started, -EVENING_S
        self._active = session.active

    def _record(self, document: documents.Document) -> records.Record | None:
        now_s = self._now_s()
        match document:
            case documents.Emotion():
                return self._mood(document, now_s)
            case documents.Signal():
                if not self._due("quality", now_s, QUALITY_EVERY_S, document.worn):
                    return None
                return records.QualityRecord(t=now_s, q=round(document.overall, 3), worn=document.worn)
            case documents.Headset():
                if not self._news("headset", document.state):
                    return None
                return records.HeadsetRecord(t=now_s, state=document.state)
            case documents.PlayerState():
                return self._track(document.track, now_s)
            case documents.Decision():
                title, why = shown(document.chosen.title), shown(document.why, 390)
                because = documents.Chosen(
                    kind=document.kind,
                    why="",
                    reason=document.reason,
                    policy=document.policy,
                    aim_valence=document.aim_valence,
                    aim_arousal=document.aim_arousal,
                )
                return records.DecisionRecord(
                    t=now_s, kind=document.kind, title=title, why=why, because=because
                )
        return None

    def _mood(self, emotion: documents.Emotion, now_s: float) -> records.Record | None:
        claimed = emotion.status == "ok"
        if not self._due("mood", now_s, MOOD_EVERY_S, (emotion.status, emotion.emotion)):
            return None
        return records.MoodRecord(
            t=now_s,
            e=emotion.emotion,
            s=emotion.status,
            a=round(emotion.arousal, 4) if claimed and emotion.arousal is not None else None,
            v=round(emotion.valence, 4) if claimed and emotion.valence is not None else None,
            c=round(emotion.confidence, 3),
        )

    def _track(self, track: documents.TrackInfo | None, now_s: float) -> records.Record | None:
        if track is None or not self._news("track", track.id):
            return None
        return records.TrackRecord(
            t=now_s,
            id=track.id,
            title=shown(track.title),
            artist=shown(track.artist, 80),
            a=track.mood.arousal,
            v=track.mood.valence,
        )

    def _due(self, what: str, now_s: float, every_s: float, state: object) -> bool:
        """On change, or once so long has passed."""
        news = self._news(what, state)
        if not news and 0 <= now_s - self._last_s.get(what, -1e12) < every_s:
            return False
        self._last_s[what] = now_s
        return True

    def _news(self, what: str, value: object) -> bool:
        if self._said.get(what) == value:
            return False
        self._said[what] = value
        return True

    def _now_s(self) -> float:
        return round(self._wall().timestamp(), 3)

    def _write(self, record: records.Record, document: documents.Document | None) -> None:
        self._simulated |= document is not None and document.simulated
        self._replayed |= document is not None and document.replayed
        if not self._keeps:
            return
        if self._file is None:
            self._pending.append(record)
            if self._started is None and 0 <= record.t - self._pending[0].t < PATIENCE_S:
                return
        try:
            if self._file is None:
                if not self._open():
                    return
                while self._pending:
                    self._append(self._pending.popleft())
            else:
                self._append(record)
            self._failed = False
        except OSError as error:
            if not self._failed:
                log.warning("the history cannot be written: %s", error.strerror or error)
            self._failed = True
            self.close()

    def _append(self, record: records.Record) -> None:
        if self._file is None or self._full:
            return
        text = records.line(record)
        if self._bytes + len(text) > MAX_FILE_BYTES:
            self._full = True
            text = records.line(records.EndRecord(t=record.t, reason="full"))
        self._file.write(text)
        self._bytes += len(text)
        if self._full or not 0 <= record.t - self._flushed_s < FLUSH_EVERY_S:
            self._file.flush()
            self._flushed_s = record.t

    def _open(self) -> bool:
        """The file of the session, named by its start; a page that was started again goes on in it.

        A file that another page holds is left to it. False when all names of the session are held.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        started = (self._started or self._wall()).astimezone(UTC)
        stem = f"{started:%Y%m%dT%H%M%SZ}"
        for name in (stem, *(f"{stem}-{number}" for number in range(2, 100))):
            file = _held(self.folder / f"{name}.jsonl")
            if file is None:
                continue
            self._file = file
            self.name, self._bytes = name, file.seek(0, os.SEEK_END)
            self._full = self._bytes >= MAX_FILE_BYTES
            if self._bytes:
                file.write(b"\n")  # the last line of a page that was killed may be torn
            else:
                self._append(self._start())
            self._drop_oldest()
            return True
        return False

    def _start(self) -> records.StartRecord:
        return records.StartRecord(
            t=self._now_s(), node=self._node, simulated=self._simulated, replayed=self._replayed
        )

    def _drop_oldest(self) -> None:
        for name in session_names(self.folder)[MAX_FILES:]:
            if name != self.name:
                (self.folder / f"{name}.jsonl").unlink(missing_ok=True)

    def forget(self, name: str) -> bool:
        """Delete a kept session; not the one that is being written. False if there is no such file."""
        if name == self.name or name not in session_names(self.folder):
            return False
        (self.folder / f"{name}.jsonl").unlink(missing_ok=True)
        return True


def _held(path: Path) -> BinaryIO | None:
    """The file open for appending, for its owner only, or None while another process writes it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(path, flags, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return os.fdopen(handle, "ab")


def session_names(folder: Path) -> list[str]:
    """Names of the kept sessions, the newest first. Files of another form are left alone."""
    if not folder.is_dir():
        return []
    stems = (path.stem for path in folder.glob("*.jsonl"))
    return sorted((stem for stem in stems if _NAME.fullmatch(stem)), reverse=True)


def start_of(folder: Path, name: str) -> records.StartRecord | None:
    """How a kept session began; None where that cannot be read."""
    try:
        handle = os.open(folder / f"{name}.jsonl", os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        first = next(records.read([file.readline(records.MAX_LINE_BYTES)]), None)
    return first if isinstance(first, records.StartRecord) else None


def read_session(folder: Path, name: str) -> list[records.AnyRecord]:
    """The records of a kept session; none for a name that is not one of ``session_names``."""
    if _NAME.fullmatch(name) is None:
        return []
    try:
        handle = os.open(folder / f"{name}.jsonl", os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return []
    with os.fdopen(handle, "rb") as file:
        return list(records.read(file.read(2 * MAX_FILE_BYTES).splitlines()))
