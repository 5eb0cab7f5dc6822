"""Brings the cache up to date with the folders: finds files, reads headers, measures them."""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePath

from player.analysis.track_analysis import analyse
from player.analysis.track_measures import LearnedMood
from player.analysis.vibenet_process import VibenetError, VibenetProcess, VibenetStartError, excerpt
from player.library.cache import Header, TrackCache
from player.library.mood_tags import SIDECAR_NAMES, GivenMood, MoodRules, mood_of_tags, read_rules
from player.library.music_folder import (
    AUDIO_SUFFIXES,
    PLAYLIST_SUFFIXES,
    FoundFile,
    RefusedFile,
    folder_of,
    is_under,
    open_under,
    suffix_of,
    walk,
)
from player.library.playlists import MAX_PLAYLIST_BYTES, PlaylistError, local_path, read_playlist
from player.library.refusals import EACH_LOOK, MAX_DETAIL_CHARS, Refusal, RefusalKind, Versions
from player.reading.sound_opening import open_sound
from player.reading.sound_reader import CodecMissingError, UnreadableAudioError

MAX_DURATION_S = 48 * 3600.0
LEAST_BITS_A_SECOND = 500.0
"""A header that promises more seconds than this many bits each can hold is not believed."""
WANTED_SUFFIXES = AUDIO_SUFFIXES | PLAYLIST_SUFFIXES
BATCH = 50
SIGN_S = 1.0
"""While names are listed there is a sign of life so often: an empty path."""

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
Busy = Callable[[str], None]

log = logging.getLogger(__name__)


@dataclass(slots=True)
class RootContent:
    """What one walk over a root found."""

    files: dict[str, FoundFile] = field(default_factory=dict)
    streams: dict[str, Header] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    sidecars: list[str] = field(default_factory=list)
    playlists: list[str] = field(default_factory=list)


