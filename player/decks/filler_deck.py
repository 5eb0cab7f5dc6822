"""What sounds when there is nothing else to play: a quiet chord that breathes, made by code, without end."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from player.deck import MIX_RATE_HZ, PcmBlock
from player.music import Mood, Track
from player.synth import tone

LOCATION = "builtin:filler"
CHORD_S = 8.0
OVERLAP_S = 4.0
CHORDS = ((45, 57, 64, 71), (41, 57, 60, 67), (48, 55, 64, 71), (43, 55, 62, 69))
"""A minor with a ninth, F, C and G: open, calm and never resolved."""
LEVEL_DBFS = -25.0

FILLER = Track(
    id="filler",
    location=LOCATION,
    title="Quiet filler",
    artist="",
    duration_s=0.0,
    cue_in_s=0.0,
    cue_out_s=0.0,
    loudness_lufs=-22.0,
    true_peak_dbtp=-10.0,
    mood=Mood(None, -0.5),
    mood_source="composed",
    mood_confidence=1.0,
)


@lru_cache(maxsize=1)
def filler_loop() -> PcmBlock:
    """Half a minute whose end runs into its beginning, shape (n_frames, 2)."""
    n_frames = int(len(CHORDS) * CHORD_S * MIX_RATE_HZ)
    loop = np.zeros((n_frames, 2), dtype=np.float32)
    for index, chord in enumerate(CHORDS):
        start = int(index * CHORD_S * MIX_RATE_HZ)
        for note in chord:
            wave = tone("pad", note, CHORD_S + OVERLAP_S).T
            places = (start + np.arange(len(wave))) % n_frames
            loop[places] += wave
    level = 10 ** (LEVEL_DBFS / 20) / float(np.sqrt(np.mean(np.square(loop, dtype=np.float64))))
    return loop * np.float32(level)


class FillerDeck:
    """The loop as a deck that never ends."""

    complete = False
    ended = False
    error: str | None = None
    title = ""

    def __init__(self) -> None:
        self._loop = filler_loop()
        self._at = 0

    def open(self, location: str, start_s: float = 0.0) -> None:
        """Always ready."""
        self._at = int(start_s * MIX_RATE_HZ) % len(self._loop)

    def buffered_frames(self) -> int:
        """A whole round."""
        return len(self._loop)

    def read(self, n_frames: int) -> PcmBlock:
        """The next frames, (n_frames, 2), round and round."""
        places = (self._at + np.arange(min(n_frames, len(self._loop)))) % len(self._loop)
        self._at = (self._at + len(places)) % len(self._loop)
        block: PcmBlock = self._loop[places]
        return block

    def look(self, n_frames: int) -> PcmBlock:
        """The beginning of the loop, (n_frames, 2)."""
        return self._loop[:n_frames]

    def close(self) -> None:
        """Nothing to close."""
