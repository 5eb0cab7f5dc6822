"""Sixty synthetic tracks from silence to drum and bass, each at a level of its own: are they ranked in order?

Run: python bench/player/arousal.py [--seed N]. Writes bench/results/player_arousal.json and .md.
"""

from __future__ import annotations

import argparse
import io
import wave
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from report import machine, write

from player.analysis.track_analysis import analyse
from player.analysis.track_measures import Analysis
from player.library.track_building import ranked_moods

RATE_HZ = 48_000
SECONDS = 24
VARIANTS = 5
LEVELS_DB = (-30.0, 0.0)

Samples = NDArray[np.float64]
Maker = Callable[[np.random.Generator], Samples]


def empty() -> Samples:
    """Silence of one track's length."""
    return np.zeros(RATE_HZ * SECONDS)


def place(out: Samples, at_s: float, sound: Samples, gain: float = 1.0) -> None:
    """Add a sound at a place; what reaches beyond the end is cut."""
    start = round(at_s * RATE_HZ)
    sound = sound[: max(0, len(out) - start)]
    out[start : start + len(sound)] += gain * sound


def note(hertz: float, length_s: float, overtones: int, decay_s: float, attack_s: float = 0.005) -> Samples:
    """A tone that dies away."""
    t = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    body = sum(np.sin(2 * np.pi * hertz * k * t) / k**1.5 for k in range(1, overtones + 1))
    return np.asarray(body * np.minimum(t / attack_s, 1) * np.exp(-t / decay_s))


def hit(rng: np.random.Generator, decay_s: float, low_hz: float, high_hz: float) -> Samples:
    """A burst of noise within a band: a snare or a hat."""
    n = round(6 * decay_s * RATE_HZ)
    spectrum = np.fft.rfft(rng.standard_normal(n))
    hertz = np.fft.rfftfreq(n, 1 / RATE_HZ)
    spectrum[(hertz < low_hz) | (hertz > high_hz)] = 0
    noise = np.fft.irfft(spectrum, n)
    return np.asarray(noise / np.abs(noise).max() * np.exp(-np.arange(n) / RATE_HZ / decay_s))


