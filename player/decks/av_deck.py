"""Decodes through PyAV (FFmpeg) far ahead of what is heard, in a thread of its own."""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterator

import numpy as np

from player.deck import MIX_RATE_HZ, OpenFile, PcmBlock, Seam, is_stream, silence
from player.decks.ring_deck import RingDeck
from player.reading.joint import Joint
from player.reading.sound_opening import open_sound
from player.reading.sound_reader import SoundReader, UnreadableAudioError
from player.reading.station import RadioStation, UnreachableStationError, open_station

AHEAD_S = 35.0
"""A library that vanishes must leave at least 30 s to play."""
WRITE_FRAMES = MIX_RATE_HZ // 4
EAGER_S = 3.0
REST_S = 0.08
"""After each second of music, once there are some seconds to play."""
CLOSE_S = 0.2
MAX_TRACK_S = 48 * 3600.0

log = logging.getLogger(__name__)


def decoded(
    location: str,
    start_s: float,
    open_file: OpenFile,
    on_title: Callable[[str], None] = lambda title: None,
    joint: Joint | None = None,
) -> Iterator[PcmBlock]:
    """Blocks (n, 2) of about a quarter of a second, to the end; ``on_title`` is told a station's titles.

    ``joint`` is where a file goes on from the part of the album before, and is told how it ends.

    Raises UnreadableAudioError, UnreachableStationError and OSError.
    """
    if is_stream(location):
        from player.reading.av_reader import AudioReader  # only here: files are played without PyAV, too

        station = open_station(location)
        if station is not None:
            yield from station_blocks(station, on_title)
            return
        with AudioReader(location) as reader:
            yield from _blocks(reader, start_s)
    else:
        with open_file(location) as file, open_sound(file) as reader:
            yield from _blocks(reader, start_s, joint)


def station_blocks(station: RadioStation, on_title: Callable[[str], None]) -> Iterator[PcmBlock]:
    """The blocks (n, 2) of a station, which is left at the end. Raises UnreadableAudioError."""
    from player.reading.av_reader import AudioReader

    with contextlib.closing(station), AudioReader(station) as reader:
        for block in _blocks(reader, 0.0):
            on_title(station.title)
            yield block


def _blocks(reader: SoundReader, start_s: float, joint: Joint | None = None) -> Iterator[PcmBlock]:
    reader.start_at(start_s)
    yield from reader.parts(WRITE_FRAMES, joint)


class _Joining:
    """Which part of an album a deck goes on from, and how it ends; see ``JoiningDeck``."""

    def __init__(self) -> None:
        self._joint = Joint()

    def open(self, location: str, start_s: float = 0.0) -> None:
        raise NotImplementedError

    def open_after(self, location: str, seam: Seam) -> None:
        """Open it at its beginning, going on from the last samples of another."""
        self._joint = Joint(seam)
        self.open(location)

    @property
    def seam(self) -> Seam | None:
        """Where the next part can go on, once everything is decoded."""
        return self._joint.seam

    @property
    def lead_frames(self) -> int:
        """How many of the first frames sound in the place of the last ones of the part before."""
        return self._joint.lead_frames


class AvDeck(RingDeck, _Joining):
    """A deck by PyAV. ``open_file`` opens local tracks; see ``Deck`` for what the methods promise."""

    def __init__(
        self, open_file: OpenFile, ahead_s: float = AHEAD_S, *, address_of: Callable[[str], str] = str
    ) -> None:
        if not math.isfinite(ahead_s) or ahead_s <= 0:
            raise ValueError(f"ahead_s must be a positive number of seconds, got {ahead_s!r}")
        RingDeck.__init__(self, ahead_s, "av-deck")
        _Joining.__init__(self)
        self._open_file = open_file
        self._address_of = address_of

    def _decode(self, location: str, start_s: float) -> None:
        try:
            written = rested = 0
            address = self._address_of(location)
            for block in decoded(address, start_s, self._open_file, self._note_title, self._joint):
                if not self._ring.write(block):
                    return
                written += len(block)
                if written - rested >= MIX_RATE_HZ and self._ring.buffered > EAGER_S * MIX_RATE_HZ:
                    rested = written
                    time.sleep(REST_S)  # the music that sounds now has the first claim on this machine
                if written > MAX_TRACK_S * MIX_RATE_HZ and not is_stream(location):
                    raise UnreadableAudioError("is longer than 48 hours")
            if not written and start_s <= 0:
                self._error = "holds no sound that can be decoded"
        except (UnreadableAudioError, UnreachableStationError, OSError, MemoryError, ValueError) as error:
            self._fail(error)
        except Exception as error:  # a decoder may raise anything about a file of strangers
            log.exception("a decoder broke down")
            self._fail(error)
        finally:
            self._ring.finish()

    def close(self) -> None:
        """A thread that hangs in a read is left behind; it ends by itself when the read does."""
        self._ring.close()
        if self._left_behind(CLOSE_S):
            log.debug("a decoder is still busy and is left to end by itself")


class PullDeck(_Joining):
    """Decodes in the caller's thread, when asked: the same frames at the same call, for offline rendering."""

    title = ""

    def __init__(self, open_file: OpenFile, ahead_s: float = 12.0) -> None:
        super().__init__()
        self._open_file = open_file
        self._ahead = int(ahead_s * MIX_RATE_HZ)
        self._blocks: Iterator[PcmBlock] = iter(())
        self._parts: list[PcmBlock] = []
        self._held = 0
        self._complete = True
        self._error: str | None = None

    def open(self, location: str, start_s: float = 0.0) -> None:
        """Decode the first seconds now."""
        self._blocks = decoded(location, start_s, self._open_file, joint=self._joint)
        self._complete = False
        self._fill()
        if self._complete and not self._held and self._error is None and start_s <= 0:
            self._error = "holds no sound that can be decoded"

    def _fill(self) -> None:
        try:
            while self._held < self._ahead and not self._complete:
                block = next(self._blocks, None)
                if block is None:
                    self._complete = True
                else:
                    self._parts.append(block)
                    self._held += len(block)
        except (UnreadableAudioError, UnreachableStationError, OSError, MemoryError, ValueError) as error:
            self._error = (str(error) or type(error).__name__)[:200]
            self._complete = True

    def buffered_frames(self) -> int:
        """Frames that can be read at once."""
        return self._held

    def read(self, n_frames: int) -> PcmBlock:
        """``n_frames`` frames, (n, 2), or all that is left."""
        wanted = min(n_frames, self._held)
        taken: list[PcmBlock] = []
        missing = wanted
        while missing:
            part = self._parts[0]
            taken.append(part[:missing])
            if len(part) > missing:
                self._parts[0] = part[missing:]
            else:
                self._parts.pop(0)
            missing -= len(taken[-1])
        self._held -= wanted
        self._fill()
        return np.concatenate(taken) if taken else silence(0)

    def look(self, n_frames: int) -> PcmBlock:
        """The same frames, (n, 2), left where they are."""
        return np.concatenate([silence(0), *self._parts])[:n_frames]

    @property
    def complete(self) -> bool:
        """True once everything is decoded."""
        return self._complete

    @property
    def ended(self) -> bool:
        """True once everything was read."""
        return self._complete and not self._held

    @property
    def error(self) -> str | None:
        """Why decoding stopped early."""
        return self._error

    def close(self) -> None:
        """Let the file go."""
        self._blocks = iter(())
        self._parts, self._held, self._complete = [], 0, True
