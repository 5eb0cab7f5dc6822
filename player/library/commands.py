"""What ``neuroplayer library scan|list|show|tag|map`` does, with answers that can be written as JSON."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path, PurePath
from typing import Any

from player.choice.targets import UnknownTargetError, parse_target
from player.deck import is_stream
from player.library.library import (
    CACHE_NAME,
    EmptyLibraryError,
    Library,
    LibraryError,
    LibraryProgress,
    check_root,
    open_cache,
    refused_files,
)
from player.library.library_map import draw_map
from player.library.music_folder import distinct_roots, folder_of, open_under
from player.library.sources.foreign_text import composed, decoded
from player.library.sources.mood_tags import (
    SIDECAR_NAMES,
    MoodRules,
    SidecarError,
    csv_delimiter,
    escaped_name,
    literal_name,
    mood_of_words,
    read_rules,
    read_sidecar,
)
from player.library.store.rows import FileRow
from player.library.track_building import build_tracks, first_of_each, stated_mood
from player.location import Location, quoted
from player.music import Mood, MoodSource, Track

Json = dict[str, Any]
SIDECAR = "moods.csv"
UNKNOWN = "the library is not known yet: run `neuroplayer library scan` first"
COLUMNS = ("path", "valence", "arousal", "mood", "label", "source")
POLL_S = 0.2


def scan_library(
    folders: Sequence[Path],
    cache_dir: Path,
    on_progress: Callable[[LibraryProgress], None] | None = None,
    timeout_s: float = 24 * 3600.0,
) -> Json:
    """List and measure everything, and wait for it. Raises LibraryError and EmptyLibraryError.

    ``on_progress`` is called about five times a second. Returns counts and what was refused, with reasons.
    """
    with Library.open(folders, cache_dir, first_wait_s=timeout_s, warm_delay_s=0.0) as library:
        waited_s = 0.0
        while not library.wait_idle(POLL_S) and waited_s < timeout_s:
            waited_s += POLL_S
            if on_progress is not None:
                on_progress(library.progress)
        if on_progress is not None:
            on_progress(library.progress)
        return {
            "folders": [str(folder) for folder in folders],
            "playable": library.progress.playable,
            "measured": library.progress.measured,
            "refused": [asdict(refused) for refused in library.refused],
        }


def list_tracks(folders: Sequence[Path], cache_dir: Path) -> list[Json]:
    """The tracks that the cache knows, without scanning; empty before the first scan."""
    tracks = _cached(folders, cache_dir)
    return [track_json(track) for track in tracks]


def cached_tracks(folders: Sequence[Path], cache_dir: Path) -> tuple[Track, ...]:
    """The tracks that the cache knows, without scanning. Raises LibraryError."""
    return _cached(folders, cache_dir)


def list_refused(folders: Sequence[Path], cache_dir: Path) -> list[Json]:
    """What looks like music and is not played, with reasons."""
    return [asdict(one) for one in refused_files(_rows(folders, cache_dir))]


def show_track(folders: Sequence[Path], cache_dir: Path, name: str) -> Json:
    """All that is known of one track, and who said its mood. Raises LibraryError; see ``find_track``."""
    rows = _rows(folders, cache_dir)
    track = find_track(build_tracks(rows), name)
    played, _ = first_of_each(rows)
    row = next(row for row in played if row.path == track.location)
    return {**track_json(track), "mood_said_by": _said_by(row, track)}


def _said_by(row: FileRow, track: Track) -> str:
    """Who stated the mood, or how it was found."""
    stated = stated_mood(row)
    by = "" if stated is None else stated.by
    sources: dict[MoodSource, str] = {
        "sidecar": f"a row of {by or 'a sidecar'}",
        "composed": f"a row of {by or 'a sidecar'}",
        "given": "the playlist that lists it",
        "tag": "the tags of the file",
        "folder": f"a folder rule in {by}" if os.sep in by else f"the name of the folder {by!r}",
        "vibenet": "the network that heard it",
        "analysis": "the measurements, ranked within this library",
        "unknown": "nobody, and it is not measured yet",
    }
    return sources[track.mood_source]


def find_track(tracks: Sequence[Track], name: str) -> Track:
    """The one track of that id, path, file name, title or part of it; or a line as ``list`` shows it.

    Raises LibraryError if it is not just one.
    """
    wanted = composed(name.strip())
    folded = wanted.casefold()
    sure: tuple[Callable[[Track], bool], ...] = (
        lambda track: track.id in (wanted, wanted.split(maxsplit=1)[0] if wanted else ""),
        lambda track: _is_at(track, wanted),
        lambda track: folded in (shown_name(track).casefold(), f"{track.artist} - {track.title}".casefold()),
        lambda track: folded == track.title.casefold(),
        lambda track: bool(folded) and folded in composed(track.title).casefold(),
    )
    found: list[Track] = next(filter(None, ([t for t in tracks if fits(t)] for fits in sure)), [])
    if len({track.id for track in found}) == 1:
        return found[0]
    if not tracks:
        raise EmptyLibraryError(UNKNOWN)
    if not found:
        raise LibraryError(f"no track is called {quoted(name)}; the library knows {len(tracks)}")
    some = ", ".join(f"{shown_name(track)} = {track.id}" for track in found[:8])
    raise LibraryError(f"{len(found)} tracks match {quoted(name)}; name one by its id: {some}")


def shown_name(track: Track) -> str:
    """Title and artist as lists show them."""
    return f"{track.title} ({track.artist or 'unknown artist'})"


def _is_at(track: Track, wanted: str) -> bool:
    path = composed(track.location)
    return wanted in (path, PurePath(path).name) or os.path.realpath(wanted) == track.location


def tag_track(folders: Sequence[Path], cache_dir: Path, name: str, mood: str) -> Json:
    """State the mood of a track in the ``moods.csv`` of its music folder, or beside the one that decides now.

    ``mood`` is a word such as ``calm``, a target's name, or ``valence,arousal``. Raises LibraryError, and
    OSError if the folder cannot be written.
    """
    track = find_track(_cached(folders, cache_dir), name)
    point = _point(mood)
    folder = _sidecar_folder(folders, track.location)
    _write_row(folder, track.location, point)
    return {
        "track": track.title,
        "location": track_json(track)["location"],
        "sidecar": str(folder / SIDECAR),
        **asdict(point),
    }


def _point(mood: str) -> Mood:
    stated = mood_of_words(mood) if "," not in mood else None
    try:
        return stated or parse_target(mood).mood
    except UnknownTargetError:
        raise LibraryError(
            f"mood {quoted(mood, 40)} must be a word such as calm, energetic, sad or focus, or "
            "VALENCE,AROUSAL within -1..1"
        ) from None


def draw_library_map(folders: Sequence[Path], cache_dir: Path, out: Path) -> Json:
    """Draw the library in the plane as ``.svg`` or ``.png``. Raises EmptyLibraryError, MapError."""
    tracks = _cached(folders, cache_dir)
    if not tracks:
        raise EmptyLibraryError(UNKNOWN)
    draw_map(tracks, out)
    return {"map": str(out), "tracks": len(tracks)}


def track_json(track: Track) -> Json:
    """A track as plain values."""
    return asdict(track) | (
        {"location": Location(track.location).printable} if is_stream(track.location) else {}
    )


def _cached(folders: Sequence[Path], cache_dir: Path) -> tuple[Track, ...]:
    return build_tracks(_rows(folders, cache_dir))


def _rows(folders: Sequence[Path], cache_dir: Path) -> list[FileRow]:
    for folder in folders:
        check_root(folder)
    cache = open_cache(cache_dir / CACHE_NAME)
    try:
        return cache.all_rows(distinct_roots(folders))
    finally:
        cache.close()


def _sidecar_folder(folders: Sequence[Path], location: str) -> Path:
    roots = [Path(root) for root in distinct_roots(folders)]
    folder_roots = [Path(folder_of(str(root))) for root in roots]
    inside = [root for root in folder_roots if Path(location).is_relative_to(root)]
    folder = (inside or folder_roots)[0]
    return _deciding(folder, location) if folder in roots and inside else folder


def _deciding(root: Path, location: str) -> Path:
    """Where a row must stand to be believed: beside the deepest sidecar that speaks of the track already."""
    within = [parent for parent in Path(location).parents if parent.is_relative_to(root)]
    sidecars = [str(folder / name) for folder in within for name in SIDECAR_NAMES if (folder / name).exists()]
    stated = read_rules(root, sidecars)[0].stated(location)
    return root if stated is None else Path(stated.by).parent


def _write_row(folder: Path, location: str, mood: Mood) -> None:
    """Put one row first in the sidecar, in place of an older one; the file is replaced as a whole."""
    path = folder / SIDECAR
    name = location if "://" in location else str(PurePath(location).relative_to(folder))
    kept: list[dict[str, str]] = []
    if path.exists():
        with open_under(folder, path) as file:
            content = file.read()
        try:
            read_sidecar(content, str(path), MoodRules())
        except SidecarError as error:
            raise LibraryError(f"{path}: {error}; mend it first") from error
        text = decoded(content)
        reader = csv.DictReader(io.StringIO(text), delimiter=csv_delimiter(text))
        kept = [{key: row.get(key) or "" for key in COLUMNS} for row in reader if not _is_row_of(row, name)]
    valence = "" if mood.valence is None else f"{mood.valence:g}"
    written = name if "://" in name else escaped_name(name)
    rows = [{"path": written, "valence": valence, "arousal": f"{mood.arousal:g}"}, *kept]
    partial = path.with_name(f".{SIDECAR}.{os.getpid()}")
    with partial.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)
    partial.replace(path)


def _is_row_of(row: Mapping[str, str | None], name: str) -> bool:
    """True for a row that means this name and no other, however it is written."""
    path = row.get("path") or ""
    return composed(name) in (composed(path), composed(literal_name(path) or ""))
