"""The track that sounds: what it was chosen for, how far it is, and where it will really end."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from player.deck import MIX_RATE_HZ, Deck
from player.mixing.channel import MixChannel
from player.music import Track
from player.playback.lineup import PreparedTrack
from player.playback.transition import audible_end_s

STALLS = ((1.2, 1.0), (20.0, 5.0))
"""A deck that holds less than so many seconds and has not grown for so many is taken to have ended."""


@dataclass(slots=True)
class Playing:
    """A prepared track and its voice in the mix."""

    prepared: PreparedTrack
    voice: MixChannel
    grown_at_s: float
    grown_to: int = 0
    reviewed: bool = False
    stalled: bool = False
    struck: bool = False

    @property
    def deck(self) -> Deck:
        """What decodes it."""
        return self.voice.deck

    @property
    def track(self) -> Track:
        """What it is."""
        return self.prepared.track

    @property
    def played_s(self) -> float:
        """For how long it has sounded."""
        return self.voice.position_s - self.voice.start_s

    @property
    def broken_off(self) -> bool:
        """True when its sound has stopped already."""
        return self.voice.dry_since is not None or self.voice.over

    @property
    def broken(self) -> str | None:
        """What is wrong with it, if anything is: it may still have half a minute to play."""
        return "its sound no longer comes" if self.stalled else self.deck.error

    def end_s(self, now_s: float, *, paused: bool) -> float:
        """Where it ends: as its cue point says, or earlier if its deck holds no more and gets no more."""
        buffered_s = self.deck.buffered_frames() / MIX_RATE_HZ
        reach_s = self.voice.position_s + buffered_s
        reach = round(reach_s * MIX_RATE_HZ)
        if reach > self.grown_to or paused:
            self.grown_to, self.grown_at_s = max(reach, self.grown_to), now_s
        still_s = now_s - self.grown_at_s
        self.stalled = not self.deck.complete and any(
            buffered_s < least_s and still_s > for_s for least_s, for_s in STALLS
        )
        if self.deck.complete or self.stalled:
            return min(audible_end_s(self.track), reach_s)
        return audible_end_s(self.track)

    def track_ending_at(self, end_s: float) -> Track:
        """The track as the planner should see it."""
        if math.isinf(end_s):
            return self.track
        cue_in_s = min(self.track.cue_in_s, end_s)
        return replace(self.track, cue_in_s=cue_in_s, cue_out_s=end_s, duration_s=max(end_s, 1e-3))