class Scanner:
    """Keeps a cache in step with its roots.

    ``busy`` hears the path that is about to be opened and again at each block that was decoded of it; an
    empty one where no file is being read. What was refused before the session, which began at ``begun_s`` of
    the wall clock, is tried again where that may help; see ``refusals.is_due``.
    """

    def __init__(
        self,
        cache: TrackCache,
        roots: Sequence[str],
        busy: Busy,
        vibenet: VibenetProcess | None = None,
        begun_s: float | None = None,
    ) -> None:
        self._cache = cache
        self._roots = tuple(roots)
        self._busy = busy
        self._vibenet = vibenet
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
        return removed

    def read_headers(self) -> int:
        """Read a batch of pending headers; returns how many were taken up, 0 when all are done."""
        pending = self._cache.without_header(self._here, BATCH)
        headers: dict[str, Header] = {}
        for path, root, size in pending:
            self._busy(path)
            try:
                headers[path] = self._header(root, path, size)
            except Exception as error:  # noqa: BLE001 - told apart below: most are the file's, some are ours
                self._busy("")
                self._refuse(root, path, error)
        self._busy("")
        if headers:
            self._cache.set_headers(headers)
        return len(pending)

    def measure_next(self) -> str | None:
        """Measure one pending file; returns its path, None when all are done."""
        for path, root, _ in self._cache.without_analysis(self._here, 1):
            self._busy(path)
            try:
                with open_under(folder_of(root), path) as file:
                    analysis = analyse(file, partial(self._busy, path))
            except Exception as error:  # noqa: BLE001 - as above
                self._busy("")
                self._refuse(root, path, error)
            else:
                self._busy("")  # what may go wrong from here on is not the file's
                self._cache.set_analysis(path, analysis)
            return path
        return None

    @property
    def _here(self) -> list[str]:
        """A folder that has vanished says nothing of its files."""
        return [root for root in self._roots if root not in self.missing]

    def _refuse(self, root: str, path: str, error: Exception) -> None:
        why = refusal_of(error)
        if why.kind == "fault":
            log.error("reading %s failed by a fault of this program, not of the file", path, exc_info=error)
        self._cache.refuse(root, [(path, why)], self._versions, time.time())

    def learn_next(self) -> str | None:
        """Ask vibenet about one measured file; returns its path, None when there is nothing to ask."""
        if self._vibenet is None or not self._vibenet.usable:
            return None
        for path, root, _ in self._cache.without_learned(self._here, 1):
            mood: LearnedMood | None
            try:
                self._busy(path)
                with open_under(folder_of(root), path) as file:
                    samples = excerpt(file)
                # from here on the file cannot be to blame: the other process has its own time limit
                self._busy("")
                mood = self._vibenet.ask(samples)
            except VibenetStartError:
                return None
            except Exception as error:
                # tried once; the track keeps the mood of the own analysis
                mood = None
                if not isinstance(error, (UnreadableAudioError, VibenetError, OSError, MemoryError)):
                    log.error(
                        "asking vibenet about %s failed by a fault of this program", path, exc_info=error
                    )
            self._cache.set_learned(path, mood)
            return path
        return None

    def _content(self, root: str) -> RootContent:
        content = RootContent()
        if Path(root).is_file():
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
        """Streams of all playlists; local files only of a playlist that was itself given as a root."""
        for playlist in content.playlists:
            try:
                with open_under(Path(playlist).parent, playlist) as file:
                    entries = read_playlist(file.read(MAX_PLAYLIST_BYTES + 1), playlist)
            except (PlaylistError, OSError) as error:
                content.refused[playlist] = str(error)
                continue
            for entry in entries:
                if entry.is_stream:
                    mood = entry.mood
                    tagged = None if mood is None else GivenMood(mood.valence, mood.arousal, "given")
                    content.streams[entry.location] = Header(
                        0.0, _clean(entry.title) or entry.location, "", tagged
                    )
                elif playlist == root:
                    self._add_listed(local_path(entry, Path(playlist)), Path(playlist).parent, content)

    def _add_listed(self, path: Path, folder: Path, content: RootContent) -> None:
        real = os.path.realpath(path)
        if any(is_under(real, root) for root in self._roots):
            return
        try:
            with open_under(folder, path) as file:
                status = os.fstat(file.fileno())
            content.files[real] = FoundFile(real, status.st_size, status.st_mtime_ns)
        except (OSError, ValueError) as error:
            content.refused[os.fsencode(path).decode("utf-8", "replace")] = str(error)

    def _store(self, root: str, content: RootContent) -> bool:
        known = self._cache.known(root)
        nothing = (-1, 0, None, None)
        fresh = [
            f for path, f in content.files.items() if known.get(path, nothing)[:2] != (f.size, f.mtime_ns)
        ]
        if fresh:
            self._cache.add(root, fresh)
        if content.streams:
            self._store_streams(root, content.streams, known)
        # what could not even be opened may be allowed by now
        again = [p for p in content.files if p in known and known[p][2] and known[p][3] in EACH_LOOK]
        self._cache.try_again(again)
        rules, broken = read_rules(Path(folder_of(root)), content.sidecars)
        refused = {**content.refused, **dict(broken)}
        news = [
            (path, Refusal("left_aside", why))
            for path, why in refused.items()
            if known.get(path, nothing)[2] != why
        ]
        if news:
            self._cache.refuse(root, news, self._versions, time.time())
        here = content.files.keys() | content.streams.keys() | refused.keys()
        gone = [path for path in known if path not in here]
        if gone:
            self._cache.remove(gone)
        self._apply(root, rules)
        return bool(gone)

    def _store_streams(self, root: str, streams: Mapping[str, Header], known: Collection[str]) -> None:
        """Their titles and moods stand in playlists, which somebody may have changed."""
        before = self._cache.stream_headers(root)
        changed = {url: header for url, header in streams.items() if before.get(url) != header}
        if changed:
            self._cache.add(root, [FoundFile(url, 0, 0) for url in changed if url not in known])
            self._cache.set_headers(changed)

    def _apply(self, root: str, rules: MoodRules) -> None:
        before = self._cache.given(root)
        now = {path: rules.stated(path) or rules.of_folder(path) for path in before}
        by_folder = {path for path, given in now.items() if given is not None and given.source == "folder"}
        # a file's own tags are believed before the folder that it lies in
        for path in by_folder & self._cache.tagged(root) if by_folder else ():
            now[path] = rules.stated(path)
        changed = {path: given for path, given in now.items() if given != before[path]}
        if changed:
            self._cache.set_given(changed)

    def _header(self, root: str, path: str, size: int) -> Header:
        with open_under(folder_of(root), path) as file, open_sound(file) as reader:
            facts = reader.facts()
        believable = facts.duration_s <= min(MAX_DURATION_S, size * 8 / LEAST_BITS_A_SECOND)
        return Header(
            duration_s=facts.duration_s if believable else 0.0,
            title=_clean(facts.tags.get("title", "")) or _clean(PurePath(path).stem),
            artist=_clean(_first(facts.tags, ("artist", "album_artist", "composer"))),
            tagged=mood_of_tags(facts.tags),
        )


def refusal_of(error: Exception) -> Refusal:
    """Whose fault it is: the file's, its decoder's, the machine's, or by elimination ours."""
    if isinstance(error, CodecMissingError):
        return Refusal("codec_missing", str(error))
    if isinstance(error, UnreadableAudioError):
        return Refusal("unreadable", str(error))
    if isinstance(error, MemoryError):
        return Refusal("crashed", "it needs too much memory")
    if isinstance(error, OSError):
        kind: RefusalKind = "disk_full" if error.errno in DISK_FULL else "unopenable"
        return Refusal(kind, error.strerror or str(error))
    words = (str(error).splitlines() or [""])[0]
    return Refusal("fault", f"{type(error).__name__}: {words}"[:MAX_DETAIL_CHARS])


def _wanted(name: str) -> bool:
    return suffix_of(name) in WANTED_SUFFIXES or name in SIDECAR_NAMES


def _first(tags: Mapping[str, str], names: Sequence[str]) -> str:
    return next((tags[name] for name in names if tags.get(name)), "")


def _clean(text: str) -> str:
    """One printable line: tags come from strangers and end up in terminals, pages and messages."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:200]
