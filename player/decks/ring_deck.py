"""What the decks that decode ahead in a thread of their own have in common: a ring, and how it is read."""

from __future__ import annotations

import threading
from collections import deque

from player.deck import MIX_RATE_HZ, PcmBlock
from player.decks.ring import PcmRing

MAX_TITLES = 64
"""That lie in the ring at once: the oldest go."""


class RingDeck:
    """The reading side of a deck. ``_decode`` fills the ring from a thread, and finishes it at its end."""

    def __init__(self, ahead_s: float, thread_name: str) -> None:
        self._ring = PcmRing(int(ahead_s * MIX_RATE_HZ))
        self._error: str | None = None
        self._thread_name = thread_name
        self._thread: threading.Thread | None = None
        self._titles: deque[tuple[int, str]] = deque(maxlen=MAX_TITLES)
        self._title = self._last_title = ""

    def open(self, location: str, start_s: float = 0.0) -> None:
        """Begin decoding; a deck plays one track only."""
        if self._thread is not None:
            raise RuntimeError("a deck plays one track only")
        self._thread = threading.Thread(
            target=self._decode, args=(location, start_s), name=self._thread_name, daemon=True
        )
        self._thread.start()

    def _decode(self, location: str, start_s: float) -> None:
        raise NotImplementedError

    def _fail(self, error: Exception) -> None:
        self._error = (str(error) or type(error).__name__)[:200]

    def _note_title(self, title: str) -> None:
        """What the station says of all that is written from now on."""
        if title != self._last_title:
            self._last_title = title
            self._titles.append((self._ring.given, title))

    @property
    def title(self) -> str:
        """What the station said of the frames read last."""
        while self._titles and self._titles[0][0] <= self._ring.taken:
            self._title = self._titles.popleft()[1]
        return self._title

    def buffered_frames(self) -> int:
        """Frames that can be read at once."""
        return self._ring.buffered

    def read(self, n_frames: int) -> PcmBlock:
        """At most ``n_frames`` frames, (n, 2); never blocks."""
        return self._ring.read(n_frames)

    def look(self, n_frames: int) -> PcmBlock:
        """At most ``n_frames`` frames, (n, 2), which stay to be read; never blocks."""
        return self._ring.look(n_frames)

    @property
    def complete(self) -> bool:
        """True once everything is in the ring."""
        return self._ring.complete

    @property
    def ended(self) -> bool:
        """True once everything was read."""
        return self._ring.complete and self._ring.buffered == 0

    @property
    def error(self) -> str | None:
        """Why decoding stopped early."""
        return self._error

    def _left_behind(self, patience_s: float) -> bool:
        """Wait so long for the thread; True when it hangs and ends by itself some day."""
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return False
        thread.join(patience_s)
        return thread.is_alive()
