"""Whole sound files by other programs' encoders, and what is put behind, between or over their bytes."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import soundfile

ID3V1 = b"TAG" + b"a song".ljust(125, b"\0")
ENCODERS = {
    "wv": ("wv", "wavpack"),
    "aac": ("adts", "aac"),
    "mp3": ("mp3", "libmp3lame"),
    "tta": ("tta", "tta"),
    "ac3": ("ac3", "ac3"),
    "opus": ("ogg", "libopus"),
}


def tone(seconds: float, rate_hz: int, channels: int) -> np.ndarray:
    """A sine at -17 dBFS, shape (n, channels)."""
    wave = 0.2 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate_hz)) / rate_hz)
    return np.repeat(wave[:, None], channels, axis=1)


def sound(folder: Path, kind: str, seconds: float = 2.0, rate_hz: int = 44_100, channels: int = 2) -> bytes:
    """A whole file of this kind: by libsndfile where it can, else by FFmpeg."""
    path = folder / f"{kind}-{seconds}-{rate_hz}-{channels}.{kind}"
    if kind in ("ogg", "wav", "flac"):
        soundfile.write(path, tone(seconds, rate_hz, channels), rate_hz)
        return path.read_bytes()
    container, codec = ENCODERS[kind]
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate_hz)
        stream.layout = "mono" if channels == 1 else "stereo"
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(tone(seconds, rate_hz, channels).T, dtype=np.float32),
            format="fltp",
            layout=stream.layout,
        )
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(
            stream.format, stream.layout, rate_hz, frame_size=stream.frame_size or 960
        )
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return path.read_bytes()


def junk(n_bytes: int) -> bytes:
    """What is no sound."""
    return np.random.default_rng(7).bytes(n_bytes)


def with_latin1_title(wav: bytes) -> bytes:
    """A RIFF title in another encoding than UTF-8."""
    info = b"INFOINAM" + struct.pack("<I", 4) + b"B\xd6C\0"
    return wav + b"LIST" + struct.pack("<I", len(info)) + info


def of_unknown_codec(wav: bytes) -> bytes:
    """A WAV file whose format number nobody knows."""
    return wav[:20] + (0x1234).to_bytes(2, "little") + wav[22:]
