"""Reads files through miniaudio: the second opinion on what FFmpeg refuses, and the first without PyAV."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO, Any

import miniaudio
import numpy as np

from player.reading.joint import Joint
from player.reading.sound_reader import READ_RATE_HZ, AudioFacts, Part, UnreadableAudioError, dropped, even
from player.reading.sound_view import SoundView

READ_FRAMES = 12_000
FORMATS = {b"OggS": "VORBIS", b"fLaC": "FLAC", b"RIFF": "WAV", b"ID3": "MP3", b"\xff": "MP3"}
"""By how the file begins: left to guess, it finds MP3 in any noise."""


class _Source(miniaudio.StreamableSource):  # type: ignore[misc]
    """What miniaudio reads from."""

    def __init__(self, file: IO[bytes]) -> None:
        self._view = SoundView(file)

    def read(self, num_bytes: int) -> bytes:
        return self._view.read(num_bytes)

    def seek(self, offset: int, origin: Any) -> bool:
        whence = io.SEEK_CUR if origin == miniaudio.SeekOrigin.CURRENT else io.SEEK_SET
        return self._view.seek(offset, whence) >= 0


class MiniaudioReader:
    """One file being read from its beginning; see ``SoundReader``. It knows no tags and no duration."""

    def __init__(self, file: IO[bytes], begins: tuple[bytes, ...] = tuple(FORMATS)) -> None:
        """Only files that begin so. Raises UnreadableAudioError."""
        file.seek(0)
        head = file.read(4)
        kind = next((FORMATS[begin] for begin in begins if head.startswith(begin)), None)
        if kind is None:
            raise UnreadableAudioError("not a known audio format")
        # Kept here: miniaudio's decoder knows it by an address only, and the cycle of the source and its
        # handle is all that would hold it until the first part is read.
        self._source = _Source(file)
        try:
            self._samples = miniaudio.stream_any(
                self._source,
                source_format=miniaudio.FileFormat[kind],
                output_format=miniaudio.SampleFormat.FLOAT32,
                nchannels=2,
                sample_rate=READ_RATE_HZ,
                frames_to_read=READ_FRAMES,
            )
        except miniaudio.MiniaudioError as error:
            raise UnreadableAudioError(f"not a known audio format ({error.args[0]:.80})") from error
        self._drop_frames = 0

    def __enter__(self) -> MiniaudioReader:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._samples.close()

    def facts(self) -> AudioFacts:
        """Nothing."""
        return AudioFacts(0.0, {})

    def seek(self, position_s: float) -> None:
        """It finds no way."""
        raise UnreadableAudioError("cannot seek")

    def start_at(self, position_s: float) -> None:
        """Everything before is decoded and left out."""
        self._drop_frames = round(position_s * READ_RATE_HZ)

    def parts(self, n_frames: int, joint: Joint | None = None) -> Iterator[Part]:
        """Stereo parts of shape (n_frames, 2) at 48 kHz; it resamples by itself."""
        yield from dropped(even(self._pieces(), n_frames), self._drop_frames)

    def _pieces(self) -> Iterator[Part]:
        try:
            for samples in self._samples:
                piece = np.frombuffer(samples, np.float32).reshape(-1, 2)
                yield np.nan_to_num(piece, nan=0.0, posinf=1.0, neginf=-1.0)
        except miniaudio.MiniaudioError as error:
            raise UnreadableAudioError(f"reading broke off ({error.args[0]:.80})") from error
