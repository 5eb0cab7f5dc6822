"""What is heard, measured: fades, starts, clicks, loudness of neighbours and peaks between the samples.

``python bench/player/sound.py``; writes bench/results/player_sound.json and .md.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT), str(ROOT / "tests")]

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
from report import machine, write  # noqa: E402
from scipy.signal import resample_poly  # noqa: E402

from player.analysis.loudness import LoudnessMeter  # noqa: E402
from player.choice.chooser import PolicySettings  # noqa: E402
from player.deck import MIX_RATE_HZ, PcmBlock  # noqa: E402
from player.music import Track  # noqa: E402
from player.outputs.wav_sink import WavSink  # noqa: E402
from player.render import OfflineSession  # noqa: E402
from support.sounds.playback_rig import (  # noqa: E402
    above_4k_db,
    high_noise,
    level_db,
    make_session,
    tone,
    windows_db,
    write_track,
)

Row = dict[str, Any]


def through_a_file(session: OfflineSession, seconds: float, folder: Path) -> PcmBlock:
    """Everything is judged on the WAV file that comes out, not on arrays inside."""
    path = folder / "out.wav"
    sink = WavSink(path)
    sink.open()
    for block in session.blocks(seconds, 1024):
        sink.write(block)
    sink.write(session.mixer.flush())
    sink.close()
    session.close()
    return np.asarray(soundfile.read(path, dtype="float32")[0])


def fade_levels(folder: Path) -> list[Row]:
    rows = []
    for fade_s in (2.0, 8.0, 20.0):
        length_s = 2 * fade_s + 12
        tracks = [
            write_track(folder, f"noise{i}", high_noise(length_s, seed=i), arousal=0.5 * i) for i in range(2)
        ]
        sound = through_a_file(make_session(tracks, crossfade_s=fade_s), length_s + 6, folder)
        start = round((length_s - fade_s) * MIX_RATE_HZ)
        plain = level_db(sound[MIX_RATE_HZ : start - MIX_RATE_HZ])
        levels = [level - plain for level in windows_db(sound[start : start + round(fade_s * MIX_RATE_HZ)])]
        reached = max(abs(min(levels)), abs(max(levels)))
        rows.append(
            {
                "figure": f"level through a fade of {fade_s:g} s, in windows of 0.5 s",
                "measured": f"{min(levels):+.2f} .. {max(levels):+.2f} dB",
                "target": "+-0.3 dB",
                "kept": reached <= 0.3,
            }
        )
    return rows


def fade_start(folder: Path) -> Row:
    off = []
    for extra in (0, 1, 777, 1023):
        quiet = np.zeros((10 * MIX_RATE_HZ + extra, 2), np.float32)
        tracks = [
            write_track(folder, "quiet", quiet, arousal=-0.7),
            write_track(folder, "mark", np.full((40 * MIX_RATE_HZ, 2), 0.25, np.float32), arousal=0.9),
        ]
        sound = through_a_file(make_session(tracks, crossfade_s=2.0), 12, folder)
        first = int(np.flatnonzero(np.abs(sound[:, 0]) > 0)[0])
        # the gain of the planned frame itself is sin(0) = 0, and a 24-bit file needs 2 frames to show 1e-7
        off.append(first - (8 * MIX_RATE_HZ + extra) - 1)
    return {
        "figure": "start of a fade against the plan, in the WAV file",
        "measured": f"{min(off)} .. {max(off)} frames",
        "target": "0 frames",
        "kept": not any(off),
    }


def sine_fades(folder: Path) -> list[Row]:
    rows = []
    for fade_s in (2.0, 8.0, 20.0):
        length_s = 2 * fade_s + 12
        tracks = [
            write_track(folder, f"sine{i}", tone(length_s, 440 + 220 * i), arousal=0.5 * i) for i in range(2)
        ]
        sound = through_a_file(make_session(tracks, crossfade_s=fade_s), length_s + 6, folder)
        start = round((length_s - fade_s - 0.5) * MIX_RATE_HZ)
        loudest = above_4k_db(sound[start : start + round((fade_s + 1) * MIX_RATE_HZ)])
        rows.append(
            {
                "figure": f"above 4 kHz while two sines fade over {fade_s:g} s",
                "measured": f"{loudest:.1f} dBFS",
                "target": "< -95 dBFS",
                "kept": loudest < -95,
            }
        )
    return rows


def measured(folder: Path, name: str, sound: PcmBlock, arousal: float) -> Track:
    meter = LoudnessMeter()
    meter.push(np.ascontiguousarray(sound.T))
    peak = meter.true_peak_dbtp()
    return write_track(folder, name, sound, arousal=arousal, lufs=meter.integrated_lufs(), peak=peak)


def neighbours(folder: Path) -> Row:
    levels = (-26.0, -12.0, -20.0, -8.0, -23.0)
    tracks = [
        measured(folder, f"level{i}", np.clip(high_noise(40, seed=i, level_dbfs=level), -1, 1), 0.1 * i)
        for i, level in enumerate(levels)
    ]
    session = make_session(tracks, crossfade_s=4.0)
    sound = through_a_file(session, 180, folder)
    loudness = []
    for decision in session.decisions[:5]:
        at = round((decision.at_s + 5) * MIX_RATE_HZ)
        meter = LoudnessMeter()
        meter.push(np.ascontiguousarray(sound[at : at + 25 * MIX_RATE_HZ].T))
        loudness.append(meter.integrated_lufs() or 0.0)
    jump = float(np.abs(np.diff(loudness)).max())
    return {
        "figure": "loudness of neighbours whose files differ by 18 dB",
        "measured": f"at most {jump:.2f} LU apart",
        "target": "< 1 LU",
        "kept": jump < 1,
    }


def peaks(folder: Path) -> Row:
    tracks = []
    for i in range(3):
        rng = np.random.default_rng(i)
        loud = np.tanh(high_noise(30, seed=i, level_dbfs=-9) * 3)
        loud[rng.integers(0, len(loud), 300)] *= 1.4
        tracks.append(
            write_track(folder, f"loud{i}", loud.astype(np.float32), arousal=0.1 * i, lufs=-18.0, peak=None)
        )
    session = make_session(tracks, crossfade_s=8.0)
    sound = through_a_file(session, 80, folder)
    highest = max(
        float(20 * np.log10(np.abs(resample_poly(sound[at : at + 480_000], 16, 1, axis=0)).max()))
        for at in range(0, len(sound), 480_000)
    )
    raw = max(float(20 * np.log10(np.abs(soundfile.read(track.location)[0]).max())) for track in tracks)
    return {
        "figure": f"peak between the samples (16-fold), clipped tracks of {raw:+.1f} dBFS crossfaded",
        "measured": f"{highest:.2f} dBTP",
        "target": "< -1 dBTP",
        "kept": highest < -1,
    }


def hot_bursts(folder: Path) -> Row:
    """Full-band bursts clipped at many levels below full scale, with the gain that soft music is given."""
    tracks = []
    for i, (level, lufs) in enumerate(((0.40, -20.0), (0.54, -20.0), (0.70, -20.0), (0.97, -14.0))):
        rng = np.random.default_rng(i)
        sound = rng.choice([-level, level], (30 * MIX_RATE_HZ, 2)) * (
            rng.random((30 * MIX_RATE_HZ, 1)) < 0.995
        )
        sound[np.arange(len(sound)) % 24_000 > 6_000] *= 0.02
        tracks.append(
            write_track(folder, f"hot{i}", sound.astype(np.float32), arousal=0.1 * i, lufs=lufs, peak=None)
        )
    sound = through_a_file(make_session(tracks, crossfade_s=4.0), 100, folder)
    highest = max(
        float(20 * np.log10(np.abs(resample_poly(sound[at : at + 480_000], 16, 1, axis=0)).max()))
        for at in range(0, len(sound), 480_000)
    )
    return {
        "figure": "peak between the samples (16-fold), full-band bursts clipped at -8 to -0.3 dBFS",
        "measured": f"{highest:.2f} dBTP",
        "target": "<= -1 dBTP",
        "kept": highest <= -1,
    }


def album_joins(folder: Path) -> Row:
    """Three parts of one signal, cut anywhere, as an album."""
    whole = high_noise(60, seed=11)
    tracks = []
    for number, part in enumerate(np.split(whole, [20 * MIX_RATE_HZ + 77, 41 * MIX_RATE_HZ + 1001]), 1):
        track = write_track(folder, f"part{number}", part, lufs=-18.0)
        tracks.append(replace(track, album="a", part=1000 + number))
    session = make_session(tracks, policy=PolicySettings(policy="album"))
    session.engine.resume_at(tracks[0], 0.0, 0.0)
    sound = np.concatenate(list(session.blocks(50, 1024)))
    session.close()
    off = float(np.abs(sound[MIX_RATE_HZ:] - whole[MIX_RATE_HZ : len(sound)]).max())
    return {
        "figure": "an album of three parts against the signal they were cut from",
        "measured": f"{off:g} of full scale",
        "target": "0",
        "kept": off == 0,
    }


def main() -> None:
    facts = machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [
            *fade_levels(folder),
            fade_start(folder),
            *sine_fades(folder),
            neighbours(folder),
            peaks(folder),
            hot_bursts(folder),
            album_joins(folder),
        ]
    write("player_sound", "What is heard, measured on the WAV file that comes out", rows, facts)


if __name__ == "__main__":
    main()
