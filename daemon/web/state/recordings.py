"""The recordings of this machine: what there is, who agreed to it and when, and how it is deleted."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from acquisition.recording.consent import consent_path, read_consent
from acquisition.recording.recording_file import PART
from player.location import quoted

SUFFIX = ".xdf"
MAX_LISTED = 200
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}Z)-[a-z0-9_-]{1,80}")


@dataclass(frozen=True, slots=True)
class RecordedSession:
    """One recorded session. ``growing``: it is being written now; no ``consent_given``: none is beside it."""

    name: str
    started: datetime
    length_s: float
    size_bytes: int
    growing: bool
    consent_given: str | None
    consent_how: str
    consent_scope: tuple[str, ...]
    simulated: bool


class Recordings:
    """Looks into the folder each time it is asked: recordings come and go by other hands too."""

    def __init__(self, folder: Path, wall: Callable[[], datetime]) -> None:
        self._folder, self._wall = folder, wall

    def all(self) -> list[RecordedSession]:
        """The newest first, at most 200. Files of another name are not ours and are left alone."""
        if not self._folder.is_dir():
            return []
        found = {path.name.removesuffix(PART).removesuffix(SUFFIX) for path in self._folder.iterdir()}
        names = sorted((name for name in found if _NAME.fullmatch(name)), reverse=True)
        listed = (self._look(name) for name in names[:MAX_LISTED])
        return [recording for recording in listed if recording is not None]

    def forget(self, name: str) -> list[str]:
        """Delete a recording with its consent; a growing one stops by that. Returns what was deleted.

        Raises ``OSError`` when something could not be deleted, ``LookupError`` for a name that is none.
        """
        if _NAME.fullmatch(name) is None or self._look(name) is None:
            raise LookupError(f"there is no recording {quoted(name)}")
        recording = self._folder / f"{name}{SUFFIX}"
        deleted = []
        beside = (recording.with_name(recording.name + PART), consent_path(recording), self._decisions(name))
        for path in (recording, *beside):
            if path.is_file() and not path.is_symlink():
                path.unlink()
                deleted.append(path.name)
        return deleted

    def _decisions(self, name: str) -> Path:
        return self._folder / f"{name}.decisions.jsonl"

    def _look(self, name: str) -> RecordedSession | None:
        match = _NAME.fullmatch(name)
        finished = self._folder / f"{name}{SUFFIX}"
        growing = finished.with_name(finished.name + PART)
        path = next((p for p in (finished, growing) if p.is_file() and not p.is_symlink()), None)
        if match is None or path is None:
            return None
        try:
            started = datetime.strptime(f"{match[1]}+0000", "%Y-%m-%dT%H-%M-%SZ%z")
            facts = path.stat()
        except (ValueError, OSError):
            return None
        consent = read_consent(finished)
        return RecordedSession(
            name=name,
            started=started,
            length_s=max(0.0, facts.st_mtime - started.timestamp()),
            size_bytes=facts.st_size,
            growing=path == growing,
            consent_given=str(consent.given_at)[:40] if consent else None,
            consent_how=str(consent.how)[:200] if consent else "",
            consent_scope=tuple(str(part)[:60] for part in consent.scope[:12]) if consent else (),
            simulated=consent is not None and consent.simulated is True,
        )


def size_words(size_bytes: int) -> str:
    """``12.3 MB``; decimal, as disks are sold."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes} B"
