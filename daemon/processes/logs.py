"""Lines on standard error: for people or as JSON, and said once, then quietly counted."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import msgspec

from daemon.places import LOG_FILE, private_folder, working_folder
from daemon.settings import LogSettings
from player.location import printable_text

QUIET_S = 600.0
"""The same line is not said again for so long; then it is, with how often it was meant."""
MAX_REMEMBERED = 256
OURS = ("acquisition", "daemon", "inference", "models", "player")
_NUMBER = re.compile(r"0x[0-9a-f]+|[0-9]+")


class OnceThenQuiet(logging.Filter):
    """Lets the first of equal records through, and holds the following back for ten minutes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: OrderedDict[tuple[str, int, str], tuple[float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is said now."""
        key = (record.name, record.levelno, _alike(record)[:500])
        now_s = self._clock()
        said_s, held = self._said.get(key, (-QUIET_S, 0))
        if now_s - said_s < QUIET_S:
            self._said[key] = (said_s, held + 1)
            return False
        if held:
            record.msg, record.args = f"{record.getMessage()} ({held} times more in between)", None
        self._said[key] = (now_s, 0)
        self._said.move_to_end(key)
        while len(self._said) > MAX_REMEMBERED:
            self._said.popitem(last=False)
        return True


def _alike(record: logging.LogRecord) -> str:
    """What makes two lines the same. Those of others name an object or a port in each."""
    text = record.getMessage()
    return text if record.name.partition(".")[0] in OURS else _NUMBER.sub("#", text)


class _HumanLines(logging.Formatter):
    """A line, and what trace there is, without passwords and without the folders of this machine."""

    def format(self, record: logging.LogRecord) -> str:
        return printable_text(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, role, where from, and what."""
        fields = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "role": self._role,
            "logger": record.name,
            "message": printable_text(record.getMessage()),
        }
        if record.exc_info:
            fields["trace"] = printable_text(self.formatException(record.exc_info))
        return msgspec.json.encode(fields).decode()


def start_logging(role: str, wanted: LogSettings) -> None:
    """Send this process's log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    human = _HumanLines(f"{role}: %(message)s")
    handler.setFormatter(human if wanted.format == "human" else JsonFormatter(role))
    handler.addFilter(OnceThenQuiet())
    logging.basicConfig(handlers=[handler], level=wanted.level.upper(), force=True)
    logging.raiseExceptions = (
        False  # a disk that is full, a reader that is gone: no traceback for a lost line
    )


def open_log(path: Path, *, anew: bool = False) -> TextIO:
    """Where lines go while the terminal is drawn on: there, else in a working folder, else nowhere."""
    working = working_folder()
    for file in (path, None if working is None else working / LOG_FILE):
        if file is not None:
            with contextlib.suppress(OSError):
                private_folder(file.parent)
                if anew:
                    file.write_text("")
                return file.open("a", encoding="utf-8")
    return Path(os.devnull).open("a", encoding="utf-8")


def in_format(role: str, wanted: LogSettings, text: str) -> str:
    """A line that did not come from a logger, in the form wanted; JSON lines of others are left alone."""
    if wanted.format == "human" or text.startswith("{"):
        return text
    fields = {"at": datetime.now(UTC), "level": "warning", "role": role, "logger": "", "message": text}
    return msgspec.json.encode(fields).decode()
