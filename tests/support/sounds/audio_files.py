"""Sound files in every format the decks must read, encoded by PyAV from one tone."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

RATE_HZ = 48_000
PITCH_HZ = 440.0
LEVEL_DBFS = -20.0
Samples = NDArray[np.float64]
ENCODERS = {
    "mp3": ("mp3", "libmp3lame"),
    "opus": ("ogg", "libopus"),
    "m4a": ("ipod", "aac"),
}


def true_tone(seconds: float, rate_hz: int = RATE_HZ) -> Samples:
    """The tone that every file holds."""
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    wave: Samples = np.sqrt(2) * 10 ** (LEVEL_DBFS / 20) * np.sin(2 * np.pi * PITCH_HZ * time_s)
    return wave


def make_file(folder: Path, kind: str, seconds: float, rate_hz: int = RATE_HZ, channels: int = 2) -> Path:
    """One file; ``kind`` is wav, wav24, flac, flac24, mp3, ogg, opus or m4a."""
    tone = np.repeat(true_tone(seconds, rate_hz)[:, None], channels, axis=1)
    suffix = kind.removesuffix("24")
    path = folder / f"{kind}-{seconds:g}-{rate_hz}-{channels}.{suffix}"
    if suffix in ("wav", "flac"):
        soundfile.write(path, tone, rate_hz, subtype="PCM_24" if kind.endswith("24") else "PCM_16")
        return path
    if kind == "ogg":
        soundfile.write(path, tone, rate_hz, format="OGG", subtype="VORBIS")
        return path
    container, codec = ENCODERS[kind]
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate_hz)
        stream.layout = "stereo"
        stream.bit_rate = 192_000
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(tone.T, dtype=np.float32), format="fltp", layout="stereo"
        )
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(
            stream.format, stream.layout, rate_hz, frame_size=stream.frame_size or 960
        )
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return path


def spectrum_peak_hz(samples: NDArray[np.floating]) -> float:
    """The loudest frequency of samples at 48 kHz."""
    window = np.hanning(len(samples))
    return float(np.argmax(np.abs(np.fft.rfft(samples * window))) * RATE_HZ / len(samples))
