"""Reads audio files in order: tags and PCM through PyAV (FFmpeg), from a checked open file or a URL."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import IO, Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from player.reading.av_resampling import stereo_pieces
from player.reading.codec_names import codec_name
from player.reading.encoder_padding import samples_said, without_padding
from player.reading.joint import Joint
from player.reading.ogg_links import is_chained, looks_chained, next_link
from player.reading.sound_reader import (
    READ_RATE_HZ,
    READER_VERSION,
    AudioFacts,
    CodecMissingError,
    Part,
    UnreadableAudioError,
    dropped,
    even,
)
from player.reading.sound_view import SoundView, id3v2_bytes
from player.reading.station import RadioStation

FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,dtshd,eac3,flac,flv,gsm,iff,loas,matroska,webm,mlp,mov,mp4,m4a,"
    "mp3,mpc,mpc8,mpeg,nistsphere,ogg,oma,shn,tak,truehd,tta,voc,w64,wav,wv,xwma"
)
"""Containers that hold their sound themselves: a playlist or HLS file could make FFmpeg open other things."""
MAX_TAG_CHARS = 400
STREAM_OPTIONS = {
    "protocol_whitelist": "http,https,tls,tcp",
    "rw_timeout": "5000000",
}
"""For URLs: no other protocols. (FFmpeg's own ``reconnect_streamed`` asks again after a regular end.)"""
SEEK_MARGIN_S = 0.25
MOST_PADDING_S = 0.5
OPEN_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 5.0
MAX_PICTURE_BYTES = 16 << 20
_TAGS: dict[str, Any] = (
    {"metadata_errors": "surrogateescape"} if int(av.__version__.split(".")[0]) < 19 else {}
)
"""PyAV 19 always reads tags so, and knows the word no more."""

log = logging.getLogger(__name__)


def decoder_version() -> str:
    """What decodes here: a refusal of another decoder is no refusal of this one."""
    codecs = ".".join(map(str, av.library_versions["libavcodec"]))
    return f"PyAV {av.__version__}, libavcodec {codecs}, reader {READER_VERSION}"


class AudioReader:
    """One file being read from its beginning; see ``SoundReader`` for what the methods promise."""

    def __init__(self, file: IO[bytes] | RadioStation | str) -> None:
        """From an open file, a station, or an http(s) URL. Raises UnreadableAudioError."""
        self._file = None if isinstance(file, str | RadioStation) else file
        self._from_s = 0.0
        self._drop_frames = 0
        self._packet_s = 0.0
        self._begins_at = self._last_at = 0
        try:
            if isinstance(file, str):
                timeouts = (OPEN_TIMEOUT_S, READ_TIMEOUT_S)
                self._container = _container(file, STREAM_OPTIONS, timeout=timeouts)
            elif isinstance(file, RadioStation):
                self._container = _container(file)
            else:
                self._container, self._begins_at = _opened(file)
        except (av.FFmpegError, ValueError) as error:
            raise UnreadableAudioError(f"not a known audio format ({short(error)})") from error
        try:
            self._stream = self._decodable()
        except UnreadableAudioError:
            self._container.close()
            raise

    def _decodable(self) -> AudioStream:
        streams = self._container.streams.audio
        if not streams:
            raise UnreadableAudioError("holds no audio stream")
        for stream in streams:
            # where FFmpeg has no decoder there is no context, whatever PyAV's types say
            context: Any = stream.codec_context
            if context is not None:
                return stream
        raise CodecMissingError("unknown" if self._file is None else codec_name(self._file))

    def __enter__(self) -> AudioReader:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._container.close()

    def facts(self) -> AudioFacts:
        """Duration and tags of the header; of a chained file no duration, for that is its last link's."""
        stream = self._stream
        duration_s = 0.0
        if stream.duration and stream.time_base:
            duration_s = float(stream.duration * stream.time_base)
        elif self._container.duration:
            duration_s = self._container.duration / 1_000_000
        tags: dict[str, str] = {}
        for source in (self._container.metadata, stream.metadata):
            for key, value in source.items():
                tags.setdefault(_text(key).lower()[:60], _text(value)[:MAX_TAG_CHARS])
        return AudioFacts(0.0 if self._chained(looks_chained) else max(0.0, duration_s), tags)

    def _chained(self, look: Callable[[IO[bytes]], bool]) -> bool:
        """Leaves the file where it was: FFmpeg reads on from there."""
        if self._file is None or self._container.format.name != "ogg":
            return False
        at = self._file.tell()
        chained = look(self._file)
        self._file.seek(at)
        return chained

    def seek(self, position_s: float) -> None:
        """Go near ``position_s`` (at a packet before it)."""
        try:
            self._container.seek(int(position_s * 1_000_000))
        except av.FFmpegError as error:
            raise UnreadableAudioError(f"cannot seek ({short(error)})") from error

    def start_at(self, position_s: float) -> None:
        """Let the first frame read be the one at ``position_s``."""
        if position_s <= 0:
            return
        if self._chained(is_chained):  # every link counts from nothing
            self._drop_frames = round(position_s * READ_RATE_HZ)
            return
        # some formats land a little late: begin earlier and leave out what comes before
        self.seek(max(0.0, position_s - SEEK_MARGIN_S))
        self._from_s = position_s

    def parts(self, n_frames: int, joint: Joint | None = None) -> Iterator[Part]:
        """Stereo parts of shape (n_frames, 2) at 48 kHz; the first and the last may be shorter."""
        frames = self._sound_of_mp4() if self._container.format.name.startswith("mov") else self._frames()
        if joint is None:
            parts = even(stereo_pieces(frames, n_frames), n_frames)
        else:
            parts = joint.parts(even(stereo_pieces(joint.frames(frames), n_frames), n_frames))
        first = next(parts, None)  # only now it is known where the seek has landed
        if first is not None:
            yield from dropped(_chain(first, parts), self._drop_frames)

    def _sound_of_mp4(self) -> Iterator[AudioFrame]:
        facts, rate_hz = self.facts(), self._stream.rate
        most = samples_said(facts.tags) if self._from_s <= 0 else None
        if most is not None and abs(most / rate_hz - facts.duration_s) > MOST_PADDING_S:
            most = None  # counted at another rate than it is played
        said = ((frame, round(self._packet_s * frame.sample_rate)) for frame in self._frames())
        return without_padding(said, most)

    def _frame_s(self, frame: AudioFrame) -> float:
        """The frame's place in the track; where the format does not say, what was asked for."""
        if frame.pts is None or frame.time_base is None:
            return self._from_s
        origin_s = 0.0
        if self._stream.start_time is not None and self._stream.time_base is not None:
            origin_s = float(self._stream.start_time * self._stream.time_base)
        return float(frame.pts * frame.time_base) - origin_s

    def _frames(self) -> Iterator[AudioFrame]:
        """All frames of all links. What comes behind the last sound of a file is no error: tags, zeros."""
        some = False
        while True:
            try:
                for packet in self._container.demux(self._stream):
                    self._last_at = packet.pos or self._last_at
                    self._packet_s = float((packet.duration or 0) * (packet.time_base or 0))
                    for frame in _decoded(packet):
                        if self._from_s > 0:
                            late_s = self._from_s - self._frame_s(frame)
                            self._drop_frames, self._from_s = max(0, round(late_s * READ_RATE_HZ)), 0.0
                        some = True
                        yield frame
            except (av.FFmpegError, ValueError) as error:
                if self._file is None or not some:
                    raise UnreadableAudioError(f"reading broke off ({short(error)})") from error
                log.debug("what follows the sound is left out: %s", short(error))
            if not self._next_link():
                return

    def encoded(self) -> Iterator[bytes]:
        """The packets of all links as they lie there, without tags and pictures, as far as they are read."""
        while True:
            with contextlib.suppress(av.FFmpegError, ValueError):
                for packet in self._container.demux(self._stream):
                    self._last_at = packet.pos or self._last_at
                    yield bytes(packet)
            if not self._next_link():
                return

    def _next_link(self) -> bool:
        """Go on with the stream that begins behind the last packet of Ogg; False if there is none."""
        if self._file is None or self._container.format.name != "ogg" or not self._last_at:
            return False
        begins_at = next_link(self._file, self._begins_at + self._last_at + 1)
        while begins_at is not None:
            try:
                self._container.close()
                self._container = _container(SoundView(self._file, begins_at))
                self._begins_at, self._last_at, self._stream = begins_at, 0, self._decodable()
                return True
            except (av.FFmpegError, ValueError, UnreadableAudioError):
                begins_at = next_link(self._file, begins_at + 1)
        return False


def attached_picture(file: IO[bytes]) -> bytes | None:
    """The first picture that a file carries along (a cover), as it lies there; None if it has none.

    Raises UnreadableAudioError.
    """
    try:
        with _opened(file)[0] as container:
            covers = [s for s in container.streams.video if s.disposition & type(s.disposition).attached_pic]
            for packet in container.demux(covers[0]) if covers else ():
                data = bytes(packet)
                return data if 0 < len(data) <= MAX_PICTURE_BYTES else None
    except (av.FFmpegError, ValueError) as error:
        raise UnreadableAudioError(f"not a known audio format ({short(error)})") from error
    return None


def _opened(file: IO[bytes]) -> tuple[InputContainer, int]:
    """The container, and at which byte it begins: newer FFmpeg stumbles over a tag before it."""
    try:
        return _container(SoundView(file)), 0
    except (av.FFmpegError, ValueError):
        behind_tag = id3v2_bytes(file)
        if not behind_tag:
            raise
        return _container(SoundView(file, behind_tag)), behind_tag


def _container(
    source: SoundView | RadioStation | str, options: dict[str, str] | None = None, **more: Any
) -> InputContainer:
    found: InputContainer = av.open(
        source, mode="r", options={"format_whitelist": FORMATS} | (options or {}), **_TAGS, **more
    )
    return found


def _decoded(packet: Any) -> list[AudioFrame]:
    """The frames of a packet; none of a damaged one, as `ffmpeg` has it."""
    try:
        frames: list[AudioFrame] = packet.decode()
        return frames
    except MemoryError:
        raise
    except av.FFmpegError:
        return []


def _chain(first: Part, rest: Iterator[Part]) -> Iterator[Part]:
    yield first
    yield from rest


def _text(value: object) -> str:
    """Tags of other encodings than UTF-8 come with surrogates, which no database and no message takes."""
    return str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def short(error: BaseException) -> str:
    """The first line of what a library says."""
    return (str(getattr(error, "strerror", "") or error).splitlines() or [type(error).__name__])[0][:120]
