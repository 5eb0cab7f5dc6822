"""Reads audio files in order, for analysis: tags and PCM blocks through PyAV, from a checked open file."""

from __future__ import annotations

import math
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
STREAM_OPTIONS = {
    "protocol_whitelist": "http,https,tls,tcp",
    "rw_timeout": "5000000",
}
"""For URLs: no other protocols. (FFmpeg's own ``reconnect_streamed`` asks again after a regular end.)"""
SEEK_MARGIN_S = 0.25
OPEN_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 5.0


class UnreadableAudioError(Exception):
    """The file holds no sound that can be decoded. The message says why, without the path."""


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """What the header says. ``duration_s`` is 0 where it says nothing."""

    duration_s: float
    tags: Mapping[str, str]


class AudioReader:
    """One file being read from its beginning. Use as a context manager."""

    def __init__(self, file: IO[bytes] | str) -> None:
        """From an open file, or from an http(s) URL. Raises UnreadableAudioError."""
        self._from_s = 0.0
        self._drop_frames = 0
        options = {"format_whitelist": FORMATS}
        try:
            if isinstance(file, str):
                timeouts = (OPEN_TIMEOUT_S, READ_TIMEOUT_S)
                self._container = av.open(
                    file,
                    mode="r",
                    options=options | STREAM_OPTIONS,
                    timeout=timeouts,
                    metadata_errors="replace",
                )
            else:
                self._container = av.open(file, mode="r", options=options, metadata_errors="replace")
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

    def start_at(self, position_s: float) -> None:
        """Let the first frame read be the one at ``position_s``. Raises UnreadableAudioError."""
        if position_s > 0:
            # some formats land a little late: begin earlier and leave out what comes before
            self.seek(max(0.0, position_s - SEEK_MARGIN_S))
            self._from_s = position_s

    def parts(self, n_frames: int) -> Iterator[NDArray[np.float32]]:
        """Stereo parts of shape (n_frames, 2) at 48 kHz; the first and the last may be shorter.

        Damaged packets are left out. Raises UnreadableAudioError if the file cannot be read on.
        """
        for part in self._parts(n_frames):
            if self._drop_frames >= len(part):
                self._drop_frames -= len(part)
                continue
            yield part[self._drop_frames :]
            self._drop_frames = 0

    def blocks(self, block_s: float = 5.0) -> Iterator[NDArray[np.float32]]:
        """Stereo blocks of shape (2, n) at 48 kHz, all of ``block_s`` but the last; see ``parts``."""
        for part in self._parts(int(block_s * READ_RATE_HZ)):
            yield np.ascontiguousarray(part.T)

    def _parts(self, n_frames: int) -> Iterator[NDArray[np.float32]]:
        # FFmpeg interleaves and joins the frames of the codec in less time than looking at them takes here;
        # swresample spreads mono over two sides at -3 dB, so mono stays mono here and is doubled by hand
        layout = "mono" if self._stream.codec_context.channels == 1 else "stereo"
        resampler = av.AudioResampler(format="flt", layout=layout, rate=READ_RATE_HZ, frame_size=n_frames)
        for frame in self._frames():
            if self._from_s > 0:
                start_s = self._frame_s(frame)
                self._drop_frames = max(0, round((self._from_s - start_s) * READ_RATE_HZ))
                self._from_s = 0.0
            for out in _resampled(resampler, frame):
                yield _stereo(out)
        for out in _resampled(resampler, None):
            yield _stereo(out)

    def _frame_s(self, frame: AudioFrame) -> float:
        """The frame's place in the track; where the format does not say, what was asked for."""
        if frame.pts is None or frame.time_base is None:
            return self._from_s
        origin_s = 0.0
        if self._stream.start_time is not None and self._stream.time_base is not None:
            origin_s = float(self._stream.start_time * self._stream.time_base)
        return float(frame.pts * frame.time_base) - origin_s

    def _frames(self) -> Iterator[AudioFrame]:
        try:
            for packet in self._container.demux(self._stream):
                try:
                    yield from packet.decode()
                except av.error.InvalidDataError:
                    continue
        except (av.FFmpegError, OSError) as error:
            raise UnreadableAudioError(f"reading broke off ({_short(error)})") from error


def _resampled(resampler: av.AudioResampler, frame: AudioFrame | None) -> list[AudioFrame]:
    try:
        return resampler.resample(frame)
    except (av.FFmpegError, ValueError) as error:
        raise UnreadableAudioError(f"changes its format midway ({_short(error)})") from error


def _stereo(frame: AudioFrame) -> NDArray[np.float32]:
    samples: NDArray[np.float32] = frame.to_ndarray()[0].astype(np.float32, copy=False)
    if len(frame.layout.channels) == 1:
        samples = np.repeat(samples, 2)
    # one pass instead of the five of nan_to_num: hardly any file holds what is no number
    if not math.isfinite(float(samples.sum())):
        np.nan_to_num(samples, copy=False, nan=0.0, posinf=1.0, neginf=-1.0)
    return samples.reshape(-1, 2)


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
