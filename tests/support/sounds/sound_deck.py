"""A deck that plays an array."""

from __future__ import annotations

from player.deck import PcmBlock


class SoundDeck:
    """A deck that holds its sound already; passes what the mixer needs of the port."""

    error: str | None = None
    title = ""

    def __init__(self, sound: PcmBlock, *, complete: bool = True) -> None:
        self.sound = sound
        self.at = 0
        self.complete = complete
        self.closed = False

    def open(self, location: str, start_s: float = 0.0) -> None: ...

    def buffered_frames(self) -> int:
        return len(self.sound) - self.at

    def read(self, n_frames: int) -> PcmBlock:
        block = self.sound[self.at : self.at + n_frames].copy()
        self.at += len(block)
        return block

    def look(self, n_frames: int) -> PcmBlock:
        return self.sound[self.at : self.at + n_frames]

    @property
    def ended(self) -> bool:
        return self.complete and self.at == len(self.sound)

    def close(self) -> None:
        self.closed = True
