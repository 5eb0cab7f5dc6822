"""The port every decoder stands behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

PcmBlock = NDArray[np.float32]
"""Interleaved stereo, shape (n_frames, 2), full scale +-1."""

MIX_RATE_HZ = 48_000
"""The one rate everything is mixed at."""

STREAM_PREFIXES = ("http://", "https://")

OpenFile = Callable[[str], IO[bytes]]
"""Opens a local track for reading, refusing what is no regular file of the library. Raises OSError."""


class DeckError(Exception):
    """There is no such decoder on this machine. The message says what is missing."""


class Deck(Protocol):
    """Decodes one track ahead of time into a bounded ring. One deck plays one track."""

    def open(self, location: str, start_s: float = 0.0) -> None:
        """Begin decoding in the background at ``start_s``; returns at once.

        Opening may hang on a dead disk or server, so what cannot be opened shows in ``error``.
        """
        ...

    def buffered_frames(self) -> int:
        """How many frames can be read at once without waiting."""
        ...

    def read(self, n_frames: int) -> PcmBlock:
        """At most ``n_frames`` frames, (n, 2), fewer if the ring holds fewer; never blocks."""
        ...

    def look(self, n_frames: int) -> PcmBlock:
        """At most ``n_frames`` of the frames that can be read, (n, 2), which stay there to be read."""
        ...

    @property
    def complete(self) -> bool:
        """True once nothing will be added: what is buffered is all that is left of the track."""
        ...

    @property
    def ended(self) -> bool:
        """True once the last decoded frame has been read."""
        ...

    @property
    def error(self) -> str | None:
        """Why decoding stopped early, if it did; then the deck is complete."""
        ...

    @property
    def title(self) -> str:
        """What a radio station says it plays, of the frames read last; empty for anything else."""
        ...

    def close(self) -> None:
        """Stop decoding; returns within 3 s. Safe to call twice."""
        ...


@dataclass(frozen=True, slots=True)
class Seam:
    """The last samples of a track before they are resampled, so that the next part's can go on from them."""

    samples: NDArray[Any]
    """(channels, n), or (1, n * channels) where the format is interleaved."""
    format: str
    layout: str
    """As FFmpeg calls them."""
    rate_hz: int
    settling_frames: int
    """So many of the first frames that become of the samples differ from those of the track."""
    lead_frames: int
    """Those that follow up to the end of the track, of what becomes of it alone; the last of them are off."""


@runtime_checkable
class JoiningDeck(Deck, Protocol):
    """A deck whose sound can go on from another one's, where both have one rate that is not the mix's."""

    def open_after(self, location: str, seam: Seam) -> None:
        """As ``open`` at the beginning, with the resampler in the midst of the part before."""
        ...

    @property
    def seam(self) -> Seam | None:
        """Where the next part can go on, once it is complete; None where nothing would be gained."""
        ...

    @property
    def lead_frames(self) -> int:
        """How many of the first frames sound in the place of the last ones of the part before."""
        ...


DeckMaker = Callable[[str], Deck]
"""Makes an unopened deck that is able to play this location."""


def is_stream(location: str) -> bool:
    """True for internet radio and other URLs."""
    return location.startswith(STREAM_PREFIXES)


def silence(n_frames: int) -> PcmBlock:
    """A block of zeros, (n_frames, 2)."""
    return np.zeros((n_frames, 2), dtype=np.float32)
