"""Playing on for long: underruns and memory, with a busy process on the other core.

``python bench/player/soak.py [SECONDS]`` (an hour by default; ``make soak``); writes
bench/results/player_soak.json and .md. Tracks are short and skipped now and then, so that decks come and go.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT)]

import psutil  # noqa: E402
from report import machine, write  # noqa: E402

from player.choice.chooser import Chooser  # noqa: E402
from player.deck import MIX_RATE_HZ, PcmBlock  # noqa: E402
from player.decks.deck_opening import deck_maker  # noqa: E402
from player.demo.demo_music import ensure_demo_music  # noqa: E402
from player.library.library import Library  # noqa: E402
from player.mixing.mixer import Mixer  # noqa: E402
from player.outputs.outputs import Outputs  # noqa: E402
from player.playback.auto_dj import AutoDj  # noqa: E402
from player.playback.playback import DeckCloser, Playback  # noqa: E402
from player.sink import LEAD_S, NullSink  # noqa: E402

SKIP_EVERY_S = 20.0
LATE_S = 0.16
"""Longer between two blocks is worth a line."""
BUSY = "import numpy as np\nwhile True: np.linalg.svd(np.random.rand(60, 60))"


class Card(NullSink):
    """A sound card in arithmetic: it starts with what the clock gives ahead, and counts when it runs dry."""

    def __init__(self) -> None:
        self.held_s = LEAD_S
        self.underruns = 0
        self.lowest_s = LEAD_S
        self._at_s: float | None = None

    def write(self, block: PcmBlock, wait: bool = True) -> None:
        now_s = time.monotonic()
        if self._at_s is not None:
            if now_s - self._at_s > LATE_S:
                print(f"{now_s - self._at_s:.3f} s between two blocks", flush=True)
            self.held_s -= now_s - self._at_s
            self.lowest_s = min(self.lowest_s, self.held_s)
            if self.held_s < 0:
                self.underruns += 1
                self.held_s = 0.0
        self._at_s = now_s
        self.held_s = min(LEAD_S + 0.1, self.held_s + len(block) / MIX_RATE_HZ)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3600.0
    facts = machine() | {"seconds": seconds}
    busy = subprocess.Popen([sys.executable, "-c", BUSY], env=os.environ | {"OPENBLAS_NUM_THREADS": "1"})
    card, me, sizes, changes = Card(), psutil.Process(), [], []
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            with Library.open([ensure_demo_music(folder)], folder / "cache") as library:
                chooser, closer = Chooser(), DeckCloser()
                make = deck_maker("auto", library.open_file)
                engine = AutoDj(
                    Mixer(), chooser, library, make, close_deck=closer, on_decision=changes.append
                )
                playback = Playback(engine, chooser, library, Outputs([card]), closer)
                playback.start()
                began = time.monotonic()
                while time.monotonic() - began < seconds:
                    time.sleep(SKIP_EVERY_S)
                    playback.skip()
                    sizes.append((time.monotonic() - began, me.memory_info().rss / 1e6))
                    print(
                        f"{sizes[-1][0]:6.0f} s {sizes[-1][1]:7.1f} MB, {card.underruns} underruns",
                        flush=True,
                    )
                playback.close()
    finally:
        busy.kill()
        busy.wait()
    quarters = [
        statistics.median(
            size for at, size in sizes if quarter * seconds <= 4 * at <= (quarter + 1) * seconds
        )
        for quarter in range(4)
    ]
    rows = [
        {
            "figure": f"underruns of a card fed {1000 * LEAD_S:.0f} ms ahead",
            "measured": card.underruns,
            "target": 0,
        },
        {"figure": "least held by the card, ms", "measured": round(1000 * card.lowest_s), "target": "> 0"},
        {"figure": "tracks played", "measured": len(changes), "target": ""},
        {
            "figure": "memory, MB, median of each quarter",
            "measured": ", ".join(f"{size:.1f}" for size in quarters),
            "target": "",
        },
        {
            "figure": "growth from the second quarter to the last, MB",
            "measured": round(quarters[3] - quarters[1], 1),
            "target": "flat",
        },
    ]
    write("player_soak", f"Playing on for {seconds:.0f} s, with a busy process beside", rows, facts)


if __name__ == "__main__":
    main()
