"""The music library: tracks at once from the cache, kept in step with the folders by a second process."""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from player.library.music_folder import (
    PLAYLIST_SUFFIXES,
    RefusedFile,
    distinct_roots,
    is_source,
)
from player.library.playlist_reading import address_with_login
from player.library.scan_process import POLL_S, ScanEvent, ScanProcess
from player.library.sources.servers.source_opening import open_source
from player.library.store.refusals import Refusal, Versions, sentence
from player.library.store.rows import FileRow
from player.library.store.track_cache import TrackCache
from player.library.track_building import build_tracks, first_of_each
from player.library.track_opening import PlayedTracks
from player.location import openable
from player.music import Track

log = logging.getLogger(__name__)

CACHE_NAME = "library-1.sqlite"
"""The name it has had from the beginning; its version stands in it."""
SOME_ENDINGS = ".flac, .mp3, .ogg, .wav ..."
WARM_DELAY_S = 2.0
"""With a full cache the scan waits until the music has begun."""


class LibraryError(ValueError):
    """A music folder that cannot be used. The message names it and the rule."""


class EmptyLibraryError(LibraryError):
    """Nothing in the folders can be played."""


@dataclass(frozen=True, slots=True)
class LibraryProgress:
    """How far the scan has come; ``busy`` names the file being read, ``missing`` the absent folders."""

    known: int = 0
    playable: int = 0
    measured: int = 0
    refused: int = 0
    listed: bool = False
    idle: bool = False
    busy: str = ""
    missing: tuple[str, ...] = ()


