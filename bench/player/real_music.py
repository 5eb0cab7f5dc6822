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
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT), str(ROOT / "tests")]

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from report import machine, write  # noqa: E402
from scipy.signal import resample_poly  # noqa: E402

from player.analysis.loudness import LoudnessMeter  # noqa: E402
from player.deck import MIX_RATE_HZ, PcmBlock  # noqa: E402
from player.decks.av_deck import decoded  # noqa: E402
from player.music import Track, WearerMood  # noqa: E402
from player.outputs.wav_sink import WavSink  # noqa: E402
from player.playback.transition import MAX_GAIN_DB, gain_db  # noqa: E402
from player.render import RenderReport, library_for, render  # noqa: E402
from support.sounds.playback_rig import open_plain  # noqa: E402

MINUTES = 80.0
CHUNK_S = 10
QUIET_DB = -70.0
SLACK_S = 0.1
"""By how much the moment of a decision may be off."""
WORTH_A_LOOK_MS = 5
Quiet = tuple[int, int]


def scripted() -> list[WearerMood]:
    """A wearer who goes up and down in ten minutes, so that tracks of every mood come."""
    return [
        WearerMood(float(t), None, 0.9 * math.sin(2 * math.pi * t / 600), 0.8, "ok", "neutral")
        for t in range(0, int(MINUTES * 60), 5)
    ]


def heard(path: Path) -> tuple[list[Quiet], float]:
    """Every stretch of quiet as (begin, length) in ms, and the highest true peak in dBTP."""
    stretches: list[Quiet] = []
    at = run = 0
    peak = 0.0
    for chunk in soundfile.blocks(path, CHUNK_S * MIX_RATE_HZ, dtype="float32"):
        for quiet in levels_a_ms(chunk) < 10 ** (QUIET_DB / 20):
            if quiet:
                run += 1
            elif run:
                stretches.append((at - run, run))
                run = 0
            at += 1
        if np.abs(chunk).max(initial=0) > 0.5:
            peak = max(peak, float(np.abs(resample_poly(chunk, 8, 1, axis=0)).max()))
    return stretches, 20 * math.log10(max(peak, 1e-9))


def levels_a_ms(sound: PcmBlock) -> NDArray[np.float32]:
    step = MIX_RATE_HZ // 1000
    whole = sound[: len(sound) // step * step]
    levels: NDArray[np.float32] = np.sqrt(np.mean(np.square(whole.reshape(-1, step * 2)), axis=1))
    return levels


def at_a_change(quiet: Quiet, starts_s: Sequence[float]) -> bool:
    begin_s, end_s = quiet[0] / 1000, sum(quiet) / 1000
    return any(start - 1 < end_s and begin_s < start + 10 for start in starts_s)


def not_of_the_file(quiet: Quiet, report: RenderReport) -> int:
    """How many ms of a quiet inside a piece its file does not have in the same place."""
    begin_ms, length_ms = quiet
    decision = [one for one in report.decisions if one.at_s * 1000 <= begin_ms][-1]
    track = decision.chosen
    start_s = max(0.0, track.cue_in_s + begin_ms / 1000 - decision.at_s - SLACK_S)
    parts: list[PcmBlock] = []
    wanted = round((length_ms / 1000 + 2 * SLACK_S) * MIX_RATE_HZ)
    for part in decoded(track.location, start_s, open_plain):
        parts.append(part)
        if sum(map(len, parts)) >= wanted:
            break
    source = np.concatenate(parts)[:wanted]
    in_file = levels_a_ms(source) < 10 ** ((QUIET_DB - gain_db(track)) / 20)
    return max(0, length_ms - int(in_file.sum()))


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
                "limited by": _limit(track),
            }
        )
    return rows


def _limit(track: Track) -> str:
    gain = gain_db(track)
    if gain < gain_db(replace(track, true_peak_dbtp=None)):
        return "its peaks"
    return "the most that a track is raised" if gain == MAX_GAIN_DB else ""


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
        stretches, peak = heard(out)
        starts_s = [decision.at_s for decision in report.decisions[1:]]
        gap_ms = max((quiet[1] for quiet in stretches if at_a_change(quiet, starts_s)), default=0)
        within = [
            quiet for quiet in stretches if quiet[1] > WORTH_A_LOOK_MS and not at_a_change(quiet, starts_s)
        ]
        ours_ms = max((not_of_the_file(quiet, report) for quiet in within), default=0)
        tracks = neighbours(out, report)
    known = [row["lufs"] for row in tracks if row["lufs"] is not None]
    jumps = np.abs(np.diff(known))
    rows = [
        {
            "figure": "longest quiet below -70 dBFS around a change (1 s before to 10 s after it began)",
            "measured": f"{gap_ms} ms",
            "target": "20 ms",
            "kept": gap_ms <= 20,
        },
        {
            "figure": "longest quiet inside a piece that its file does not have there",
            "measured": f"{ours_ms} ms",
            "target": "20 ms",
            "kept": ours_ms <= 20,
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
    longest_ms = max((quiet[1] for quiet in within), default=0)
    notes = [
        f"Of {len(within)} quiet stretches inside pieces (up to {longest_ms} ms) the files were looked at.",
        "",
        f"Tracks whose gain was bounded: {', '.join(limited) or 'none'}.",
    ]
    write("player_real_music", f"{MINUTES:.0f} minutes of real music", rows, facts, notes)


if __name__ == "__main__":
    main()
