"""The port every decoder stands behind."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

PcmBlock = NDArray[np.float32]
"""Interleaved stereo, shape (n_frames, 2), full scale +-1."""

MIX_RATE_HZ = 48_000
"""The one rate everything is mixed at."""


class DeckError(Exception):
    """The track cannot be decoded. The message names the file and what was wrong."""


class Deck(Protocol):
    """Decodes one track ahead of time into a bounded ring. One deck plays one track."""

    def open(self, location: str, start_s: float = 0.0) -> None:
        """Begin decoding in the background at ``start_s``. Raises ``DeckError`` for what cannot be opened."""
        ...

    def buffered_frames(self) -> int:
        """How many frames can be read at once without waiting."""
        ...

    def read(self, n_frames: int) -> PcmBlock:
        """At most ``n_frames`` frames, fewer if the ring holds fewer; never blocks."""
        ...

    @property
    def ended(self) -> bool:
        """True once the last decoded frame has been read."""
        ...

    @property
    def error(self) -> str | None:
        """Why decoding stopped early, if it did."""
        ...

    def close(self) -> None:
        """Stop decoding within 3 s. Safe to call twice."""
        ...
