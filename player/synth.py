"""A small synthesiser: wavetable voices, drums and a stereo canvas, fast enough for minutes in seconds."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 48_000
TABLE_BITS = 13
Stereo = NDArray[np.float32]
"""Shape (2, n_frames), full scale +-1."""

HARMONICS: dict[str, tuple[float, ...]] = {
    "pad": (1.0, 0.42, 0.2, 0.1, 0.05, 0.03),
    "warm": (1.0, 0.18, 0.06),
    "bass": (1.0, 0.55, 0.3, 0.16, 0.08),
    "pluck": (1.0, 0.6, 0.45, 0.3, 0.2, 0.14, 0.1, 0.07),
    "bell": (1.0, 0.0, 0.35, 0.0, 0.0, 0.22, 0.0, 0.0, 0.1),
    "lead": (1.0, 0.7, 0.5, 0.42, 0.34, 0.28, 0.22, 0.18, 0.14, 0.1),
}
"""Amplitudes of the partials of each voice."""

ENVELOPES: dict[str, tuple[float, float, float]] = {
    "pad": (0.35, 0.0, 0.5),
    "warm": (0.12, 0.6, 0.25),
    "bass": (0.012, 1.6, 0.06),
    "pluck": (0.004, 3.5, 0.05),
    "bell": (0.003, 2.2, 0.08),
    "lead": (0.01, 1.2, 0.06),
}
"""Attack as a share of the note, decay rate per second, release as a share of the note."""


def frequency_hz(midi_note: float) -> float:
    """Equal temperament, A4 = 440 Hz = MIDI note 69."""
    return float(440.0 * 2.0 ** ((midi_note - 69) / 12))


@lru_cache(maxsize=32)
def _table(voice: str) -> NDArray[np.float32]:
    phase = np.arange(1 << TABLE_BITS) * (2 * np.pi / (1 << TABLE_BITS))
    amplitudes = HARMONICS[voice]
    wave = sum(level * np.sin((k + 1) * phase) for k, level in enumerate(amplitudes))
    return (np.asarray(wave) / sum(amplitudes)).astype(np.float32)


def _cycle(voice: str, hertz: float, n_frames: int) -> NDArray[np.float32]:
    step = np.uint32(round(hertz / RATE_HZ * 2**32))
    phase = np.arange(n_frames, dtype=np.uint32) * step
    wave: NDArray[np.float32] = _table(voice)[phase >> np.uint32(32 - TABLE_BITS)]
    return wave


@lru_cache(maxsize=256)
def tone(voice: str, midi_note: float, seconds: float) -> Stereo:
    """One note (2, n_frames) with its envelope, the two sides a few cents apart for width."""
    n_frames = int(seconds * RATE_HZ)
    attack, decay, release = ENVELOPES[voice]
    time_s = np.arange(n_frames, dtype=np.float32) / np.float32(RATE_HZ)
    envelope = np.exp(-decay * time_s) if decay else np.ones(n_frames, dtype=np.float32)
    rise = max(64, int(n_frames * attack))
    fall = max(64, int(n_frames * release))
    envelope[:rise] *= np.sin(np.linspace(0, np.pi / 2, rise, dtype=np.float32)) ** 2
    envelope[-fall:] *= np.cos(np.linspace(0, np.pi / 2, fall, dtype=np.float32)) ** 2
    hertz = frequency_hz(midi_note)
    cents = 2 ** (4 / 1200)
    return (
        np.stack([_cycle(voice, hertz / cents, n_frames), _cycle(voice, hertz * cents, n_frames)]) * envelope
    )


@lru_cache(maxsize=8)
def drum(kind: str) -> Stereo:
    """``kick``, ``snare``, ``hat`` or ``shaker``, (2, n_frames), the same on every call."""
    seconds = {"kick": 0.32, "snare": 0.22, "hat": 0.06, "shaker": 0.12}[kind]
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    rng = np.random.default_rng(len(kind) * 101 + ord(kind[0]))
    noise = rng.uniform(-1, 1, (2, len(time_s)))
    bright = np.diff(noise, axis=1, prepend=0.0)
    if kind == "kick":
        sweep = 2 * np.pi * np.cumsum(46 + 110 * np.exp(-time_s * 32)) / RATE_HZ
        wave = np.tile(np.sin(sweep) * np.exp(-time_s * 11), (2, 1))
    elif kind == "snare":
        body = np.sin(2 * np.pi * 185 * time_s) * np.exp(-time_s * 26)
        wave = 0.5 * body + 0.45 * (noise + bright) * np.exp(-time_s * 20)
    elif kind == "hat":
        wave = 0.5 * np.diff(bright, axis=1, prepend=0.0) * np.exp(-time_s * 75)
    else:
        wave = 0.5 * bright * np.sin(np.pi * np.minimum(1, time_s / seconds)) ** 2
    tail = min(480, len(time_s))
    wave[:, -tail:] *= np.linspace(1, 0, tail)
    normal: Stereo = (wave / np.abs(wave).max()).astype(np.float32)
    return normal


class Canvas:
    """Stereo sound of a fixed length that notes are added to."""

    def __init__(self, seconds: float) -> None:
        self.samples: Stereo = np.zeros((2, int(seconds * RATE_HZ)), dtype=np.float32)

    def add(self, wave: Stereo, at_s: float, gain: float, pan: float = 0.0) -> None:
        """Mix ``wave`` (2, n) in at ``at_s``; ``pan`` -1 is left, +1 right. What lies past the end is cut."""
        start = int(at_s * RATE_HZ)
        room = self.samples.shape[1] - start
        if room <= 0:
            return
        sides = np.array([[gain * min(1.0, 1 - pan)], [gain * min(1.0, 1 + pan)]], dtype=np.float32)
        part = wave[:, :room]
        self.samples[:, start : start + part.shape[1]] += part * sides

    def add_room(self, amount: float) -> None:
        """A room of early echoes, alternating sides, each tap softer and later."""
        dry = self.samples.copy()
        for tap, delay_ms in enumerate((31, 47, 71, 113, 167, 239, 331, 443)):
            delay = delay_ms * RATE_HZ // 1000
            level = np.float32(amount * 0.78**tap)
            source = dry[::-1] if tap % 2 else dry
            self.samples[:, delay:] += level * source[:, :-delay]

    def fade(self, in_s: float, out_s: float) -> None:
        """Shape both ends by a raised cosine."""
        for seconds, part in ((in_s, slice(None)), (out_s, slice(None, None, -1))):
            n_frames = min(int(seconds * RATE_HZ), self.samples.shape[1])
            if n_frames:
                ramp = np.sin(np.linspace(0, np.pi / 2, n_frames, dtype=np.float32)) ** 2
                self.samples[:, part][:, :n_frames] *= ramp
