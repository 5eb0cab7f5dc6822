"""An engine on generated files and a clock of frames, for tests that listen by measuring."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import soundfile
from numpy.typing import NDArray

from player.choice.chooser import PolicySettings
from player.deck import MIX_RATE_HZ, Deck
from player.music import Track
from player.playback.auto_dj import EngineSettings
from player.render import FixedTracks, OfflineSession
from support.sounds.track_making import make_track

Sound = NDArray[np.float32]


def open_plain(location: str) -> IO[bytes]:
    """For tests whose files are their own."""
    return Path(location).open("rb")


def high_noise(seconds: float, seed: int, level_dbfs: float = -20.0) -> Sound:
    """Pink-like stereo noise above 60 Hz: what fades are judged on (below, level wanders by itself)."""
    n_frames = int(seconds * MIX_RATE_HZ)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal((2, n_frames)), axis=1)
    hertz = np.fft.rfftfreq(n_frames, 1 / MIX_RATE_HZ)
    weight = np.where(hertz > 60, 1 / np.sqrt(np.maximum(hertz, 60)), 0.0)
    noise = np.fft.irfft(spectrum * weight, n_frames, axis=1)
    noise *= 10 ** (level_dbfs / 20) / np.sqrt(np.mean(noise**2))
    return np.ascontiguousarray(noise.T, dtype=np.float32)


def tone(seconds: float, hertz: float, level: float = 0.2) -> Sound:
    wave = level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * MIX_RATE_HZ)) / MIX_RATE_HZ)
    return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)


def write_track(folder: Path, name: str, sound: Sound, **facts: object) -> Track:
    """A float WAV and the track that says what is in it; its gain is 0 dB unless told otherwise."""
    path = folder / f"{name}.wav"
    soundfile.write(path, sound, MIX_RATE_HZ, subtype="FLOAT")
    track = make_track(name, duration_s=len(sound) / MIX_RATE_HZ, **facts)  # type: ignore[arg-type]
    return replace(track, location=str(path))


def make_session(
    tracks: Sequence[Track],
    crossfade_s: float = 8.0,
    *,
    make_deck: Callable[[str], Deck] | None = None,
    policy: PolicySettings | None = None,
    seed: int = 0,
) -> OfflineSession:
    return OfflineSession(
        FixedTracks(tracks),
        open_plain,
        settings=EngineSettings(crossfade_s=crossfade_s),
        make_deck=make_deck,
        policy=policy,
        seed=seed,
    )


def play(session: OfflineSession, seconds: float, n_frames: int = 1024) -> Sound:
    return np.concatenate(list(session.blocks(seconds, n_frames)))


def level_db(sound: Sound) -> float:
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-20))


def windows_db(sound: Sound, seconds: float = 0.5) -> list[float]:
    step = int(seconds * MIX_RATE_HZ)
    return [level_db(sound[at : at + step]) for at in range(0, len(sound) - step + 1, step)]


def above_4k_db(sound: Sound) -> float:
    """Level of everything above 4 kHz in the loudest 100 ms, in dBFS, edges windowed away."""
    step = MIX_RATE_HZ // 10
    loudest = -200.0
    for at in range(0, len(sound) - 2 * step + 1, step):
        part = sound[at : at + 2 * step, 0].astype(np.float64)
        window = np.blackman(len(part))
        spectrum = np.fft.rfft(part * window)
        hertz = np.fft.rfftfreq(len(part), 1 / MIX_RATE_HZ)
        energy = 2 * np.sum(np.abs(spectrum[hertz > 4000]) ** 2) / len(part) / np.sum(window**2)
        loudest = max(loudest, 10 * np.log10(energy + 1e-20))
    return loudest


def longest_gap_s(sound: Sound, below_db: float = -60.0) -> float:
    """The longest silence in seconds, after the first sound."""
    quiet = [level < below_db for level in windows_db(sound, 0.01)]
    quiet = quiet[quiet.index(False) :]
    longest = run = 0
    for one in quiet:
        run = run + 1 if one else 0
        longest = max(longest, run)
    return longest * 0.01


def small_wav(path: Path, seconds: float = 2.0, pitch_hz: float = 440.0) -> Path:
    """A tone as a file of a music folder; its last samples spell its name, for copies are played once."""
    samples = tone(seconds, pitch_hz).copy()
    spelled = np.frombuffer(hashlib.blake2b(os.fsencode(path.name), digest_size=32).digest(), np.uint8)
    samples[-32:] += (
        ((spelled % 3 - 1.0) / 32768).reshape(32, *[1] * (samples.ndim - 1)).astype(samples.dtype)
    )
    soundfile.write(path, samples, MIX_RATE_HZ)
    return path
