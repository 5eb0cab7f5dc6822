"""One deck in the mix: its constant gain, its fades, and soft edges where its sound breaks off."""

from __future__ import annotations

import numpy as np

from player.deck import MIX_RATE_HZ, Deck, PcmBlock, silence
from player.mixing.fades import Fade, scale

EDGE_FRAMES = MIX_RATE_HZ // 200
"""5 ms: an end without a fade is no click then."""
RESUME_FRAMES = MIX_RATE_HZ // 4
"""A deck that ran dry is heard again once it holds this much."""


class MixChannel:
    """Reads its deck from ``start_frame`` on. All frames are of the mixer's clock."""

    def __init__(self, deck: Deck, gain: float, start_frame: int, start_s: float = 0.0) -> None:
        self.deck = deck
        self.gain = gain
        self.start_frame = start_frame
        self.start_s = start_s
        self.fade_in: Fade | None = None
        self.fade_out: Fade | None = None
        self.ends_at: int | None = None
        """The frame at which another voice goes on where this one ends: that is no end to be softened."""
        self.dry_since: int | None = None
        self._heard = 0
        self._rises = False

    @property
    def position_s(self) -> float:
        """Where in its track it is."""
        return self.start_s + self._heard / MIX_RATE_HZ

    @property
    def over(self) -> bool:
        """True once nothing more can come."""
        return self.deck.ended

    def frame_of(self, position_s: float) -> int:
        """The mixer frame at which ``position_s`` of the track sounds, if it does not run dry before."""
        return self.start_frame + round((position_s - self.start_s) * MIX_RATE_HZ)

    def added_to(self, mix: PcmBlock | None, n_frames: int, frame: int) -> PcmBlock | None:
        """``mix`` of shape (n_frames, 2) with the frames from ``frame`` on added; None stands for silence."""
        skip = max(0, self.start_frame - frame)
        wanted = n_frames - skip
        if self.ends_at is not None:
            wanted = min(wanted, self.ends_at - frame - skip)
        if wanted <= 0:
            return mix
        block = self._read(wanted, frame + skip)
        if not len(block):
            return mix
        moving = False
        for fade in (self.fade_in, self.fade_out):
            gains = None if fade is None else fade.gains(frame + skip, len(block))
            if gains is not None:
                if not moving:
                    gains *= np.float32(self.gain)
                scale(block, gains)
                moving = True
        if not moving:
            block *= np.float32(self.gain)
        if mix is None:
            if len(block) == n_frames:
                return block  # what sounds alone needs no adding up
            mix = silence(n_frames)
        mix[skip : skip + len(block)] += block
        return mix

    def _read(self, wanted: int, frame: int) -> PcmBlock:
        complete = self.deck.complete  # before the count: what is buffered then is all there will be
        buffered = self.deck.buffered_frames()
        if self.dry_since is not None:
            if buffered < RESUME_FRAMES and not complete:
                self.start_frame += wanted
                return silence(0)
            self.dry_since = None
            self._rises = True
        block = self.deck.read(wanted)
        self._heard += len(block)
        if self._rises and len(block):
            edge = min(EDGE_FRAMES, len(block))
            block[:edge] *= _ramp(edge)[:, None]
            self._rises = False
        if complete and self.ends_at is not None:
            return block
        if complete:
            self._soften_end(block, self.deck.buffered_frames())
        elif buffered < wanted + EDGE_FRAMES:
            # it may be dry in the next block: end softly now, while there is sound to end with
            self.dry_since = frame
            edge = min(EDGE_FRAMES, len(block))
            block[len(block) - edge :] *= _ramp(edge)[::-1, None]
            self.start_frame += wanted - len(block)
        return block

    def _soften_end(self, block: PcmBlock, left: int) -> None:
        if left < EDGE_FRAMES:
            to_go = left + np.arange(len(block), 0, -1)
            block *= np.minimum(1.0, to_go / EDGE_FRAMES).astype(np.float32)[:, None]


def _ramp(n_frames: int) -> PcmBlock:
    share = (np.arange(n_frames) + 0.5) / max(1, n_frames)
    return np.asarray(np.sin(share * (np.pi / 2)) ** 2, dtype=np.float32)
