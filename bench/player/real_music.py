"""Real music played through: gaps, jumps between neighbours and peaks over eighty minutes, rendered offline.

``python bench/player/real_music.py DIR...``, for example the folders of Debian's packages
``hyperrogue-music`` and ``singularity-music`` (CC-BY-SA-3.0; ``apt-get download`` and ``dpkg -x``).
Writes bench/results/player_real_music.json and .md.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT), str(ROOT / "tests" / "player")]

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
from report import machine, write  # noqa: E402
from scipy.signal import resample_poly  # noqa: E402

from player.deck import MIX_RATE_HZ  # noqa: E402
from player.loudness import LoudnessMeter  # noqa: E402
from player.music import WearerMood  # noqa: E402
from player.planner import MAX_GAIN_DB, gain_db  # noqa: E402
from player.render import RenderReport, library_for, render  # noqa: E402
from player.wav_sink import WavSink  # noqa: E402

MINUTES = 80.0
CHUNK_S = 10
QUIET_DB = -70.0


def scripted() -> list[WearerMood]:
    """A wearer who goes up and down in ten minutes, so that tracks of every mood come."""
    return [
        WearerMood(float(t), None, 0.9 * math.sin(2 * math.pi * t / 600), 0.8, "ok", "neutral")
        for t in range(0, int(MINUTES * 60), 5)
    ]


def heard(path: Path, starts_s: list[float]) -> tuple[float, float, float]:
    """The longest quiet in ms around changes of tracks and elsewhere, and the highest true peak in dBTP."""
    quiet_ms: list[tuple[int, int]] = []
    at = run = 0
    peak = 0.0
    step = MIX_RATE_HZ // 1000
    for chunk in soundfile.blocks(path, CHUNK_S * MIX_RATE_HZ, dtype="float32"):
        whole = chunk[: len(chunk) // step * step]
        levels = np.sqrt(np.mean(np.square(whole.reshape(-1, step * 2)), axis=1))
        for quiet in levels < 10 ** (QUIET_DB / 20):
            if quiet:
                run += 1
            elif run:
                quiet_ms.append((at - run, run))
                run = 0
            at += 1
        if np.abs(chunk).max(initial=0) > 0.5:
            peak = max(peak, float(np.abs(resample_poly(chunk, 8, 1, axis=0)).max()))

    def at_a_change(begin_ms: int, length_ms: int) -> bool:
        return any(
            start - 1 < (begin_ms + length_ms) / 1000 and begin_ms / 1000 < start + 10 for start in starts_s
        )

    changing = max((length for begin, length in quiet_ms if at_a_change(begin, length)), default=0)
    within = max((length for begin, length in quiet_ms if not at_a_change(begin, length)), default=0)
    return float(changing), float(within), 20 * math.log10(max(peak, 1e-9))


def loudness_of(path: Path, start_s: float, stop_s: float) -> float | None:
    sound = soundfile.read(
        path, start=round(start_s * MIX_RATE_HZ), stop=round(stop_s * MIX_RATE_HZ), dtype="float32"
    )[0]
    meter = LoudnessMeter()
    meter.push(np.ascontiguousarray(sound.T))
    return meter.integrated_lufs()


def neighbours(path: Path, report: RenderReport) -> list[dict[str, Any]]:
    """Loudness of each track over all that is heard of it alone."""
    starts = [decision.at_s for decision in report.decisions]
    rows = []
    for decision, start_s, stop_s in zip(
        report.decisions, starts, [*starts[1:], report.seconds], strict=True
    ):
        if stop_s - start_s < 30:
            continue
        track = decision.chosen
        rows.append(
            {
                "title": track.title,
                "lufs": loudness_of(path, start_s + 9, stop_s - 1),
                "limited by": _limit(gain_db(track), track.loudness_lufs),
            }
        )
    return rows


def _limit(gain: float, lufs: float | None) -> str:
    if lufs is None or abs(gain - (-18 - lufs)) < 0.01:
        return ""
    return "the most that a track is raised" if gain >= MAX_GAIN_DB - 0.01 else "its peaks"


def main() -> None:
    folders = [Path(name) for name in sys.argv[1:]]
    if not folders:
        raise SystemExit(__doc__)
    facts = machine()
    with tempfile.TemporaryDirectory() as name:
        cache = Path(os.environ.get("NEUROPLAYER_CACHE_DIR") or name)
        out = Path(name) / "out.wav"
        with library_for(folders, cache) as library:
            facts["tracks"] = len(library.tracks)
            report = render(scripted(), library, WavSink(out), seconds=MINUTES * 60)
        gap_ms, within_ms, peak = heard(out, [decision.at_s for decision in report.decisions[1:]])
        tracks = neighbours(out, report)
    known = [row["lufs"] for row in tracks if row["lufs"] is not None]
    jumps = np.abs(np.diff(known))
    rows = [
        {
            "figure": "longest quiet below -70 dBFS around a change (1 s before to 10 s after it began)",
            "measured": f"{gap_ms:.0f} ms",
            "target": "20 ms",
            "kept": gap_ms <= 20,
        },
        {
            "figure": f"loudness jump between neighbours, {len(jumps)} changes",
            "measured": f"median {np.median(jumps):.2f}, at most {jumps.max():.2f} LU",
            "target": "3 dB",
            "kept": bool(jumps.max() <= 3),
        },
        {"figure": "true peak", "measured": f"{peak:.2f} dBTP", "target": "< -1 dBTP", "kept": peak < -1},
        {
            "figure": "render, times real time",
            "measured": f"{report.speed:.0f}",
            "target": "30",
            "kept": report.speed >= 30,
        },
    ]
    limited = sorted({f"{row['title']} ({row['limited by']})" for row in tracks if row["limited by"]})
    notes = [
        f"Longest quiet inside a piece, as composed: {within_ms:.0f} ms.",
        "",
        f"Tracks that could not be brought to -18 LUFS: {', '.join(limited) or 'none'}.",
    ]
    write("player_real_music", f"{MINUTES:.0f} minutes of real music", rows, facts, notes)


if __name__ == "__main__":
    main()
