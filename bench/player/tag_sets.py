"""What we read of other projects' test files, held against ffprobe and, where it is installed, mutagen.

Run: python bench/player/tag_sets.py FOLDER [NAME]. FOLDER is an unpacked source of mutagen, beets, TinyTag or
TagLib; files with the endings of music are looked at, all below it. Writes bench/results/player_tags_NAME.*
with every disagreement on title, artist, album, duration, or on whether it can be played at all.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from report import machine, write

from player.analysis.track_analysis import analyse
from player.library.music_folder import FoundFile, walk
from player.library.sounds.header_reading import read_header
from player.reading.sound_reader import UnreadableAudioError

FIELDS = ("title", "artist", "album")
DURATION_S = 0.15
"""Readers count an encoder's padding or leave it out."""

Said = dict[str, Any]
"""title, artist, album, duration_s; or refused, with the reason."""


def ours(path: Path) -> Said:
    """As the library reads it, decoded to the end."""
    try:
        with path.open("rb") as file:
            header = read_header(file, str(path), path.stat().st_size)
            file.seek(0)
            duration_s = analyse(file).duration_s
    except (UnreadableAudioError, OSError) as error:
        return {"refused": str(error)}
    return {"title": header.title, "artist": header.artist, "album": header.album, "duration_s": duration_s}


def ffprobe(path: Path) -> Said:
    """As FFmpeg's own program says."""
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", str(path)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    try:
        answer = json.loads(done.stdout or b"{}")
    except ValueError:
        answer = {}
    streams = [one for one in answer.get("streams", []) if one.get("codec_type") == "audio"]
    if done.returncode or not streams:
        return {"refused": done.stderr.decode("utf-8", "replace").strip()[-100:]}
    tags: dict[str, str] = {}
    for source in (answer.get("format", {}), streams[0]):
        for key, value in source.get("tags", {}).items():
            tags.setdefault(key.lower(), value)
    seconds = streams[0].get("duration") or answer.get("format", {}).get("duration")
    return {**{name: tags.get(name, "") for name in FIELDS}, "duration_s": float(seconds or 0)}


def mutagen(path: Path) -> Said:
    """As mutagen says."""
    import mutagen as reader

    try:
        found = reader.File(str(path), easy=True)
    except Exception as error:  # noqa: BLE001 (whatever another program makes of hostile files)
        return {"refused": f"{type(error).__name__}: {error}"[:100]}
    if found is None:
        return {"refused": "not known"}
    said: Said = {"duration_s": float(getattr(found.info, "length", 0) or 0)}
    for name in FIELDS:
        try:
            values = (found.tags or {}).get(name, [""])
        except (KeyError, ValueError, AttributeError):
            values = [""]
        said[name] = str(values[0] if isinstance(values, list) and values else values or "")
    return said


def disagreements(here: Said, there: Said) -> Iterator[str]:
    """What the two say differently, in words."""
    if ("refused" in here) != ("refused" in there):
        yield (
            f"refused here: {here['refused']}" if "refused" in here else f"refused there: {there['refused']}"
        )
        return
    if "refused" in here:
        return
    for name in FIELDS:
        if there[name] and _plain(here[name]) != _plain(there[name]):
            yield f"{name}: {here[name]!r} here, {there[name]!r} there"
    if there["duration_s"] and abs(here["duration_s"] - there["duration_s"]) > DURATION_S:
        yield f"duration: {here['duration_s']:.2f} s here, {there['duration_s']:.2f} s there"


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()[:190]


def main() -> None:
    """Every file below the folder."""
    folder = Path(sys.argv[1])
    name = sys.argv[2] if len(sys.argv) > 2 else folder.name
    readers: Mapping[str, Any] = {
        **({"ffprobe": ffprobe} if shutil.which("ffprobe") else {}),
        **({"mutagen": mutagen} if importlib.util.find_spec("mutagen") else {}),
    }
    files = [Path(item.path) for item in walk(folder) if isinstance(item, FoundFile)]
    rows = []
    agree = dict.fromkeys(readers, 0)
    refused = 0
    for path in files:
        here = ours(path)
        refused += "refused" in here
        for reader, read in readers.items():
            said = list(disagreements(here, read(path)))
            agree[reader] += not said
            rows += [{"file": path.name, "against": reader, "says": one.replace("|", "/")} for one in said]
    facts = machine() | {"files": len(files), "refused here": refused}
    facts |= {f"agree with {reader}": count for reader, count in agree.items()}
    write(f"player_tags_{name}", f"The test files of {name}", rows, facts)


if __name__ == "__main__":
    main()
