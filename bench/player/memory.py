"""Memory over many opens: each deck a hundred times and a hundred more, alone in a process of its own.

``python bench/player/memory.py [OPENS]``; writes bench/results/player_memory.json and .md.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT), str(ROOT / "tests")]

from report import machine, write  # noqa: E402

CHILD = """
import gc, json, sys, time
import psutil
from player.deck import MIX_RATE_HZ
from player.decks.deck_opening import deck_maker
make = deck_maker(sys.argv[1], lambda location: open(location, "rb"))
me = psutil.Process()
opens, paths, sizes = int(sys.argv[2]), sys.argv[3:], []
for number in range(2 * opens + 1):
    if number % (opens // 2) == 0:
        gc.collect()
        sizes.append(me.memory_info().rss)
    deck = make(paths[0])
    deck.open(paths[number % len(paths)])
    until = time.monotonic() + 5
    while deck.buffered_frames() < MIX_RATE_HZ // 2 and time.monotonic() < until:
        time.sleep(0.005)
    deck.close()
print(json.dumps({"sizes": sizes, "threads": me.num_threads(), "files": me.num_fds()}))
"""


def measured(kind: str, opens: int, paths: list[str]) -> dict[str, Any]:
    """Sizes in MB at the start, after half of the opens, after all, and so on to twice as many."""
    command = [sys.executable, "-c", CHILD, kind, str(opens), *paths]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT, text=True).stdout)
    start, half, first, _, second = (size / 1e6 for size in answer["sizes"])
    return {
        "deck": kind,
        "MB at the start": round(start, 1),
        f"growth over opens 1-{opens // 2}": round(half - start, 1),
        f"growth over opens {opens // 2}-{opens}": round(first - half, 1),
        f"growth over opens {opens}-{2 * opens}": round(second - first, 1),
        "threads at the end": answer["threads"],
        "open files": answer["files"],
    }


def main() -> None:
    from support.sounds.audio_files import make_file

    opens = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    facts = machine()
    with tempfile.TemporaryDirectory() as name:
        paths = [str(make_file(Path(name), kind, 20.0)) for kind in ("mp3", "flac", "ogg", "m4a")]
        rows = [measured(kind, opens, paths) for kind in ("av", "vlc")]
    write("player_memory", "Memory over many opens, in MB", rows, facts)


if __name__ == "__main__":
    main()
