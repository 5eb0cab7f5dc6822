"""Processor time of two decks that fade, against VLC and MPD playing one file, in turns on one machine.

``python bench/player/cpu.py [SECONDS]``; needs VLC (vlc-bin, vlc-plugin-base) and MPD, and leaves out what
is not there. Everything plays to nowhere in real time. Writes bench/results/player_cpu.json and .md.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [
    str(Path(__file__).parent),
    str(ROOT),
    str(ROOT / "tests"),
    str(ROOT / "tests"),
]

import psutil  # noqa: E402
from report import machine, write  # noqa: E402

ROUNDS = 3
OURS = """
import sys, time
from dataclasses import replace
from pathlib import Path
sys.path[:0] = [ROOT, ROOT + "/tests"]
from support.sounds.playback_rig import open_plain
from support.sounds.track_making import make_track
from player.playback.audio_loop import AudioLoop
from player.deck import MIX_RATE_HZ
from player.decks.deck_opening import deck_maker
from player.mixing.mixer import Mixer
from player.outputs.outputs import Outputs
from player.sink import NullSink
make = deck_maker(sys.argv[1], open_plain)
mixer = Mixer()
loop = AudioLoop(mixer, Outputs([NullSink()]))
decks = [make(path) for path in sys.argv[2:4]]
for deck, path in zip(decks, sys.argv[2:4]):
    deck.open(path)
full_s = 34 if sys.argv[1] == "av" else 2  # steady playing: what is decoded ahead at the start does not count
while any(deck.buffered_frames() < full_s * MIX_RATE_HZ for deck in decks):
    time.sleep(0.05)
mixer.change_to(decks[0], gain_db=-3, start_frame=0, fade_frames=0)
loop.start()
time.sleep(0.5)
mixer.change_to(decks[1], gain_db=-3, start_frame=MIX_RATE_HZ, fade_frames=10 * MIX_RATE_HZ)
print("ready", flush=True)
time.sleep(600)
"""
START_S = 2.0
NOBODY: dict[str, Any] = {"user": 65534, "group": 65534} if os.getuid() == 0 else {}
"""VLC refuses to be run by root."""


def busy_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def ours(kind: str, files: Sequence[Path], folder: Path) -> subprocess.Popen[bytes]:
    script = OURS.replace("ROOT", repr(str(ROOT)), 1).replace("ROOT +", f"{str(ROOT)!r} +")
    child = subprocess.Popen(
        [sys.executable, "-c", script, kind, *map(str, files)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdout is not None
    child.stdout.readline()
    return child


def vlc(files: Sequence[Path], folder: Path) -> subprocess.Popen[bytes]:
    options = ("--intf", "dummy", "--aout", "adummy", "--no-video", "--quiet")
    child = subprocess.Popen(
        [shutil.which("vlc") or "vlc", *options, str(files[0])],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **NOBODY,
        env={**os.environ, "HOME": str(folder)},
    )
    time.sleep(START_S)
    return child


def mpd(files: Sequence[Path], folder: Path) -> subprocess.Popen[bytes]:
    address = folder / "mpd.sock"
    (folder / "playlists").mkdir(exist_ok=True)
    config = folder / "mpd.conf"
    config.write_text(
        f'music_directory "{files[0].parent}"\nplaylist_directory "{folder}/playlists"\n'
        f'db_file "{folder}/db"\n'
        f'bind_to_address "{address}"\naudio_output {{\n type "null"\n name "nowhere"\n}}\n'
    )
    child = subprocess.Popen(
        ["mpd", "--no-daemon", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 20
    while not address.exists() and time.monotonic() < until:
        time.sleep(0.1)
    with socket.socket(socket.AF_UNIX) as talk:
        while talk.connect_ex(str(address)) and time.monotonic() < until:
            time.sleep(0.2)
        talk.recv(200)
        for command in (f'add "file://{files[0]}"', f"add {files[0].name}", "play"):
            talk.sendall(f"{command}\n".encode())
            talk.recv(2000)
            time.sleep(0.5)
    time.sleep(START_S)
    return child


def share(
    start: Callable[[Sequence[Path], Path], subprocess.Popen[bytes]],
    files: Sequence[Path],
    folder: Path,
    seconds: float,
) -> float:
    """Processor time as a share of one core while it plays, in percent."""
    child = start(files, folder)
    try:
        time.sleep(0.5)
        before, began = busy_s(child.pid), time.monotonic()
        time.sleep(seconds)
        return 100 * (busy_s(child.pid) - before) / (time.monotonic() - began)
    finally:
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def main() -> None:
    from support.sounds.audio_files import make_file

    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    facts = machine() | {"seconds a round": seconds, "rounds": ROUNDS}
    players: dict[str, Callable[[Sequence[Path], Path], subprocess.Popen[bytes]]] = {
        "ours, two PyAV decks, a fade of 10 s": lambda files, folder: ours("av", files, folder),
        "ours, two libVLC decks, a fade of 10 s": lambda files, folder: ours("vlc", files, folder),
    }
    if shutil.which("vlc"):
        players["VLC, one file"] = vlc
    if shutil.which("mpd"):
        players["MPD, one file"] = mpd
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        files = [make_file(folder, "mp3", length_s, rate_hz=44_100) for length_s in (150.0, 151.0)]
        taken: dict[str, list[float]] = {player: [] for player in players}
        for _ in range(ROUNDS):
            for player, start in players.items():
                taken[player].append(share(start, files, folder, seconds))
    medians = {player: statistics.median(values) for player, values in taken.items()}
    peers = [value for player, value in medians.items() if not player.startswith("ours")]
    rows: list[dict[str, Any]] = [
        {
            "player": player,
            "percent of a core (median)": round(value, 2),
            "lowest": round(min(taken[player]), 2),
            "highest": round(max(taken[player]), 2),
            **{
                f"x {peer.split(',')[0]}": round(value / medians[peer], 2)
                for peer in medians
                if not peer.startswith("ours") and medians[peer] > 0
            },
        }
        for player, value in medians.items()
    ]
    kept = [player for player, value in medians.items() if peers and value <= 1.5 * max(peers)]
    note = f"Target: at most 1.5 times MPD or VLC playing one file. Kept by: {', '.join(kept) or 'none'}."
    write(
        "player_cpu",
        "Processor time: two decks and a fade against one file in VLC and MPD",
        rows,
        facts,
        [note],
    )


if __name__ == "__main__":
    main()
