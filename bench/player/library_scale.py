"""Twenty thousand tracks: a second start, a listing, a choice and the first sound, beside MPD and mutagen.

``python bench/player/library_scale.py [FILES] [FOLDER]`` makes real FLAC files (eight sounds, each file with
tags of its own), reads every header, measures a hundred files in earnest and puts the other measures into the
cache by its own ``set_analysis``. FOLDER keeps the files for another run. MPD lists from its database on its
second start; mutagen, where it is installed, reads every tag again. Writes
bench/results/player_library_scale.json and .md.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT), str(ROOT / "bench")]

import msgspec  # noqa: E402
import numpy as np  # noqa: E402
import soundfile  # noqa: E402
from report import machine, write  # noqa: E402
from startup import one_run  # noqa: E402

from player.library.library import CACHE_NAME  # noqa: E402
from player.library.scanner import Scanner  # noqa: E402
from player.library.store.track_cache import TrackCache  # noqa: E402

FILES = 20_000
A_FOLDER = 100
SOUNDS = 8
SECONDS = 6
MEASURED = 100
ROUNDS = 5

OPENING = """
import sys, time
began = time.perf_counter()
from pathlib import Path
from player.library.library import Library
library = Library.open([Path(sys.argv[1])], Path(sys.argv[2]), warm_delay_s=600)
print(time.perf_counter() - began, len(library.tracks))
library.close()
"""
CHOOSING = """
import sys, time
from pathlib import Path
from player.library.library import Library
from player.choice.chooser import Chooser
library = Library.open([Path(sys.argv[1])], Path(sys.argv[2]), warm_delay_s=600)
chooser, times = Chooser(seed=1), []
for turn in range(31):
    began = time.perf_counter()
    decision = chooser.choose(turn * 200.0, library.tracks, "next")
    times.append(time.perf_counter() - began)
    chooser.mark_played(decision.chosen, turn * 200.0)
began = time.perf_counter()
library._reload(everything=False)
print(sorted(times[1:])[15], times[0], time.perf_counter() - began)
library.close()
"""
MUTAGEN = """
import os, sys, mutagen
found = 0
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        tags = mutagen.File(os.path.join(folder, name), easy=True)
        found += bool(tags["title"]) and tags.info.length > 0
