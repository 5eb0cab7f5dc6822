"""From a command to sound, and how fast the offline parts are.

``python bench/player/speed.py``; writes bench/results/player_speed.json and .md.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [
    str(Path(__file__).parent),
    str(ROOT),
    str(ROOT / "tests"),
    str(ROOT / "tests"),
]

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # as the analysing process has it

import numpy as np  # noqa: E402
import psutil  # noqa: E402
from report import machine, write  # noqa: E402

from player.analysis.track_analysis import analyse  # noqa: E402
from player.choice.chooser import Chooser  # noqa: E402
from player.deck import MIX_RATE_HZ, PcmBlock  # noqa: E402
from player.decks.deck_opening import deck_maker  # noqa: E402
from player.demo.demo_music import ensure_demo_music  # noqa: E402
from player.library.library import Library  # noqa: E402
from player.mixing.mixer import Mixer  # noqa: E402
from player.music import WearerMood  # noqa: E402
from player.outputs.outputs import Outputs  # noqa: E402
from player.playback.auto_dj import AutoDj  # noqa: E402
from player.playback.playback import DeckCloser, Playback  # noqa: E402
from player.render import library_for, render  # noqa: E402
from player.sink import LEAD_S, NullSink  # noqa: E402
from support.sounds.audio_files import make_file  # noqa: E402
from support.sounds.playback_rig import tone  # noqa: E402

SKIPS = 15


class Listening(NullSink):
    """Notes when a block that carries the other pitch arrives."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, float]] = []
        self._lock = threading.Lock()

    def write(self, block: PcmBlock, wait: bool = True) -> None:
        spectrum = np.abs(np.fft.rfft(block[:, 0] * np.hanning(len(block))))
        low, high = float(spectrum[:21].sum()), float(spectrum[40:].sum())
        with self._lock:
            self.heard.append((time.monotonic(), high / max(1e-9, low + high)))
            del self.heard[:-200]


def skip_latency_ms(folder: Path) -> list[float]:
    """From the call to the first block whose share of the coming pitch has changed by a tenth."""
    import soundfile

    music = folder / "music"
    music.mkdir()
    for i, hertz in enumerate((300, 3000)):
        soundfile.write(music / f"t{i}.wav", tone(240, hertz), MIX_RATE_HZ)
    listening = Listening()
    with Library.open([music], folder / "cache") as library:
        library.wait_idle(60)
        chooser, closer = Chooser(), DeckCloser()
        engine = AutoDj(Mixer(), chooser, library, deck_maker("auto", library.open_file), close_deck=closer)
        playback = Playback(engine, chooser, library, Outputs([listening]), closer)
        playback.start()
        taken = []
        try:
            for _ in range(SKIPS):
                time.sleep(4)
                before = float(np.mean([share for _, share in listening.heard[-20:]]))
                asked = time.monotonic()
                playback.skip()
                while True:
                    at, share = listening.heard[-1]
                    if at > asked and abs(share - before) > 0.1:
                        taken.append(1000 * (at - asked))
                        break
                    time.sleep(0.002)
        finally:
            playback.close()
    return sorted(taken)


def analysis_cpu_s(paths: Sequence[Path]) -> float:
    """Processor seconds for each minute of sound."""
    began, minutes = busy_s(), 0.0
    for path in paths:
        with path.open("rb") as file:
            minutes += analyse(file).duration_s / 60
    return (busy_s() - began) / minutes


def start_cpu_s() -> float:
    """What the analysing process costs once, before its first file."""
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", "import player.library.scan_worker"], cwd=ROOT, check=True)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime


def busy_s() -> float:
    return float(sum(psutil.Process().cpu_times()[:2]))


def render_speed(folder: Path) -> float:
    states = [
        WearerMood(float(t), None, 0.6 * (-1) ** (t // 200), 0.8, "ok", "neutral") for t in range(0, 1200, 5)
    ]
    with library_for([ensure_demo_music(folder)], folder / "cache") as library:
        return render(states, library, NullSink()).speed


def main() -> None:
    facts = machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        once_s = start_cpu_s()
        cpu_s = analysis_cpu_s(sorted(ensure_demo_music(folder).glob("*.wav")))
        mp3_cpu_s = analysis_cpu_s([make_file(folder, "mp3", 240.0, rate_hz=44_100)])
        speed = render_speed(folder)
        skips = skip_latency_ms(folder)
    rows: list[dict[str, Any]] = [
        {
            "figure": f"skip to audible change, median of {len(skips)}",
            "measured": f"{skips[len(skips) // 2]:.0f} ms, at most {skips[-1]:.0f} ms",
            "target": "< 300 ms and the output's buffer",
            "kept": skips[-1] < 300,
        },
        {
            "figure": "analysis, processor seconds a minute of music, WAV of 48 kHz",
            "measured": f"{cpu_s:.2f}",
            "target": "0.4",
            "kept": cpu_s <= 0.4,
        },
        {
            "figure": "analysis, processor seconds a minute of a tone, MP3 of 44.1 kHz",
            "measured": f"{mp3_cpu_s:.2f}",
            "target": "0.4",
            "kept": mp3_cpu_s <= 0.4,
        },
        {
            "figure": "render of 20 minutes, times real time",
            "measured": f"{speed:.0f}",
            "target": "30",
            "kept": speed >= 30,
        },
    ]
    ahead_ms = 1000 * LEAD_S
    note = (
        f"The output here is a sink that listens, paced by a clock {ahead_ms:.0f} ms ahead; a sound device "
        f"adds its buffer of {ahead_ms:.0f} to {ahead_ms + 60:.0f} ms. The analysing process pays another "
        f"{once_s:.1f} processor seconds once, before its first file, to start."
    )
    write("player_speed", "Latency and speed of the player", rows, facts, [note])


if __name__ == "__main__":
    main()
