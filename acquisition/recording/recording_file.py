"""A file that only grows: batches sealed with a checksum, written by a thread of its own twice a second.

Whatever happens to the process, what was flushed is whole; whatever happens to the disk, the caller goes on.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from acquisition.recording.encryption import Sealer
from acquisition.recording.xdf_format import MAGIC, sealed

FLUSH_S = 0.4
"""So often what waits is written and put to disk: well under the second that may be lost."""
RETRY_S = 2.0
MAX_WAITING_BYTES = 8 * 1024 * 1024
"""What waits while the disk takes nothing; beyond it the recording stops."""
PART = ".part"


Happened = Literal["paused", "resumed", "stopped", "deleted", "not_closed"]


@dataclass(frozen=True, slots=True)
class RecordingNews:
    """What became of the file of this name; ``reason`` is the system's word for it, if it has one."""

    happened: Happened
    name: str
    reason: str = ""


OnNews = Callable[[RecordingNews], None]


class RecordingStartError(OSError):
    """The recording cannot begin: the folder or disk does not take it."""


class RecordingFile:
    """``path`` with ``.part`` behind it while it grows; the bare name once it is closed.

    ``append`` never blocks and never raises. ``on_news`` is told, in the writing thread, that it is
    paused (a full disk: what comes meanwhile waits, up to a bound), goes on, or has stopped. A file that
    somebody deletes stops growing: that is how consent is withdrawn. What a ``sealer`` wrote opens with its
    key only.
    """

    def __init__(
        self,
        path: Path,
        first: bytes,
        *,
        on_news: OnNews,
        flush_s: float = FLUSH_S,
        sealer: Sealer | None = None,
    ) -> None:
        self._sealer, self._batches = sealer, 0
        self.path, self._part = path, path.with_name(path.name + PART)
        self._on_news, self._flush_s = on_news, flush_s
        self._lock = threading.Lock()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._wake, self._closing = threading.Event(), False
        self._written = 0
        self._stopped = self.paused = False
        # what mends old recordings takes every part that is not locked: it must not see this one before
        unseen = path.with_name(f"{path.stem}-{uuid.uuid4().hex[:8]}.beginning")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            self._fd = os.open(unseen, flags, 0o600)
        except OSError as error:
            raise RecordingStartError(f"{path}: the recording cannot begin: {error}") from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._write(MAGIC + sealed(first), sealer.head if sealer else b"")
            if self._part.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(self._part))
            unseen.rename(self._part)
        except OSError as error:
            unseen.unlink(missing_ok=True)
            os.close(self._fd)
            raise RecordingStartError(f"{path}: the recording cannot begin: {error}") from error
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    @property
    def active(self) -> bool:
        """Whether what is appended still reaches the disk, or may."""
        return not self._stopped and not self._closing

    def append(self, chunks: bytes) -> None:
        """Take chunks for the next batch."""
        if not self.active:
            return
        with self._lock:
            self._waiting.append(chunks)
            self._waiting_bytes += len(chunks)

    def close(self, last: bytes) -> Path | None:
        """Write what waits and ``last``, and give the file its name. None when it had stopped before."""
        if self.active:
            self.append(last)
        self._closing = True
        self._wake.set()
        self._thread.join()
        finished = not self._stopped
        if finished:
            try:
                self._part.rename(self.path)
                _sync_folder(self.path.parent)
            except OSError as error:
                self._stop("not_closed", error)
                finished = False
        os.close(self._fd)
        return self.path if finished else None

    def _run(self) -> None:
        retry_s, due_s = 0.0, time.monotonic() + self._flush_s
        while not self._closing:
            # counted from batch to batch: what a slow disk takes to sync is not added to what may be lost
            self._wake.wait(max(0.0, due_s - time.monotonic()))
            due_s = time.monotonic() + self._flush_s
            if time.monotonic() < retry_s and not self._closing:
                continue
            error = self._flush()
            if self._stopped:
                return
            if error is not None:
                retry_s = time.monotonic() + RETRY_S
        error = self._flush()
        if error is not None and not self._stopped:
            self._stop("stopped", error)

    def _flush(self) -> OSError | None:
        """Write one batch. An error is returned while there is room to wait for a better disk."""
        if os.fstat(self._fd).st_nlink == 0:
            self._stop("deleted")
            return None
        with self._lock:
            batch = b"".join(self._waiting)
            self._waiting.clear()
            self._waiting_bytes = 0
        if not batch:
            return None
        try:
            self._write(sealed(batch))
        except OSError as error:
            self._put_back(batch)
            self._pause(error)
            return error
        if self.paused:
            self.paused = False
            self._report("resumed")
        return None

    def _pause(self, error: OSError) -> None:
        if self._waiting_bytes > MAX_WAITING_BYTES:
            self._stop("stopped", error)
        elif not self.paused:
            self.paused = True
            self._report("paused", error)

    def _put_back(self, batch: bytes) -> None:
        with self._lock:
            self._waiting.appendleft(batch)
            self._waiting_bytes += len(batch)

    def _write(self, batch: bytes, head: bytes = b"") -> None:
        """All of it or nothing: what a full disk took of a batch is cut off again."""
        data = head + (batch if self._sealer is None else self._sealer.seal(batch, self._batches))
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
            os.fdatasync(self._fd)
        except OSError:
            os.ftruncate(self._fd, self._written)
            raise
        self._written += len(data)
        self._batches += 1

    def _stop(self, how: Happened, error: OSError | None = None) -> None:
        self._stopped = True
        with self._lock:
            self._waiting.clear()
            self._waiting_bytes = 0
        self._report(how, error)

    def _report(self, happened: Happened, error: OSError | None = None) -> None:
        reason = "" if error is None else error.strerror or str(error)
        self._on_news(RecordingNews(happened, self.path.name, reason))


def _sync_folder(folder: Path) -> None:
    """So that the new name is on the disk as well."""
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