class Library:
    """Tracks of some folders and playlists. Made by ``Library.open``; close it, or use it in a ``with``.

    ``tracks``, ``refused`` and ``progress`` may be read from any thread: each is replaced as a whole.
    ``on_change`` is called from the library's own thread.
    """

    def __init__(self, roots: Sequence[str], cache_path: Path, clock: Callable[[], float]) -> None:
        self._roots = tuple(roots)
        self._clock = clock
        self._cache = open_cache(cache_path)
        self._rows: dict[str, FileRow] = {}
        self._seen = -1
        self._missing: tuple[str, ...] = ()
        self._tracks: tuple[Track, ...] = ()
        self._refused: tuple[RefusedFile, ...] = ()
        self._progress = LibraryProgress()
        self._open: dict[str, None] = {}
        self._played = PlayedTracks()
        self._news = threading.Condition()
        self._heard_s = clock()
        self._scan = ScanProcess(
            cache_path,
            self._roots,
            on_event=self._on_scan_event,
            on_refused=self._leave_out,
            on_end=self._cache.close,
            clock=clock,
        )
        self.on_change: Callable[[], None] | None = None

    @classmethod
    def open(
        cls,
        folders: Sequence[Path],
        cache_dir: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        first_wait_s: float = 60.0,
        warm_delay_s: float = WARM_DELAY_S,
        given_up: Callable[[], bool] = lambda: False,
        more_to_come: Callable[[], bool] = lambda: False,
        may_be_empty: bool = False,
    ) -> Library:
        """Open folders and playlist files; returns at once if the cache knows tracks of them.

        The scan then begins after ``warm_delay_s``. Without a cache it waits for the first playable ones, for
        as long as the scan is at work: until it is through, or has given no sign of life for
        ``first_wait_s``, or nobody wants to wait any more (``given_up``); and while somebody else still puts
        music there (``more_to_come``). Raises LibraryError for a missing folder, and unless it
        ``may_be_empty`` EmptyLibraryError if nothing can be played.
        """
        if not folders:
            raise LibraryError("no music folder was given")
        for folder in folders:
            check_root(folder)
        library = cls(distinct_roots(folders), cache_dir / CACHE_NAME, clock)
        try:
            library._take_over(library._cache.all_rows(library._roots))
        except OSError as error:
            library._cache.close()
            raise LibraryError(str(error)) from error
        warm = bool(library._tracks)
        library._scan.start(warm_delay_s if warm else 0.0)
        if not warm and not library._wait_for_tracks(first_wait_s, given_up, more_to_come):
            if not may_be_empty:
                library.close()
                raise EmptyLibraryError(library._nothing_to_play())
            log.warning("%s", library._nothing_to_play())
        return library

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Everything playable now; a folder that has vanished takes its tracks along until it returns."""
        return self._tracks

    @property
    def refused(self) -> tuple[RefusedFile, ...]:
        """What looks like music and is not played, with reasons."""
        return self._refused

    @property
    def progress(self) -> LibraryProgress:
        """How far the scan has come."""
        return self._progress

    @property
    def missing(self) -> tuple[str, ...]:
        """Folders that are not there now."""
        return self._missing

    def open_file(self, location: str) -> IO[bytes]:
        """Open a track for reading, following no link out of its folder. Raises OSError."""
        row = self._rows.get(location)
        if row is None:
            raise FileNotFoundError(errno.ENOENT, "is not in the library", location)
        return self._played.open(row.root, location)

    def address_of(self, location: str) -> str:
        """A stream's address with the user and password that its playlist has for it, if any."""
        row = self._rows.get(location)
        if row is None or row.header is None or not row.header.login_in:
            return location
        return openable(address_with_login(location, row.header.login_in))

    def like(self, track_id: str, liked: bool) -> None:
        """Tell the server that a track is of, if it is of one that wants to know; returns at once."""
        location = next((track.location for track in self._tracks if track.id == track_id), None)
        row = None if location is None else self._rows.get(location)
        if row is not None and is_source(row.root):
            threading.Thread(target=_like, args=(row, liked), name="liking", daemon=True).start()

    def rescan(self) -> None:
        """Look at the folders again, now."""
        self._progress = replace(self._progress, listed=False, idle=False)
        self._scan.rescan()

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until everything is listed and measured; False if that took longer."""
        return self._wait(lambda: self._progress.idle, timeout_s)

    def close(self) -> None:
        """Stop the scan within a few seconds; the cache is closed with it. Safe to call twice."""
        self._scan.stop()
        self._played.close()

    def _wait_for_tracks(
        self, patience_s: float, given_up: Callable[[], bool], more_to_come: Callable[[], bool]
    ) -> bool:
        """Wait while the scan is at work: a machine busy with other things may need minutes for it."""
        asked_s = self._clock()
        told, coming = False, more_to_come()
        with self._news:
            while not (self._tracks or (self._progress.idle and not coming) or given_up()):
                if coming and not more_to_come():
                    coming = False
                    self.rescan()  # what came last may not have been seen
                # a file that takes too long is given up by the scan itself
                quiet_s = self._clock() - self._heard_s
                if quiet_s > patience_s and not self._progress.busy and not coming:
                    break
                if not told and self._clock() - asked_s > patience_s:
                    told = True
                    log.warning(
                        "%s is still being read: music begins with the first track", ", ".join(self._roots)
                    )
                self._news.wait(POLL_S)
        return bool(self._tracks)

    def _wait(self, done: Callable[[], bool], timeout_s: float) -> bool:
        deadline_s = self._clock() + timeout_s
        with self._news:
            while not done() and self._clock() < deadline_s:
                self._news.wait(POLL_S)
        return done()

    def _on_scan_event(self, event: ScanEvent) -> None:
        self._heard_s = self._clock()
        if event.kind in ("busy", "done"):
            self._open.pop(event.path, None)
            if event.kind == "busy" and event.path:
                self._open[event.path] = None
            self._progress = replace(self._progress, busy=next(reversed(self._open), ""))
            return
        if event.kind == "warning":
            log.warning("%s", event.text)
            return
        self._missing = event.missing
        self._reload(everything=event.removed)
        self._progress = replace(
            self._progress,
            listed=self._progress.listed or event.kind in ("listed", "idle"),
            idle=event.kind == "idle",
        )
        with self._news:
            self._news.notify_all()
        if self.on_change is not None:
            self.on_change()

    def _leave_out(self, path: str, why: Refusal) -> None:
        root = next((root for root in self._roots if path.startswith(root)), self._roots[0])
        self._cache.refuse(root, [(path, why)], Versions.here(), time.time())
        log.warning("%s: %s", path, sentence(why.kind, why.detail))

    def _reload(self, *, everything: bool) -> None:
        """Take over what changed in the cache and make the tracks anew."""
        if everything:
            self._rows, self._seen = {}, -1
        fresh = list(self._cache.rows(self._roots, self._seen))
        for row in fresh:
            if row.kind == "fault" and row.reason is None and row.analysis is None:
                log.info("%s is played without having been measured", row.path)
        self._take_over(fresh)

    def _take_over(self, fresh: Iterable[FileRow]) -> None:
        for row in fresh:
            self._rows[row.path] = row
            self._seen = max(self._seen, row.changed)
        here = [row for _, row in sorted(self._rows.items()) if row.root not in self._missing]
        self._tracks = build_tracks(here)
        self._refused = tuple(refused_files(here))
        self._progress = replace(
            self._progress,
            known=len(self._rows),
            playable=len(self._tracks),
            measured=sum(row.analysis is not None and row.analysis.whole for row in here),
            refused=len(self._refused),
            missing=self._missing,
        )

    def _nothing_to_play(self) -> str:
        where = ", ".join(self._roots)
        if not self._progress.listed:
            died = f" (the scan {self._scan.last_words})" if self._scan.last_words else ""
            return f"no playable music in {where} yet: it is still being read; try again in a minute{died}"
        if not self._refused:
            return (
                f"no playable music in {where}: nothing there is a stream or ends like music ({SOME_ENDINGS})"
            )
        first = self._refused[0]
        return (
            f"no playable music in {where}: {len(self._refused)} refused, "
            f"the first is {Path(first.path).name!r}: {first.reason}"
        )


def _like(row: FileRow, liked: bool) -> None:
    try:
        open_source(row.root).like(row.path, liked)
    except (OSError, ValueError) as error:
        log.warning("%s: what is liked could not be told (%s)", row.root, error)


def refused_files(rows: Sequence[FileRow]) -> list[RefusedFile]:
    """What is not played, with reasons; a copy of what is played among it."""
    _, copies = first_of_each(rows)
    refused = {row.path: sentence(row.kind, row.reason) for row in rows if row.reason is not None}
    refused |= {copy.path: f"is a copy of {Path(kept.path).name!r}, which is played" for copy, kept in copies}
    return [RefusedFile(path, reason) for path, reason in sorted(refused.items())]


def open_cache(path: Path) -> TrackCache:
    """The cache. Raises LibraryError where it cannot be used now."""
    try:
        return TrackCache(path)
    except OSError as error:
        raise LibraryError(str(error)) from error


def check_root(folder: Path) -> None:
    """Raises LibraryError unless it is a folder that can be listed or a playlist file."""
    if folder.is_file() and is_source(folder):
        _check_source(folder)
    elif folder.is_file():
        if folder.suffix.lower() not in PLAYLIST_SUFFIXES:
            known = ", ".join(sorted(PLAYLIST_SUFFIXES))
            raise LibraryError(f"{folder}: is a file; give a folder or a playlist ({known})")
    elif not folder.is_dir():
        raise LibraryError(f"{folder}: there is no such music folder")
    elif not os.access(folder, os.R_OK | os.X_OK):
        raise LibraryError(f"{folder}: the music folder may not be read")


def _check_source(file: Path) -> None:
    try:
        open_source(file)
    except (OSError, ValueError) as error:
        raise LibraryError(str(error)) from None
