"""Which reader opens a file: PyAV, and miniaudio where PyAV finds no sound or cannot be loaded."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cache
from typing import IO

from player.reading.joint import Joint
from player.reading.sound_reader import AudioFacts, Part, SoundReader, UnreadableAudioError

log = logging.getLogger(__name__)

SECOND_OPINION = (b"OggS",)
"""libvorbis's own readers forgive more than FFmpeg; of other formats there is nothing to gain."""


@cache
def av_problem() -> str | None:
    """Why PyAV cannot be used, with what to do about it; None where it can."""
    try:
        import player.reading.av_reader  # noqa: F401 - all of it is loaded, its libraries too
    except Exception as error:  # noqa: BLE001 - a broken installation may raise anything
        why = f"{type(error).__name__}: {error}".splitlines()[0][:160]
        return f"PyAV cannot be loaded ({why}); mend it: pip install --force-reinstall av"
    return None


def decoder_version() -> str:
    """What decodes here: a refusal of another decoder is no refusal of this one."""
    if av_problem() is not None:
        return "miniaudio alone"
    from player.reading.av_reader import decoder_version as av_version

    return av_version()


def open_sound(file: IO[bytes]) -> SoundReader:
    """A reader of an open file. Raises UnreadableAudioError, and OSError where it cannot be read."""
    problem = av_problem()
    if problem is not None:
        return _second(file, UnreadableAudioError(problem))
    from player.reading.av_reader import AudioReader

    try:
        first = AudioReader(file)
    except UnreadableAudioError as refusal:
        return _second(file, refusal, SECOND_OPINION)
    return _Doubted(file, first)


def encoded_sound(file: IO[bytes]) -> Iterator[bytes]:
    """The sound of an open file as it lies there, still encoded, piece by piece, without tags or pictures.

    Ends where the file can be read no further. Raises UnreadableAudioError where PyAV does not read it, for
    miniaudio does not show what it decodes.
    """
    problem = av_problem()
    if problem is not None:
        raise UnreadableAudioError(problem)
    from player.reading.av_reader import AudioReader

    with AudioReader(file) as reader:
        yield from reader.encoded()


def _second(
    file: IO[bytes], refusal: UnreadableAudioError, begins: tuple[bytes, ...] | None = None
) -> SoundReader:
    """miniaudio's reader; raises the refusal where it reads nothing either."""
    try:
        from player.reading.miniaudio_reader import FORMATS, MiniaudioReader

        return MiniaudioReader(file, begins or tuple(FORMATS))
    except UnreadableAudioError:
        raise refusal from None
    except ImportError as error:
        log.debug("no second opinion: %s", error)
        raise refusal from None


class _Doubted:
    """PyAV's reader as long as it finds sound; where it finds none at all, the other one's."""

    def __init__(self, file: IO[bytes], first: SoundReader) -> None:
        self._file = file
        self._reader = first
        self._from_s = 0.0
        self._heard = False

    def __enter__(self) -> _Doubted:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._reader.__exit__()

    def facts(self) -> AudioFacts:
        """Duration and tags of the header."""
        return self._reader.facts()

    def seek(self, position_s: float) -> None:
        """Go near ``position_s``."""
        self._reader.seek(position_s)

    def start_at(self, position_s: float) -> None:
        """Let the first frame read be the one at ``position_s``."""
        self._from_s = position_s
        self._reader.start_at(position_s)

    def parts(self, n_frames: int, joint: Joint | None = None) -> Iterator[Part]:
        """Stereo parts of shape (n_frames, 2) at 48 kHz."""
        refusal = UnreadableAudioError("holds no sound that can be decoded")
        try:
            for part in self._reader.parts(n_frames, joint):
                self._heard = True
                yield part
        except UnreadableAudioError as error:
            refusal = error
        if self._heard or self._from_s > 0:
            return
        self._reader.__exit__()
        self._reader = _second(self._file, refusal, SECOND_OPINION)
        self._heard = True
        yield from self._reader.parts(n_frames)