def kick(decay_s: float = 0.12) -> Samples:
    """A bass drum."""
    t = np.arange(round(6 * decay_s * RATE_HZ)) / RATE_HZ
    return np.asarray(
        np.sin(2 * np.pi * (45 * t + 90 * 0.03 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / decay_s)
    )


def melody(
    rng: np.random.Generator,
    every_s: float,
    overtones: int,
    decay_s: float,
    attack_s: float = 0.005,
    voices: int = 1,
) -> Samples:
    """Notes of a pentatonic scale, one chord of ``voices`` every so often."""
    out = empty()
    for at_s in np.arange(0, SECONDS, every_s):
        for _ in range(voices):
            hertz = 220 * 2 ** (rng.choice([-12, -5, 0, 3, 5, 7, 10, 12]) / 12)
            place(out, at_s, note(hertz, min(6 * decay_s, 6), overtones, decay_s, attack_s))
    return out


def drums(rng: np.random.Generator, bpm: float, pattern: Mapping[str, str]) -> Samples:
    """Bars of sixteen steps, ``x`` for a stroke."""
    sounds = {"kick": kick(), "snare": hit(rng, 0.06, 200, 8000), "hat": hit(rng, 0.02, 6000, 16000)}
    gains = {"kick": 1.0, "snare": 0.7, "hat": 0.3}
    out = empty()
    step_s = 15 / bpm
    for index, at_s in enumerate(np.arange(0, SECONDS, step_s)):
        for name, steps in pattern.items():
            if steps[index % 16] == "x":
                place(out, at_s, sounds[name], gains[name])
    return out


def hiss(rng: np.random.Generator) -> Samples:
    """Silence, or the faint hiss of an empty room."""
    return empty() + rng.choice([0.0, 1e-5]) * rng.standard_normal(RATE_HZ * SECONDS)


def drone(rng: np.random.Generator) -> Samples:
    t = np.arange(RATE_HZ * SECONDS) / RATE_HZ
    root = rng.uniform(60, 130)
    return np.asarray(sum(np.sin(2 * np.pi * root * k * t + k) / k**2 for k in (1, 2, 3)))


def pad(rng: np.random.Generator) -> Samples:
    return melody(rng, rng.uniform(4, 6), 3, 3.0, attack_s=1.5, voices=3)


def slow_piano(rng: np.random.Generator) -> Samples:
    return melody(rng, 60 / rng.uniform(40, 52), 6, 0.8)


def ballad(rng: np.random.Generator) -> Samples:
    return melody(rng, 30 / rng.uniform(64, 74), 8, 0.5) + 0.4 * pad(rng)


def chamber(rng: np.random.Generator) -> Samples:
    return melody(rng, 30 / rng.uniform(84, 96), 12, 0.35, attack_s=0.03, voices=2)


def bossa(rng: np.random.Generator) -> Samples:
    bpm = rng.uniform(98, 108)
    soft = drums(rng, bpm, {"kick": "x...........x...", "hat": "x.x.x.x.x.x.x.x."})
    return 0.35 * soft + melody(rng, 30 / bpm, 8, 0.3, voices=2)


def pop(rng: np.random.Generator) -> Samples:
    bpm = rng.uniform(106, 118)
    beat = drums(
        rng, bpm, {"kick": "x.......x.......", "snare": "....x.......x...", "hat": "x.x.x.x.x.x.x.x."}
    )
    return beat + 0.4 * melody(rng, 30 / bpm, 10, 0.3, voices=2)


def rock(rng: np.random.Generator) -> Samples:
    bpm = rng.uniform(120, 132)
    beat = drums(
        rng, bpm, {"kick": "x..x..x.x..x....", "snare": "....x.......x..x", "hat": "x.x.x.x.x.x.x.x."}
    )
    return beat + 0.5 * np.tanh(4 * melody(rng, 30 / bpm, 8, 0.4, voices=3))


def house(rng: np.random.Generator) -> Samples:
    bpm = rng.uniform(122, 130)
    beat = drums(
        rng, bpm, {"kick": "x...x...x...x...", "snare": "....x.......x...", "hat": "..xx..xx..xx..xx"}
    )
    return beat + 0.3 * np.tanh(3 * melody(rng, 15 / bpm, 10, 0.15, voices=2))


def techno(rng: np.random.Generator) -> Samples:
    bpm = rng.uniform(140, 150)
    beat = drums(
        rng, bpm, {"kick": "x...x...x...x...", "snare": "..x...x...x...x.", "hat": "xxxxxxxxxxxxxxxx"}
    )
    return beat + 0.5 * np.tanh(6 * melody(rng, 15 / bpm, 12, 0.1, voices=2))


def drum_and_bass(rng: np.random.Generator) -> Samples:
    bpm = rng.uniform(170, 178)
    beat = drums(
        rng, bpm, {"kick": "x..x......x..x..", "snare": "....x..x.x..x.xx", "hat": "xxxxxxxxxxxxxxxx"}
    )
    return np.tanh(2 * beat) + 0.5 * np.tanh(8 * melody(rng, 15 / bpm, 14, 0.08, voices=2))


KINDS: tuple[Maker, ...] = (
    *(hiss, drone, pad, slow_piano, ballad, chamber, bossa, pop, rock, house, techno, drum_and_bass),
)
"""From the calmest to the liveliest."""


def measured(samples: Samples, level_db: float) -> Analysis:
    """Measure a track whose highest sample lies at ``level_db``; near silence keeps its own level."""
    peak = float(np.abs(samples).max())
    scaled = samples * (10 ** (level_db / 20) / peak if peak > 1e-3 else 1.0)
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(np.rint(scaled * 32767).astype("<i2").tobytes())
    file.seek(0)
    return analyse(file)


def rank_correlation(a: Samples, b: Samples) -> float:
    """Spearman's rho; ties share their mean rank."""

    def ranks(values: Samples) -> Samples:
        _, place_of, counts = np.unique(values, return_inverse=True, return_counts=True)
        return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place_of])

    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def main() -> None:
    """Rank, and say how well; and how far apart one track lies from itself at another level."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    rng = np.random.default_rng(parser.parse_args().seed)
    order, analyses, softer = [], [], []
    for place_of, make in enumerate(KINDS):
        for _ in range(VARIANTS):
            samples = make(rng)
            order.append(float(place_of))
            analyses.append(measured(samples, rng.uniform(*LEVELS_DB)))
            softer.append(measured(samples, rng.uniform(*LEVELS_DB)))
    arousal = np.array([mood.arousal for mood in ranked_moods([*analyses, *softer])])
    first, second = arousal[: len(order)], arousal[len(order) :]
    rows = [
        {
            "kind": make.__name__.replace("_", " "),
            "arousal, mean of 5": round(float(first[5 * index : 5 * index + 5].mean()), 2),
            "lowest": float(first[5 * index : 5 * index + 5].min()),
            "highest": float(first[5 * index : 5 * index + 5].max()),
        }
        for index, make in enumerate(KINDS)
    ]
    summary = {
        "rank correlation with the known order": round(rank_correlation(np.array(order), first), 3),
        "rank correlation with the level": round(
            rank_correlation(np.array([a.loudness_lufs or -70.0 for a in analyses]), first), 3
        ),
        "largest difference of one track at two levels": round(float(np.abs(first - second).max()), 3),
    }
    write("player_arousal", "Sixty tracks from silence to drum and bass", rows, machine() | summary)


if __name__ == "__main__":
    main()
