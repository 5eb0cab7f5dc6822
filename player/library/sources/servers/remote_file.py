"""A file on a server as if it lay here: read from any place, fetched ahead of the reader where asked."""

from __future__ import annotations

import contextlib
import http.client
import io
import tempfile
import threading
import time
from collections.abc import Callable

from player.library.sources.servers.source_errors import MusicServerError
from player.library.sources.servers.web_requests import words_of

BLOCK_BYTES = 1 << 17
MAX_BYTES = 1 << 30
TRIES = 3
AHEAD_PAUSE_S = 2.0
"""A server that has gone is asked again so often while there is still something to play."""
AHEAD_PATIENCE_S = 180.0

Get = Callable[[int | None], http.client.HTTPResponse]
"""Asks for the bytes from one place on, or for all of them. Raises MusicServerError."""


class RemoteBytes:
    """What has come of one file, in a file of its own that nobody else sees; held by those who read it.

    A server that cannot give a part gives all of it, from the beginning.
    """

    def __init__(self, get: Get, *, ahead: bool = False) -> None:
        """With ``ahead`` a thread fetches all of it. Raises MusicServerError where nothing comes."""
        self._get = get
        self._lock = threading.RLock()
        self._held = tempfile.TemporaryFile()  # noqa: SIM115 - open until the last reader goes
        self._have: set[int] = set()
        self._answer: http.client.HTTPResponse | None = None
        self._next_block = 0
        self._size: int | None = None
        self._ranges = True
        self._readers = 1
        try:
            self._begin(0)
        except MusicServerError:
            self.release()
            raise
        if ahead:
            threading.Thread(target=self._fetch_ahead, name="fetching", daemon=True).start()

    def hold(self) -> bool:
        """One reader more; False when it was let go already."""
        with self._lock:
            self._readers += self._readers > 0
            return self._readers > 0

    def release(self) -> None:
        """One reader less; after the last everything is let go."""
        with self._lock:
            self._readers -= 1
            if not self._readers:
                self._hang_up()
                self._held.close()

    def _begin(self, block: int) -> None:
        """Ask anew, from this block on where the server can do that."""
        self._hang_up()
        answer = self._get(block * BLOCK_BYTES if self._ranges else None)
        self._ranges = answer.status == http.client.PARTIAL_CONTENT
        self._answer, self._next_block = answer, block if self._ranges else 0
        if self._size is None:
            length = answer.headers.get("Content-Length", "")
            if length.isdecimal() and len(length) < 16:
                self._size = int(length) + self._next_block * BLOCK_BYTES
                if self._size > MAX_BYTES:
                    raise MusicServerError(f"the server's file is larger than {MAX_BYTES >> 30} GiB")

    def _fetch(self, block: int) -> None:
        """Have this block. Raises MusicServerError."""
        for attempt in range(TRIES):
            try:
                if self._answer is None or (self._ranges and self._next_block != block):
                    self._begin(block)
                while block not in self._have and not self._is_behind(block):
                    self._read_block()
                return
            except (OSError, http.client.HTTPException) as error:
                self._hang_up()
                if attempt == TRIES - 1:
                    raise MusicServerError(words_of(error)) from None

    def _is_behind(self, block: int) -> bool:
        return self._size is not None and block * BLOCK_BYTES >= self._size

    def _read_block(self) -> None:
        answer, block = self._answer, self._next_block
        if answer is None:
            raise MusicServerError("the server has hung up")
        first = block * BLOCK_BYTES
        wanted = BLOCK_BYTES if self._size is None else min(BLOCK_BYTES, self._size - first)
        data = answer.read(wanted)
        if len(data) < wanted and self._size is not None:
            raise MusicServerError(f"the server ended after {first + len(data)} of {self._size} bytes")
        if len(data) < wanted:
            self._size = first + len(data)
        elif first > MAX_BYTES:
            raise MusicServerError(f"the server's file is larger than {MAX_BYTES >> 30} GiB")
        self._held.seek(first)
        self._held.write(data)
        self._have.add(block)
        self._next_block = block + 1

    def _fetch_ahead(self) -> None:
        """Everything, block by block; a server that is away is waited for."""
        block, failed_s = 0, 0.0
        while True:
            try:
                with self._lock:
                    if not self._readers or self._is_behind(block):
                        return
                    self._fetch(block)
                block, failed_s = block + 1, 0.0
            except MusicServerError:
                if failed_s > AHEAD_PATIENCE_S:
                    return
                time.sleep(AHEAD_PAUSE_S)
                failed_s += AHEAD_PAUSE_S

    def size(self) -> int:
        """In bytes; where nobody said it, all is fetched first. Raises MusicServerError."""
        with self._lock:
            block = 0
            while self._size is None:
                self._fetch(block)
                block += 1
            return self._size

    def piece(self, at: int, size: int) -> bytes:
        """Some bytes from a place on, ``size`` at most (all there are where negative); none at the end.

        Raises MusicServerError.
        """
        with self._lock:
            block = at // BLOCK_BYTES
            if block not in self._have:
                self._fetch(block)
            left = (block + 1) * BLOCK_BYTES - at
            if self._size is not None:
                left = max(0, min(left, self._size - at))
            self._held.seek(at)
            return self._held.read(left if size < 0 else min(size, left))

    def _hang_up(self) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            with contextlib.suppress(OSError):
                answer.close()


class RemoteFile(io.RawIOBase):
    """One reader of it, with a place of its own. Raises MusicServerError from ``read`` and ``seek``."""

    def __init__(self, content: RemoteBytes) -> None:
        """Takes over one hold on the content."""
        super().__init__()
        self._content = content
        self._at = 0

    def again(self) -> RemoteFile | None:
        """Another reader of the same, from its beginning; None where it was let go."""
        return RemoteFile(self._content) if self._content.hold() else None

    def readable(self) -> bool:
        """It is for reading alone."""
        return True

    def seekable(self) -> bool:
        """To any place."""
        return True

    def tell(self) -> int:
        """The place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; from the end of one whose length nobody said all of it is fetched first."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at}.get(whence)
        self._at = max(0, offset + (self._content.size() if base is None else base))
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes; fewer only at the end."""
        pieces = []
        while size:
            piece = self._content.piece(self._at, size)
            if not piece:
                break
            pieces.append(piece)
            self._at += len(piece)
            size -= len(piece) if size > 0 else 0
        return b"".join(pieces)

    def readall(self) -> bytes:
        """All that is left."""
        return self.read(-1)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """As ``read``."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Let go of it."""
        if not self.closed:
            super().close()
            self._content.release()
