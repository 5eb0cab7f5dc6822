"""Decodes through libVLC, whose sound comes by callback into a ring of ours; VLC itself mixes nothing."""

from __future__ import annotations

import ctypes
import logging
import threading
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from player.deck import MIX_RATE_HZ, DeckError, OpenFile, is_stream
from player.decks.av_deck import station_blocks
from player.decks.ring_deck import RingDeck
from player.reading.sound_opening import av_problem
from player.reading.sound_reader import UnreadableAudioError
from player.reading.station import UnreachableStationError, open_station

RING_S = 6.0
"""libVLC paces itself and runs 1-2 s ahead; a ring of 1 s loses sound when it is not read for 4 s."""
PAUSE_ABOVE_S = 3.0
RESUME_BELOW_S = 2.0
WATCH_S = 0.1
CLOSE_S = 3.0
LEAST_FRAMES = MIX_RATE_HZ // 10
INSTANCE_OPTIONS = ("--no-video", "--quiet", "--intf=dummy", "--no-media-library", "--no-lua")
REMEDY = "apt install libvlc5 vlc-plugin-base"
SAMPLE = np.float32(1 / 32768)
"""What one step of a 16-bit sample is of full scale."""

log = logging.getLogger(__name__)


class _LibVlc:
    """The one instance of the process. Each new one would load all plugins again and never give them back."""

    _lock = threading.Lock()
    _loaded: tuple[Any, Any] | None = None

    @classmethod
    def get(cls) -> tuple[Any, Any]:
        """The module and its instance. Raises DeckError where libVLC or its plugins are missing."""
        with cls._lock:
            if cls._loaded is None:
                try:
                    import vlc

                    # where the library is not found the import succeeds all the same: only a call tells
                    instance = vlc.Instance(*INSTANCE_OPTIONS)
                except Exception as error:  # the binding raises NameError, OSError, AttributeError and more
                    why = str(error).splitlines()[0][:80] if str(error) else type(error).__name__
                    raise DeckError(f"libVLC is not there or does not load ({why}): {REMEDY}") from error
                if instance is None:
                    raise DeckError("libVLC has no plugins: apt install vlc-plugin-base")
                cls._loaded = (vlc, instance)
            return cls._loaded


def libvlc_version() -> str:
    """Its version. Raises DeckError where it cannot be used."""
    vlc, _ = _LibVlc.get()
    return str(vlc.libvlc_get_version().decode("utf-8", "replace"))


class VlcDeck(RingDeck):
    """A deck by libVLC 3, which always delivers 16-bit samples; see ``Deck`` for what the methods promise.

    Callbacks do nothing but copy into the ring. All calls into libVLC come from one worker thread, because
    ``stop`` waits for a callback to return. Raises DeckError where libVLC is missing.
    """

    def __init__(self, open_file: OpenFile, address_of: Callable[[str], str] = str) -> None:
        super().__init__(RING_S, "vlc-deck")
        self._vlc, self._instance = _LibVlc.get()
        self._open_file = open_file
        self._address_of = address_of
        self._drained = threading.Event()
        self._closing = threading.Event()
        self._file: IO[bytes] | None = None
        self._heard_frames = 0
        self._callbacks: tuple[Any, ...] = ()

    def _decode(self, location: str, start_s: float) -> None:
        player = None
        try:
            if is_stream(location) and self._decoded_with_titles(self._address_of(location)):
                return
            player = self._start(location, start_s)
            self._watch(player)
            if start_s > 0 and self._heard_frames < LEAST_FRAMES and not self._closing.is_set():
                # some Ogg files cannot be sought in by libVLC: better from the beginning than not at all
                player.stop()
                player.release()
                self._drained.clear()
                player = self._start(location, 0.0)
                self._watch(player)
            if not self._heard_frames and not self._closing.is_set():
                raise DeckError("holds no sound that can be decoded")
        except (OSError, DeckError, ValueError, UnreadableAudioError, UnreachableStationError) as error:
            self._fail(error)
        except Exception as error:  # a decoder may raise anything about a file of strangers
            log.exception("libVLC broke down")
            self._fail(error)
        finally:
            self._ring.finish()
            if player is not None:
                self._closing.wait()
                # the ring is closed by now, so no callback can wait in it while stop() waits for the callback
                player.stop()
                player.release()
            self._callbacks = ()  # they hold this deck, which holds them
            if self._file is not None:
                self._file.close()

    def _decoded_with_titles(self, address: str) -> bool:
        """Play a station that sends titles through PyAV; False where it sends none, or there is no PyAV.

        libVLC hands on the titles in UTF-8 alone.
        """
        station = None if av_problem() else open_station(address)
        if station is None:
            return False
        for block in station_blocks(station, self._note_title):
            self._heard_frames += len(block)
            if not self._ring.write(block):
                break
        return True

    def _start(self, location: str, start_s: float) -> Any:
        if is_stream(location):
            media = self._instance.media_new_location(self._address_of(location))
            media.add_option(":network-caching=1500")
        else:
            # an open file instead of a name: nothing in the name is an option or an address to libVLC
            if self._file is not None:
                self._file.close()
            self._file = self._open_file(location)
            media = self._instance.media_new_fd(self._file.fileno())
        if start_s > 0:
            media.add_option(f":start-time={start_s:.3f}")
        media.add_option(":no-video")
        media.add_option(":no-sub-autodetect-file")
        player = self._instance.media_player_new()
        player.set_media(media)
        media.release()
        self._attach(player)
        if self._closing.is_set() or player.play() == -1:
            player.release()
            raise DeckError("libVLC does not begin to play it")
        return player

    def _attach(self, player: Any) -> None:
        decorators = self._vlc.CallbackDecorators

        @decorators.AudioPlayCb  # type: ignore[untyped-decorator]
        def play(_data: Any, samples: int, count: int, _pts: int) -> None:
            shorts = (ctypes.c_int16 * (2 * count)).from_address(samples)
            block = np.ctypeslib.as_array(shorts).reshape(-1, 2)
            self._heard_frames += count
            self._ring.write(np.multiply(block, SAMPLE, dtype=np.float32))

        @decorators.AudioDrainCb  # type: ignore[untyped-decorator]
        def drain(_data: Any) -> None:
            self._drained.set()

        # libVLC keeps only the addresses: the objects must live as long as the player
        self._callbacks = (play, drain)
        player.audio_set_callbacks(play, None, None, None, drain, None)
        player.audio_set_format("S16N", MIX_RATE_HZ, 2)

    def _watch(self, player: Any) -> None:
        """Hold libVLC back while the ring is full enough, and see the end come."""
        paused = False
        state = self._vlc.State
        while not self._closing.wait(WATCH_S):
            buffered_s = self._ring.buffered / MIX_RATE_HZ
            now = player.get_state()
            if now == state.Error:
                raise DeckError("libVLC cannot play it")
            if self._drained.is_set() or now in (state.Ended, state.Stopped):
                return
            if not paused and buffered_s > PAUSE_ABOVE_S:
                player.set_pause(1)
                paused = True
            elif paused and buffered_s < RESUME_BELOW_S:
                player.set_pause(0)
                paused = False

    def close(self) -> None:
        """Free the ring first, then stop; a libVLC that hangs is left behind after 3 s."""
        self._ring.close()
        self._closing.set()
        if self._left_behind(CLOSE_S):
            log.warning("libVLC does not stop; its decoder is left behind")
