"""Reads audio files in order, for analysis: tags and PCM blocks through PyAV, from a checked open file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

READ_RATE_HZ = 48_000
FORMATS = (
    "aac,ac3,aiff,ape,asf,au,caf,dsf,eac3,flac,loas,matroska,webm,mov,mp4,m4a,mp3,mpc,mpc8,ogg,tta,w64,wav,wv"
)
"""Containers that hold sound and nothing else: a playlist or HLS file could make FFmpeg open other things."""
MAX_TAG_CHARS = 400


class UnreadableAudioError(Exception):
    """The file holds no sound that can be decoded. The message says why, without the path."""


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """What the header says. ``duration_s`` is 0 where it says nothing."""

    duration_s: float
    tags: Mapping[str, str]


class AudioReader:
    """One file being read from its beginning. Use as a context manager."""

    def __init__(self, file: IO[bytes]) -> None:
        """Raises UnreadableAudioError."""
        try:
            self._container = av.open(
                file, mode="r", options={"format_whitelist": FORMATS}, metadata_errors="replace"
            )
        except (av.FFmpegError, ValueError, OSError) as error:
            raise UnreadableAudioError(f"not a known audio format ({_short(error)})") from error
        if not self._container.streams.audio:
            self._container.close()
            raise UnreadableAudioError("holds no audio stream")
        self._stream = self._container.streams.audio[0]

    def __enter__(self) -> AudioReader:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._container.close()

    def facts(self) -> AudioFacts:
        """Duration and tags of the header, keys in lower case."""
        stream = self._stream
        duration_s = 0.0
        if stream.duration and stream.time_base:
            duration_s = float(stream.duration * stream.time_base)
        elif self._container.duration:
            duration_s = self._container.duration / 1_000_000
        tags: dict[str, str] = {}
        for source in (self._container.metadata, stream.metadata):
            for key, value in source.items():
                tags.setdefault(str(key).lower()[:60], str(value)[:MAX_TAG_CHARS])
        return AudioFacts(max(0.0, duration_s), tags)

    def seek(self, position_s: float) -> None:
        """Go near ``position_s`` (at a packet before it). Raises UnreadableAudioError."""
        try:
            self._container.seek(int(position_s * 1_000_000))
        except (av.FFmpegError, OSError) as error:
            raise UnreadableAudioError(f"cannot seek ({_short(error)})") from error

    def blocks(self, block_s: float = 5.0) -> Iterator[NDArray[np.float32]]:
        """Stereo blocks of shape (2, n) at 48 kHz, all of ``block_s`` but the last.

        Damaged packets are left out. Raises UnreadableAudioError if the file cannot be read on.
        """
        wanted = int(block_s * READ_RATE_HZ)
        parts: list[NDArray[np.float32]] = []
        held = 0
        for part in self._parts():
            parts.append(part)
            held += part.shape[1]
            while held >= wanted:
                joined = np.concatenate(parts, axis=1)
                yield joined[:, :wanted]
                parts, held = [joined[:, wanted:]], held - wanted
        if held:
            yield np.concatenate(parts, axis=1)

    def _parts(self) -> Iterator[NDArray[np.float32]]:
        # swresample spreads mono over two sides at -3 dB, so mono stays mono here and is doubled by hand
        layout = "mono" if self._stream.codec_context.channels == 1 else "stereo"
        resampler = av.AudioResampler(format="fltp", layout=layout, rate=READ_RATE_HZ)
        for frame in self._frames():
            try:
                resampled = resampler.resample(frame)
            except (av.FFmpegError, ValueError) as error:
                raise UnreadableAudioError(f"changes its format midway ({_short(error)})") from error
            for out in resampled:
                yield _stereo(out)
        for out in resampler.resample(None):
            yield _stereo(out)

    def _frames(self) -> Iterator[AudioFrame]:
        try:
            for packet in self._container.demux(self._stream):
                try:
                    yield from packet.decode()
                except av.error.InvalidDataError:
                    continue
        except (av.FFmpegError, OSError) as error:
            raise UnreadableAudioError(f"reading broke off ({_short(error)})") from error


def _stereo(frame: AudioFrame) -> NDArray[np.float32]:
    planes = frame.to_ndarray().astype(np.float32, copy=False)
    pair: NDArray[np.float32] = np.repeat(planes, 2, axis=0) if planes.shape[0] == 1 else planes[:2]
    return np.nan_to_num(pair, copy=False, nan=0.0, posinf=1.0, neginf=-1.0)


def _short(error: BaseException) -> str:
    return (str(getattr(error, "strerror", "") or error).splitlines() or [type(error).__name__])[0][:120]


MAX_PICTURE_BYTES = 16 << 20


def attached_picture(file: IO[bytes]) -> bytes | None:
    """The first picture that a file carries along (a cover), as it lies there; None if it has none.

    Raises UnreadableAudioError.
    """
    try:
        with av.open(
            file, mode="r", options={"format_whitelist": FORMATS}, metadata_errors="replace"
        ) as container:
            covers = [s for s in container.streams.video if s.disposition & type(s.disposition).attached_pic]
            for packet in container.demux(covers[0]) if covers else ():
                data = bytes(packet)
                return data if 0 < len(data) <= MAX_PICTURE_BYTES else None
    except (av.FFmpegError, ValueError, OSError) as error:
        raise UnreadableAudioError(f"not a known audio format ({_short(error)})") from error
    return None
