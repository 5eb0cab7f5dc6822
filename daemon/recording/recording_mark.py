"""What a recording tells the next life of the engine: that it goes on, or that a person ended it."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from acquisition.recording.consent import Consent, read_consent
from daemon.settings import Settings
from daemon.wearers.wearer import wearer_of

MAX_BYTES = 4096

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Earlier:
    """The recording of an earlier life. ``consent`` None: a person ended it, or took the consent back.

    ``stem`` is the name, without suffix, under which the session's files are numbered.
    """

    stem: str
    consent: Consent | None


class RecordingMark:
    """A small private file beside the recordings. It is of use while one supervisor runs, and no longer."""

    def __init__(self, settings: Settings) -> None:
        self._folder = wearer_of(settings).recordings
        self._path = self._folder / f"{settings.node}.under-way.json"

    def begun(self, stem: str, recording: Path) -> None:
        """This file is being written."""
        self._write({"stem": stem, "file": recording.name})

    def ended(self) -> None:
        """A person wanted no more of it."""
        self._write({"stem": "", "file": ""})

    def drop(self) -> None:
        """A new session knows nothing of the one before."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s: %s", self._path, error.strerror or error)

    def earlier(self) -> Earlier | None:
        """What an earlier life of this session left; None where it recorded nothing.

        The consent is the one that lies beside the newest file: who deletes that has taken it back.
        """
        try:
            with self._path.open("rb") as file:
                words = json.loads(file.read(MAX_BYTES))
            stem, name = str(words["stem"]), str(words["file"])
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        plain = all(Path(part).name == part for part in (stem, name))  # both empty where it was ended
        return Earlier(stem, read_consent(self._folder / name) if plain and stem and name else None)

    def _write(self, words: dict[str, str]) -> None:
        fresh = self._path.with_suffix(".new")
        try:
            handle = os.open(
                fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
            )
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(words, file)
            fresh.replace(self._path)
        except OSError as error:
            log.warning("an engine that dies will not go on with the recording: %s", error.strerror or error)
