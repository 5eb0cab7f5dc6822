"""Brings the cache up to date with the folders: finds files, reads headers, measures them."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath

from player.analysis.track_measures import LearnedMood
from player.analysis.vibenet_process import VibenetError, VibenetProcess, VibenetStartError, excerpt
from player.library.music_folder import (
    AUDIO_SUFFIXES,
    PLAYLIST_SUFFIXES,
    FoundFile,
    RefusedFile,
    folder_of,
    is_source,
    suffix_of,
    walk,
)
from player.library.playlist_reading import RootContent, add_playlist
from player.library.sounds.header_reading import read_header
from player.library.sounds.measuring import Measuring
from player.library.sounds.measuring_order import spread
from player.library.sounds.sound_naming import SoundNaming
from player.library.source_reading import SourceLists
from player.library.sources.list_addresses import ListAddresses
from player.library.sources.mood_tags import SIDECAR_NAMES, MoodRules, read_rules
from player.library.sources.playlists import PlaylistError
from player.library.store.refusals import EACH_LOOK, Refusal, Versions, refusal_of
from player.library.store.rows import Header, PendingFile
from player.library.store.track_cache import TrackCache
from player.library.track_opening import open_in
from player.location import quoted, without_secrets
from player.reading.sound_reader import UnreadableAudioError

WANTED_SUFFIXES = AUDIO_SUFFIXES | PLAYLIST_SUFFIXES
BATCH = 50
SIGN_S = 1.0
"""While names are listed there is a sign of life so often: an empty path."""

Heard = Callable[[str], None]
Known = Mapping[str, tuple[int, int, str | None, str | None]]
NOTHING = (-1, 0, None, None)

log = logging.getLogger(__name__)


class Scanner:
    """Keeps a cache in step with its roots.

    ``busy`` hears the path that is about to be opened and again at each block that was decoded of it, maybe
    in another thread, and ``done`` that it was closed; an empty path is a sign of life while nothing is read.
    ``warn`` hears sentences for a person. What was refused before the session, which began at ``begun_s`` of
    the wall clock, is tried again where that may help; see ``refusals.is_due``.
    """

    def __init__(
        self,
        cache: TrackCache,
        roots: Sequence[str],
        busy: Heard,
        vibenet: VibenetProcess | None = None,
        begun_s: float | None = None,
        *,
        done: Heard = lambda path: None,
        warn: Heard = lambda words: None,
        threads: int = 1,
    ) -> None:
        self._cache = cache
        self._roots = tuple(roots)
        self._busy, self._done = busy, done
        self._vibenet = vibenet
        self._naming = SoundNaming(cache)
        self._measuring = Measuring(cache, busy, done, self._refuse, threads)
        self.addresses = ListAddresses(busy)
        self.sources = SourceLists(busy, warn)
        self._unread: list[PendingFile] = []
        self._planned = False
        self._unheard: list[PendingFile] = []
        self._versions = Versions.here()
        self._begun_s: float | None = time.time() if begun_s is None else begun_s
        self.missing: frozenset[str] = frozenset()

    def sync(self) -> bool:
        """Compare every root with the cache; True if anything was removed. A missing root keeps its rows."""
        if self._begun_s is not None:
            self._cache.try_due(self._roots, self._versions, self._begun_s, time.time())
            self._begun_s = None
        removed = False
        missing = set()
        for root in self._roots:
            try:
                content = self._content(root)
            except OSError:
                missing.add(root)
                continue
            removed |= self._store(root, content)
        self.missing = frozenset(missing)
        self._unread = spread(self._cache.without_header(self._here))
        self._planned = False
        return removed

    def due(self) -> bool:
        """True when an address of lists or a server should be asked again."""
        return self.addresses.due() or self.sources.due()

    def read_headers(self) -> int:
        """Read a batch of pending headers; returns how many were taken up, 0 when all are done."""
        batch = self._unread[:BATCH]
        del self._unread[:BATCH]
        self._planned = self._planned and not batch
        headers: dict[str, Header] = {}
        for pending in batch:
            self._busy(pending.path)
            try:
                with open_in(pending.root, pending.path) as file:
                    headers[pending.path] = read_header(file, pending.path, pending.size)
                    sound = self._naming.name_of(pending, file)
            except Exception as error:  # noqa: BLE001 - told apart below: most are the file's, some are ours
                self._done(pending.path)
                self._refuse(pending, error)
            else:
                self._done(pending.path)  # what may go wrong from here on is not the file's
                self._cache.set_sound(pending.path, *sound)
        if headers:
            self._cache.set_headers(headers)
        return len(batch)

    def measure_next(self) -> bool:
        """Measure on, until a file is done; False when all are."""
        if not self._planned:
            self._planned = True
            self._measuring.plan(self._here)
        return self._measuring.next()

    def learn_next(self) -> str | None:
        """Ask vibenet about one measured sound; returns a path of it, None when there is nothing to ask."""
        if self._vibenet is None or not self._vibenet.usable:
            return None
        if not self._unheard:
            self._unheard = spread(self._cache.without_learned(self._here))[::-1]
        if not self._unheard:
            return None
        pending = self._unheard.pop()
        mood: LearnedMood | None
        try:
            self._busy(pending.path)
            with open_in(pending.root, pending.path) as file:
                samples = excerpt(file)
            # from here on the file cannot be to blame: the other process has its own time limit
            self._done(pending.path)
            mood = self._vibenet.ask(samples)
        except VibenetStartError:
            return None
        except Exception as error:
            # tried once; the track keeps the mood of the own analysis
            self._done(pending.path)
            mood = None
            if not isinstance(error, (UnreadableAudioError, VibenetError, OSError, MemoryError)):
                log.error(
                    "asking vibenet about %s failed by a fault of this program", pending.path, exc_info=error
                )
        if pending.sound is not None:
            self._cache.set_learned(pending.sound, mood)
        return pending.path

    @property
    def _here(self) -> list[str]:
        """A folder that has vanished says nothing of its files."""
        return [root for root in self._roots if root not in self.missing]

    def _refuse(self, pending: PendingFile, error: Exception) -> None:
        why = refusal_of(error)
        if why.kind == "fault":
            log.error(
                "reading %s failed by a fault of this program, not of the file", pending.path, exc_info=error
            )
        self._cache.refuse(pending.root, [(pending.path, why)], self._versions, time.time())

    def _content(self, root: str) -> RootContent:
        content = RootContent()
        if Path(root).is_file():
            content.sidecars += [
                str(path) for path in map(Path(root).with_name, SIDECAR_NAMES) if path.is_file()
            ]
            if is_source(root):
                content.streams |= self.sources.headers(root)
                return content
            content.playlists.append(root)
            self._read_playlists(root, content)
            return content
        told_s = time.monotonic()
        for item in walk(Path(root), _wanted):
            name = item.path.rpartition(os.sep)[2]
            if time.monotonic() - told_s > SIGN_S:
                told_s = time.monotonic()
                self._busy("")
            if isinstance(item, RefusedFile):
                content.refused[item.path] = item.reason
            elif name in SIDECAR_NAMES:
                content.sidecars.append(item.path)
            elif suffix_of(name) in PLAYLIST_SUFFIXES:
                content.playlists.append(item.path)
            else:
                content.files[item.path] = item
        self._read_playlists(root, content)
        return content

    def _read_playlists(self, root: str, content: RootContent) -> None:
        for playlist in content.playlists:
            try:
                add_playlist(playlist, content, self._roots, self.addresses)
            except (PlaylistError, OSError) as error:
                content.refused[playlist] = without_secrets(str(error))

    def _store(self, root: str, content: RootContent) -> bool:
        known = self._cache.known(root)
        fresh = {
            path: file
            for path, file in content.files.items()
            if known.get(path, NOTHING)[:2] != (file.size, file.mtime_ns)
        }
        elsewhere = self._cache.known_elsewhere(fresh.keys() - known.keys())
        shared = [
            path for path, facts in elsewhere.items() if facts == (fresh[path].size, fresh[path].mtime_ns)
        ]
        if shared:
            self._cache.share(root, shared)
        if len(fresh) > len(shared):
            self._cache.add(root, [file for path, file in fresh.items() if path not in set(shared)])
        if content.streams:
            self._store_streams(root, content.streams, known)
        rules, broken = read_rules(Path(folder_of(root)), content.sidecars)
        here = content.files.keys() | content.streams.keys()
        # what could not even be opened may be allowed by now
        again = [path for path in here if path in known and known[path][2] and known[path][3] in EACH_LOOK]
        self._cache.try_again(again)
        refused = {path: why for path, why in (content.refused | dict(broken)).items() if path not in here}
        kept = here | refused.keys() | set(content.sidecars)
        gone = [path for path in known if path not in kept]
        if gone:
            self._cache.remove(root, gone)
        self._apply(root, rules)
        # a list of some files says nothing of the others beside it
        if root not in content.playlists and not is_source(root):
            refused |= {path: _unfitting(rows, path) for path, rows in rules.unfitted().items()}
        self._leave_aside(root, refused, known)
        mended = [path for path in content.sidecars if path in known and path not in refused]
        if mended:
            self._cache.remove(root, mended)
        return bool(gone or mended)

    def _leave_aside(self, root: str, refused: Mapping[str, str], known: Known) -> None:
        news = [
            (path, Refusal("left_aside", why))
            for path, why in refused.items()
            if known.get(path, NOTHING)[2] != why
        ]
        if news:
            self._cache.refuse(root, news, self._versions, time.time())

    def _store_streams(self, root: str, streams: Mapping[str, Header], known: Known) -> None:
        """Their titles and moods stand in playlists, which somebody may have changed."""
        before = self._cache.stream_headers(root)
        changed = {url: header for url, header in streams.items() if before.get(url) != header}
        if changed:
            self._cache.add(root, [FoundFile(url, 0, 0) for url in changed if url not in known])
            self._cache.set_headers(changed)
            if is_source(root):
                self._cache.name_remote(changed)

    def _apply(self, root: str, rules: MoodRules) -> None:
        before = self._cache.given(root)
        now = {path: rules.stated(path) or rules.of_folder(path) for path in before}
        by_folder = {path for path, given in now.items() if given is not None and given.source == "folder"}
        # a file's own tags are believed before the folder that it lies in
        for path in by_folder & self._cache.tagged(root) if by_folder else ():
            now[path] = rules.stated(path)
        changed = {path: given for path, given in now.items() if given != before[path]}
        if changed:
            self._cache.set_given(root, changed)


def _unfitting(rows: Sequence[str], sidecar: str) -> str:
    """What is said of the rows of a sidecar that fit nothing."""
    first = os.path.relpath(rows[0], PurePath(sidecar).parent) if "://" not in rows[0] else rows[0]
    more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    return f"no track fits the row {quoted(first)}{more}"


def _wanted(name: str) -> bool:
    return suffix_of(name) in WANTED_SUFFIXES or name in SIDECAR_NAMES
