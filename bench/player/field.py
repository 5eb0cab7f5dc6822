"""Every sound and every list of a folder of inputs that broke us once: what is right, and what comes out.

Run: python bench/player/field.py [FOLDER], by default ../shared/field. Writes bench/results/player_field.*.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from report import machine, write

from player.library.commands import list_tracks, scan_library, show_track
from player.library.library import LibraryError

BLUE, SUB = "Blue Öyster Cult - Reaper.mp3", "Sub Dir/Time & 100% #1.mp3"
WRITTEN_THERE = "s3cret"
SOUNDS = {
    "song.mp3": "played whole",
    "wavpack_with_id3v1.wv": "played to the last sample",
    "zeros_at_the_end.ogg": "played to the last sample",
    "mono_then_stereo.mp3": "both parts played, 8 s",
    "chained_mono_then_stereo.ogg": "both parts played, 8 s",
}
LISTS = ("latin1.m3u", "percent_encoded.m3u", "two_locations.xspf")

Row = dict[str, Any]


def sound(file: Path, folder: Path) -> str:
    """How a file alone in a folder comes out."""
    music = folder / "music"
    music.mkdir()
    shutil.copy(file, music)
    try:
        scan_library([music], folder / "cache")
    except LibraryError as error:
        return f"refused: {str(error).rpartition(': ')[2]}"
    return f"played, {list_tracks([music], folder / 'cache')[0]['duration_s']:.2f} s"


def playlist(file: Path, folder: Path) -> str:
    """Which tracks a playlist plays that names both of two copies of one song."""
    music = folder / "music"
    for name in (BLUE, SUB):
        (music / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file.with_name("song.mp3"), music / name)
    shutil.copy(file, music)
    root = [music / file.name]
    scan_library(root, folder / "cache")
    found = [str(Path(one["location"]).relative_to(music)) for one in list_tracks(root, folder / "cache")]
    return f"{len(set(found) & {BLUE, SUB})} of 2 tracks"


def password(file: Path, folder: Path) -> str:
    """Whether a password of the playlist is written anywhere."""
    music = folder / "music"
    music.mkdir()
    shutil.copy(file, music)
    root = [music / file.name]
    said = str(scan_library(root, folder / "cache")) + str(list_tracks(root, folder / "cache"))
    kept = b"".join(path.read_bytes() for path in (folder / "cache").rglob("*") if path.is_file())
    return (
        "kept nowhere" if WRITTEN_THERE not in said and WRITTEN_THERE.encode() not in kept else "written down"
    )


def folder_names(file: Path, folder: Path) -> str:
    """Whether a folder speaks for a mood whose name only contains its word."""
    spoke = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines()[1:]):
        root = folder / str(number) / "any" / "work" / "music"
        inner = root if line.startswith("root is") else root / line
        inner.mkdir(parents=True)
        shutil.copy(file.with_name("song.mp3"), inner / "track.mp3")
        scan_library([root], folder / "cache")
        shown = show_track([root], folder / "cache", "track.mp3")
        spoke += [line] if shown["mood_source"] == "folder" else []
    return f"the folder speaks: {spoke}" if spoke else "no folder speaks"


def main() -> None:
    """All inputs that are there, each in a folder and with a cache of its own."""
    default = Path(__file__).resolve().parents[3] / "shared" / "field"
    field = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    checks: list[tuple[str, str, Callable[[Path, Path], str]]] = [
        *((name, right, sound) for name, right in SOUNDS.items()),
        *((name, "both tracks", playlist) for name in LISTS),
        ("password_in_address.m3u", "printed, published and stored nowhere", password),
        ("folder_names.txt", "no folder speaks", folder_names),
    ]
    rows: list[Row] = []
    for name, right, check in checks:
        if (field / name).exists():
            with tempfile.TemporaryDirectory() as folder:
                rows.append({"file": name, "right": right, "here": check(field / name, Path(folder))})
    write("player_field", "Files and lists that broke us once", rows, machine())


if __name__ == "__main__":
    main()
