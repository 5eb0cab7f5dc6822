"""Opens a track wherever its root is: under a folder, or on a server."""

from __future__ import annotations

import threading
from typing import IO, cast

from player.library.music_folder import folder_of, is_source, open_under
from player.library.sources.servers.remote_file import RemoteFile
from player.library.sources.servers.source_opening import open_source

KEPT = 4
"""So many tracks of servers stay fetched: what sounds, what comes next, and two that may be gone back to."""


def open_in(root: str, location: str) -> IO[bytes]:
    """A track, to be read now. Raises OSError."""
    if not is_source(root):
        return open_under(folder_of(root), location)
    return cast("IO[bytes]", _opened(root, location, ahead=False))


class PlayedTracks:
    """Opens what is played: of a server all is fetched ahead, and is still there when it is gone back to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, RemoteFile] = {}

    def open(self, root: str, location: str) -> IO[bytes]:
        """Raises OSError."""
        if not is_source(root):
            return open_under(folder_of(root), location)
        with self._lock:
            kept = self._kept.pop(location, None)
            again = None if kept is None else kept.again()
            if kept is not None and again is not None:
                self._kept[location] = kept
                return cast("IO[bytes]", again)
        opened = _opened(root, location, ahead=True)
        again = opened.again()
        if again is not None:
            self._retain(location, again)
        return cast("IO[bytes]", opened)

    def _retain(self, location: str, file: RemoteFile) -> None:
        with self._lock:
            old = [self._kept.pop(location, None)]
            self._kept[location] = file
            while len(self._kept) > KEPT:
                old.append(self._kept.pop(next(iter(self._kept))))
        for one in old:
            if one is not None:
                one.close()

    def close(self) -> None:
        """Let all of them go."""
        with self._lock:
            kept, self._kept = list(self._kept.values()), {}
        for one in kept:
            one.close()


def _opened(root: str, location: str, *, ahead: bool) -> RemoteFile:
    try:
        return open_source(root).open(location, ahead=ahead)
    except ValueError as error:  # its file is not as it should be any more
        raise OSError(str(error)) from None