print(found)
"""


@dataclass(frozen=True)
class Taken:
    """What a command took: seconds and peak MiB of resident memory."""

    seconds: float
    peak_mib: float
    said: str


def run(command: list[str], **environment: str) -> Taken:
    """Run to the end; the output is read to the end as a terminal would."""
    began_s = time.perf_counter()
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **environment}
    )
    assert child.stdout is not None
    said, peak_mib = bytearray(), 0.0
    while block := os.read(child.stdout.fileno(), 1 << 20):
        said += block
        peak_mib = max(peak_mib, peak_of(child.pid))
    assert child.wait() == 0, command
    return Taken(time.perf_counter() - began_s, peak_mib, said.decode())


def peak_of(pid: int) -> float:
    """Peak of resident memory so far, in MiB. (``wait4`` counts what the parent held when it forked.)"""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def median(rounds: int, once: Callable[[], Taken]) -> Taken:
    """The run of median time."""
    taken = sorted((once() for _ in range(rounds)), key=lambda one: one.seconds)
    return taken[len(taken) // 2]


def flac_bodies(folder: Path) -> list[tuple[bytes, bytes]]:
    """STREAMINFO and the frames of each sound."""
    bodies = []
    at_s = np.arange(SECONDS * 16_000) / 16_000
    for number in range(SOUNDS):
        path = folder / "sound.flac"
        wave = 0.2 * np.sin(2 * np.pi * (110 + 40 * number) * at_s) * np.abs(np.sin((1 + number) * at_s))
        soundfile.write(path, wave, 16_000)
        data, at, last = path.read_bytes(), 4, False
        path.unlink()
        info = data[8:42]
        while not last:
            last, length = bool(data[at] & 0x80), int.from_bytes(data[at + 1 : at + 4], "big")
            at += 4 + length
        bodies.append((info, data[at:]))
    return bodies


def flac(info: bytes, frames: bytes, tags: dict[str, str]) -> bytes:
    """A FLAC file with these tags."""
    fields = [f"{key}={value}".encode() for key, value in tags.items()]
    comment = struct.pack("<I", 5) + b"bench" + struct.pack("<I", len(fields))
    comment += b"".join(struct.pack("<I", len(field)) + field for field in fields)
    blocks = b"\x00" + len(info).to_bytes(3, "big") + info
    return b"fLaC" + blocks + b"\x84" + len(comment).to_bytes(3, "big") + comment + frames


def make_files(folder: Path, count: int) -> None:
    """``count`` files in folders of a hundred, as albums lie."""
    folder.mkdir(parents=True, exist_ok=True)
    bodies = flac_bodies(folder)
    for number in range(count):
        album = folder / f"artist {number // 1000:02}" / f"album {number // A_FOLDER:03}"
        if number % A_FOLDER == 0:
            album.mkdir(parents=True, exist_ok=True)
        info, frames = bodies[number % SOUNDS]  # and a sound of its own: copies of one are one track
        tags = {"TITLE": f"Piece {number:05}", "ARTIST": f"Artist {number // 1000}", "ALBUM": album.name}
        (album / f"{number:05} piece.flac").write_bytes(flac(info, frames + b"%08d" % number, tags))


def fill_cache(music: Path, cache_dir: Path) -> dict[str, float]:
    """A first scan. The measures of a hundred files are real, the others are theirs a little moved."""
    cache = TrackCache(cache_dir / CACHE_NAME)
    root = os.path.realpath(music)
    scanner = Scanner(cache, [root], lambda _path: None)
    began_s = time.perf_counter()
    scanner.sync()
    listed_s = time.perf_counter() - began_s
    while scanner.read_headers():
        pass
    headers_s = time.perf_counter() - began_s
    began_s = time.perf_counter()
    for _ in range(MEASURED):
        scanner.measure_next()
    measuring_s = (time.perf_counter() - began_s) / MEASURED
    known = [row.analysis for row in cache.rows([root]) if row.analysis is not None]
    for number, pending in enumerate(cache.without_analysis([root])):
        analysis = known[number % len(known)]
        features = msgspec.structs.replace(
            analysis.features, flux=analysis.features.flux * (1 + number * 1e-5)
        )
        assert pending.sound is not None
        cache.set_analysis(pending.sound, msgspec.structs.replace(analysis, features=features))
    began_s = time.perf_counter()
    scanner.sync()
    second_s = time.perf_counter() - began_s
    cache.close()
    return {"listed": listed_s, "headers": headers_s, "measure": measuring_s, "second": second_s}


def mpd_again(music: Path, folder: Path, count: int) -> Taken | None:
    """MPD on its second start: until it has told all it knows of every song."""
    if not shutil.which("mpd"):
        return None
    address, config = folder / "mpd.sock", folder / "mpd.conf"
    config.write_text(
        f'music_directory "{music}"\ndb_file "{folder}/db"\nbind_to_address "{address}"\n'
        'max_output_buffer_size "65536"\naudio_output {\n type "null"\n name "nowhere"\n}\n'
    )

    def ask(talk: socket.socket, command: bytes) -> bytes:
        talk.sendall(command + b"\n")
        heard = bytearray()
        while not heard.endswith((b"OK\n",)) and b"ACK [" not in heard[-200:]:
            heard += talk.recv(1 << 16)
        return bytes(heard)

    def start(talked: Callable[[socket.socket], Any]) -> tuple[float, float, Any]:
        address.unlink(missing_ok=True)
        began_s = time.perf_counter()
        child = subprocess.Popen(["mpd", "--no-daemon", str(config)], stderr=subprocess.DEVNULL)
        with socket.socket(socket.AF_UNIX) as talk:
            while talk.connect_ex(str(address)):
                time.sleep(0.002)
            talk.recv(200)
            said = talked(talk)
            took_s = time.perf_counter() - began_s
        peak_mib = peak_of(child.pid)
        child.terminate()
        child.wait()
        return took_s, peak_mib, said

    def first(talk: socket.socket) -> None:
        ask(talk, b"update")
        while b"updating_db" in ask(talk, b"status"):
            time.sleep(0.2)

    first_s, _, _ = start(first)

    def again() -> Taken:
        took_s, peak_mib, said = start(lambda talk: ask(talk, b"listallinfo"))
        assert said.count(b"\nTitle: ") >= 0.99 * count
        return Taken(took_s, peak_mib, f"{first_s:.2f}")

    return median(ROUNDS, again)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FILES
    facts = machine() | {"files": count, "rounds": ROUNDS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        music = Path(sys.argv[2]) if len(sys.argv) > 2 else folder / "music"
        if not music.exists():
            make_files(music, count)
        for kind in ("CACHE", "STATE"):
            (folder / kind.lower()).mkdir()
            os.environ[f"NEUROPLAYER_{kind}_DIR"] = str(folder / kind.lower())
        cache_dir = folder / "cache"
        filled = fill_cache(music, cache_dir)
        cli, python = [sys.executable, "-m", "daemon.cli"], sys.executable
        listing = median(ROUNDS, lambda: run([*cli, "library", "list", "--music", str(music)]))
        assert len(listing.said.splitlines()) == count
        opening = median(ROUNDS, lambda: run([python, "-c", OPENING, str(music), str(cache_dir)]))
        choosing = run([python, "-c", CHOOSING, str(music), str(cache_dir)])
        mapped = run([*cli, "library", "map", "--music", str(music), str(folder / "map.svg")])
        mpd = mpd_again(music, folder, count)
        tags = None
        if run([python, "-c", "import importlib.util as u; print(u.find_spec('mutagen'))"]).said != "None\n":
            tags = median(1, lambda: run([python, "-c", MUTAGEN, str(music)]))
        starts = [one_run(folder, "--music", str(music)) for _ in range(ROUNDS)]
    each_s, first_s, reload_s = map(float, choosing.said.split())
    sound_s = statistics.median(start["music_s"] for start in starts)
    peers = {"MPD, second start, listallinfo": mpd, "mutagen, reading every tag again": tags}
    rows: list[dict[str, Any]] = [
        {"what": "first: names and sizes", "seconds": filled["listed"]},
        {"what": "first: names, sizes and headers", "seconds": filled["headers"]},
        {"what": "second: names and sizes against the cache", "seconds": filled["second"]},
        {
            "what": "second: tracks known in the player",
            "seconds": float(opening.said.split()[0]),
            "peak MiB": opening.peak_mib,
        },
        {"what": "`neuroplayer library list`", "seconds": listing.seconds, "peak MiB": listing.peak_mib},
        {"what": "`neuroplayer library map`", "seconds": mapped.seconds, "peak MiB": mapped.peak_mib},
        {"what": "`neuroplayer run` to the first sound", "seconds": sound_s},
        {"what": "one choice (the first: " + f"{first_s:.3f} s)", "seconds": each_s},
        {"what": "the player's list made anew after a change", "seconds": reload_s},
        {"what": f"measuring one file of {SECONDS} s", "seconds": filled["measure"]},
    ]
    for peer, taken in peers.items():
        if taken is not None:
            rows.append({"what": peer, "seconds": taken.seconds, "peak MiB": taken.peak_mib})
            rows[4][f"x {peer.split(',')[0]}"] = round(listing.seconds / taken.seconds, 2)
    notes = ["The first scan measures each track as well, which takes its own time in the background."]
    if mpd is not None:
        notes.append(f"MPD's first update took {mpd.said} s.")
    write("player_library_scale", f"A library of {count} tracks", rows, facts, notes)


if __name__ == "__main__":
    main()
