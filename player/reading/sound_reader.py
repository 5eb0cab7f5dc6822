"""What reads a sound file in order, whichever library decodes it, and how that can fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from player.reading.joint import Joint

READ_RATE_HZ = 48_000
READER_VERSION = 2
"""Counts up when our own reading learns to read more, so that what was refused before is tried again."""

Part = NDArray[np.float32]


class UnreadableAudioError(Exception):
    """The file holds no sound that can be decoded. The message says why, without the path."""


class CodecMissingError(UnreadableAudioError):
    """The file may be whole, but nothing here decodes it. The message is the codec's name."""


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """What the header says. ``duration_s`` is 0 where it says nothing."""

    duration_s: float
    tags: Mapping[str, str]


class SoundReader(Protocol):
    """One file being read from its beginning. Use as a context manager."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc_info: object) -> None: ...

    def facts(self) -> AudioFacts:
        """Duration and tags of the header, keys in lower case."""
        ...

    def seek(self, position_s: float) -> None:
        """Go near ``position_s``. Raises UnreadableAudioError."""
        ...

    def start_at(self, position_s: float) -> None:
        """Let the first frame read be the one at ``position_s``. Raises UnreadableAudioError."""
        ...

    def parts(self, n_frames: int, joint: Joint | None = None) -> Iterator[Part]:
        """Stereo parts of shape (n_frames, 2) at 48 kHz; the first and the last may be shorter.

        ``joint`` begins and ends them where parts of an album meet, if the reader resamples by FFmpeg.

        What is damaged is left out, and an error behind the last sound is the end. Raises
        UnreadableAudioError where nothing at all is decoded, and OSError where the file cannot be read.
        """
        ...


def blocks(reader: SoundReader, block_s: float = 5.0) -> Iterator[Part]:
    """Stereo blocks of shape (2, n) at 48 kHz, all of ``block_s`` but the last; see ``parts``."""
    for part in reader.parts(int(block_s * READ_RATE_HZ)):
        yield np.ascontiguousarray(part.T)


def even(pieces: Iterator[Part], n_frames: int) -> Iterator[Part]:
    """The same frames in parts of shape (n_frames, 2), the last one maybe shorter."""
    held = np.zeros((0, 2), np.float32)
    for piece in pieces:
        # nearly always whole already: then nothing is copied
        held = np.concatenate([held, piece]) if len(held) else piece
        while len(held) >= n_frames:
            yield held[:n_frames]
            held = held[n_frames:]
    if len(held):
        yield held


def dropped(parts: Iterator[Part], n_frames: int) -> Iterator[Part]:
    """Without the first ``n_frames`` frames; parts of shape (n_frames, 2)."""
    for part in parts:
        if n_frames < len(part):
            yield part[n_frames:]
        n_frames = max(0, n_frames - len(part))
