"""Adds the decks up: crossfades by the frame counter, volume, pause and ducking, and the limiter."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from player.deck import MIX_RATE_HZ, Deck, PcmBlock, silence
from player.mixing.channel import MixChannel
from player.mixing.fades import Curve, Fade, Level, scale
from player.mixing.limiter import Limiter

GLIDE_FRAMES = MIX_RATE_HZ // 20
"""Volume, pause and resume take 50 ms."""
DUCK_FRAMES = MIX_RATE_HZ * 3 // 10
UNDUCK_FRAMES = MIX_RATE_HZ * 8 // 10
"""Music goes down under a cue in 0.3 s, before it begins, and comes back in 0.8 s."""


@dataclass(frozen=True, slots=True)
class Change:
    """One voice giving way to another in ``n_frames`` from ``start_frame`` on."""

    start_frame: int
    n_frames: int
    leaving: MixChannel | None
    coming: MixChannel

    def share(self, frame: int) -> float:
        """How far it is, 0..1."""
        return min(1.0, max(0.0, (frame - self.start_frame) / max(1, self.n_frames)))


class Mixer:
    """Rendered by one thread and steered by another. At most two decks sound, and a spoken cue.

    ``frame`` counts rendered frames; it stands still while paused, so that plans stay true.
    """

    def __init__(self, limiter: Limiter | None = None) -> None:
        self._limiter = limiter or Limiter()
        self._lock = threading.Lock()
        self._lead: MixChannel | None = None
        self._change: Change | None = None
        self._retired: list[Deck] = []
        self._cue: MixChannel | None = None
        self._volume = Level(1.0, GLIDE_FRAMES)
        self._running = Level(1.0, GLIDE_FRAMES)
        self._duck = Level(1.0, DUCK_FRAMES)
        self.frame = 0
        self.underruns = 0
        """Times a voice ran dry."""

    @property
    def lead(self) -> MixChannel | None:
        """The voice that is heard, or the coming one once its fade has begun."""
        return self._lead

    @property
    def fading(self) -> float | None:
        """Progress of the running crossfade, None between fades."""
        change = self._change
        if change is None or self.frame < change.start_frame or change.leaving is None:
            return None
        return change.share(self.frame)

    @property
    def armed(self) -> bool:
        """True while a change is planned or running: no other can begin."""
        return self._change is not None

    @property
    def silent(self) -> bool:
        """True when the volume or the pause lets nothing through, now and next."""
        gate = self._running
        return gate.still and gate.target == 0.0

    def change_to(
        self,
        deck: Deck,
        *,
        gain_db: float,
        start_frame: int,
        fade_frames: int,
        start_s: float = 0.0,
        curve: Curve = "equal_power",
        shape_leaving: bool = True,
    ) -> MixChannel:
        """Bring in a deck at ``start_frame`` (or now) over ``fade_frames``; the voice heard till then leaves.

        Without ``shape_leaving`` the leaving voice keeps its level: it fades by itself. Raises RuntimeError
        while another change is planned or running.
        """
        with self._lock:
            if self._change is not None:
                raise RuntimeError("one change at a time")
            start = max(start_frame, self.frame)
            voice = MixChannel(deck, 10 ** (gain_db / 20), start, start_s)
            voice.fade_in = Fade(start, fade_frames, rising=True, curve=curve)
            if self._lead is not None and shape_leaving:
                self._lead.fade_out = Fade(start, fade_frames, rising=False, curve=curve)
            self._change = Change(start, fade_frames, self._lead, voice)
        return voice

    def join(self, deck: Deck, lead_frames: int = 0) -> MixChannel:
        """Let a deck go on at the frame at which the sound of the voice that is heard ends, at its gain.

        ``lead_frames`` of the deck's first frames take the place of the last ones of that voice, if they are
        still to come; else they are left out. All of that voice must be decoded. Raises RuntimeError while
        another change is planned or running, and where nothing is heard.
        """
        with self._lock:
            if self._change is not None or self._lead is None:
                raise RuntimeError("one change at a time, from something that is heard")
            lead = self._lead
            end = max(self.frame, lead.start_frame) + lead.deck.buffered_frames() - lead_frames
            if end < self.frame:
                end += len(deck.read(lead_frames))
            lead.ends_at = end
            self._change = Change(end, 0, lead, MixChannel(deck, lead.gain, end))
            return self._change.coming

    def cancel(self) -> Deck | None:
        """Take back a change that has not begun; returns its deck, unread. None if there is none such."""
        with self._lock:
            change = self._change
            if change is None or self.frame >= change.start_frame:
                return None
            if change.leaving is not None:
                change.leaving.fade_out = None
                change.leaving.ends_at = None
            self._change = None
            return change.coming.deck

    def hasten(self, n_frames: int) -> None:
        """Let the running fade end within ``n_frames``."""
        with self._lock:
            change = self._change
            if change is None or self.frame < change.start_frame:
                return
            for voice in (change.coming, change.leaving):
                if voice is not None and voice.fade_in is not None:
                    voice.fade_in = voice.fade_in.hastened(self.frame, n_frames)
                if voice is not None and voice.fade_out is not None:
                    voice.fade_out = voice.fade_out.hastened(self.frame, n_frames)
            left = min(n_frames, change.start_frame + change.n_frames - self.frame)
            self._change = Change(self.frame, left, change.leaving, change.coming)

    def pause(self, paused: bool, glide_frames: int = GLIDE_FRAMES) -> None:
        """Fade out and stand still, or go on."""
        with self._lock:
            self._running.go(0.0 if paused else 1.0, glide_frames)

    def set_volume(self, gain: float) -> None:
        """Linear gain 0..1 of all that sounds, cues too: what is soft at night stays soft."""
        with self._lock:
            self._volume.go(min(1.0, max(0.0, gain)))

    def speak(self, deck: Deck, duck_db: float) -> bool:
        """Play a cue over the music, ``duck_db`` lower; False while another one sounds, or none can."""
        with self._lock:
            if self._cue is not None or self._running.target == 0.0:
                return False
            # the music goes down first
            self._cue = MixChannel(deck, 1.0, self.frame + DUCK_FRAMES)
            self._duck.go(10 ** (-duck_db / 20), DUCK_FRAMES)
            return True

    def retired(self) -> list[Deck]:
        """Decks that are no longer heard, to be closed by the caller."""
        with self._lock:
            decks, self._retired = self._retired, []
        return decks

    def empty(self) -> list[Deck]:
        """Every deck that is still heard, fading or planned, and those not handed back yet: at the end."""
        with self._lock:
            decks = [*self._retired, *(voice.deck for voice in self._voices())]
            self._lead = self._change = self._cue = None
            self._retired = []
        return decks

    def render(self, n_frames: int) -> PcmBlock:
        """The next frames, (n_frames, 2); at the very beginning fewer, by what the limiter holds back."""
        with self._lock:
            return self._limiter.process(self._mix(n_frames))

    def flush(self) -> PcmBlock:
        """What the limiter still holds, (n, 2), at the end."""
        with self._lock:
            return self._limiter.flush()

    def _mix(self, n_frames: int) -> PcmBlock:
        if self._running.still and self._running.target == 0.0:
            return silence(n_frames)
        mix: PcmBlock | None = None
        for voice in self._voices():
            dry_before = voice.dry_since
            mix = voice.added_to(mix, n_frames, self.frame)
            self.underruns += voice.dry_since not in (None, dry_before)
        if mix is None:
            mix = silence(n_frames)
        _scale(mix, self._duck.next(n_frames))
        if self._cue is not None:
            self._cue.added_to(mix, n_frames, self.frame)
        for level in (self._volume, self._running):
            _scale(mix, level.next(n_frames))
        self.frame += n_frames
        self._settle()
        return mix

    def _voices(self) -> list[MixChannel]:
        change = self._change
        voices = (self._lead, change and change.leaving, change and change.coming)
        return list({id(voice): voice for voice in voices if voice}.values())

    def _settle(self) -> None:
        """Hand over to the coming voice once its fade has begun; let the leaving one go when it is over."""
        change = self._change
        if change is not None and self.frame >= change.start_frame:
            self._lead = change.coming
            if self.frame >= change.start_frame + change.n_frames:
                if change.leaving is not None:
                    self._retired.append(change.leaving.deck)
                self._change = None
        if self._cue is not None and self._cue.over:
            self._retired.append(self._cue.deck)
            self._cue = None
            self._duck.go(1.0, UNDUCK_FRAMES)


def _scale(mix: PcmBlock, gains: np.ndarray | float) -> None:
    if isinstance(gains, float):
        if gains != 1.0:
            mix *= np.float32(gains)
    else:
        scale(mix, gains)
