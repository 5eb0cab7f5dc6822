"""The state machine of playback: what sounds, what comes next, when one gives way to the other."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from player.choice.chooser import Chooser, DecisionKind
from player.deck import MIX_RATE_HZ, Deck, DeckMaker, PcmBlock
from player.mixing.announcements import AnnouncementDeck, AnnouncementSound
from player.mixing.channel import MixChannel
from player.mixing.fades import CURVES, Curve
from player.mixing.mixer import Mixer
from player.music import MAX_CROSSFADE_S, Decision, PlaybackState, Reason, Track
from player.playback.album_seams import AlbumSeams, goes_on
from player.playback.lineup import Lineup, PreparedTrack, TrackSource, as_skip, is_filler
from player.playback.playing import Playing
from player.playback.seeking import Seeking
from player.playback.transition import (
    LISTEN_S,
    MICRO_FADE_S,
    Transition,
    album_gain_db,
    gain_db,
    is_endless,
    plan,
    unmeasured_gain_db,
)

ARM_S = 1.0
SKIP_FADE_S = 1.0
HASTE_S = 0.25
START_FADE_S = 0.25
SEEK_FADE_S = 0.1
DWELL_S = 10.0
STEER_EVERY_S = 1.0
REVIEW_BEFORE_S = 15.0
SOON_S = 30.0
FIRST_PATIENCE_S = 6.0
MAX_SKIPS = 5

Urgency = Literal["skip", "mood_change", "recovery"]


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How playback behaves; ``volume`` is a linear gain 0..1."""

    crossfade_s: float = 8.0
    curve: Curve = "equal_power"
    volume: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.crossfade_s <= MAX_CROSSFADE_S:
            raise ValueError(f"crossfade must be 0 to {MAX_CROSSFADE_S:.0f} s, got {self.crossfade_s!r}")
        if self.curve not in CURVES:
            raise ValueError(f"curve must be one of {', '.join(CURVES)}, got {self.curve!r}")
        if not 0 <= self.volume <= 1:
            raise ValueError(f"volume must be 0 to 1, got {self.volume!r}")


class AutoDj:
    """Steers a mixer; ``tick`` is called often (live 30 times a second, offline before each block).

    Not thread-safe: one thread ticks and calls. All times are seconds of the chooser's clock.
    """

    def __init__(
        self,
        mixer: Mixer,
        chooser: Chooser,
        source: TrackSource,
        make_deck: DeckMaker,
        *,
        close_deck: Callable[[Deck], None] = lambda deck: deck.close(),
        on_decision: Callable[[Decision], None] = lambda decision: None,
        loudness_of: Callable[[PcmBlock], float | None] = lambda sound: None,
        settings: EngineSettings | None = None,
    ) -> None:
        self.settings = settings or EngineSettings()
        self.mixer = mixer
        self._chooser = chooser
        self._source = source
        self._close_deck = close_deck
        self._loudness_of = loudness_of
        self._on_decision = on_decision
        self.on_failed_wish: Callable[[Track, str], None] = lambda track, why: None
        self.seeking = Seeking(make_deck, close_deck)
        self._seams = AlbumSeams(make_deck, close_deck)
        self._lineup = Lineup(chooser, make_deck, source.tracks, close_deck)
        self._current: Playing | None = None
        self._left: Track | None = None
        self._armed: MixChannel | None = None
        self._urgent: Urgency | None = None
        self._skips = 0
        self._wanted: Track | None = None
        self._paused = False
        self._began_s: float | None = None
        self._steered_s = 0.0
        self._situation = ""
        self._asked = False
        mixer.set_volume(self.settings.volume)

    # what people ask for

    def skip(self) -> None:
        """Go to the next track, within a second."""
        self._skips = min(MAX_SKIPS, self._skips + 1)

    def play(self, track: Track) -> None:
        """Crossfade to this very track, as soon as it is ready."""
        self._wanted = track

    def pause(self, paused: bool | None) -> None:
        """Pause, go on, or (None) the other of the two."""
        self._paused = not self._paused if paused is None else paused
        self.mixer.pause(self._paused)

    def set_volume(self, volume: float) -> None:
        """Raises ValueError outside 0..1."""
        self.settings = replace(self.settings, volume=volume)
        self.mixer.set_volume(volume)

    def set_crossfade(self, seconds: float) -> None:
        """Raises ValueError outside 0..30 s."""
        self.settings = replace(self.settings, crossfade_s=seconds)

    def choose_anew(self) -> None:
        """The policy or the target was changed: what comes next is chosen anew."""
        self._asked = True

    def seek(self, position_s: float) -> None:
        """Go to a place in the current track; beyond its end is its end. Endless streams stay as they are."""
        self.seeking.ask(self._current, position_s)

    def speak(self, sound: AnnouncementSound) -> bool:
        """Play a cue over the music, lowered for it; False while another one sounds, and while paused."""
        return self.mixer.speak(AnnouncementDeck(sound.pcm), sound.duck_db)

    def resume_at(self, track: Track, position_s: float, now_s: float) -> None:
        """Begin with this track at this place, as a player that was killed does."""
        position_s = 0.0 if is_endless(track) else position_s
        reason = Reason("resumed", start_s=position_s)
        decision = self._chooser.decision(now_s, track, "recovery", reason, track.mood)
        self._lineup.put(track, decision, position_s)

    def rescanned(self) -> None:
        """People asked for a rescan: tracks that failed get another chance."""
        self._lineup.forgive_all()

    # the clock

    def tick(self, now_s: float) -> None:
        """Look at everything once."""
        if self._began_s is None:
            self._began_s = now_s
        for deck in self.mixer.retired():
            self._close_deck(deck)
        self._follow(now_s)
        self._refresh_library()
        if self._armed is None:
            self._lineup.tend(now_s, self._track, self._kind(now_s), soon=self._soon(now_s))
            self._seams.tend(self._current, self._lineup.next)
            self._answer_wish()
            self._guard(now_s)
            self._steer(now_s)
        self._skip(now_s)
        self._grant(now_s)
        self._arm(now_s)

    def state(self, degraded: tuple[str, ...] = ()) -> PlaybackState:
        """What sounds now."""
        next_track = None if self._lineup.next is None else self._lineup.next.track
        if is_filler(self._track):
            degraded = (*degraded, "filler: there is nothing to play")
        return PlaybackState(
            track=self._track,
            position_s=0.0 if self._current is None else self._current.voice.position_s,
            next_track=None if is_filler(next_track) else next_track,
            paused=self._paused,
            volume=self.settings.volume,
            crossfade_s=self.settings.crossfade_s,
            fading=self.mixer.fading,
            policy=self._chooser.policy,
            target=self._chooser.target,
            degraded=degraded,
            stream_title="" if self._current is None else self._current.deck.title,
            leaving=None if self.mixer.fading is None or is_filler(self._left) else self._left,
            decision=None if self._current is None else self._current.prepared.decision,
        )

    def close(self) -> None:
        """Let every deck go."""
        self.seeking.drop()
        self._seams.drop()
        self._lineup.drop()
        # also the one that a running fade is leaving
        for deck in self.mixer.empty():
            self._close_deck(deck)

    # how it works

    @property
    def _track(self) -> Track | None:
        return None if self._current is None else self._current.track

    def _kind(self, now_s: float) -> DecisionKind:
        if self._current is None:
            return "first"
        return "neutral" if self._chooser.wearer.situation(now_s) == "neutral" else "next"

    def _answer_wish(self) -> None:
        """A track that was asked for cannot be played: say so, and stay with what sounds."""
        failed, self._lineup.failed_wish = self._lineup.failed_wish, None
        if failed is not None:
            self._urgent = None
            self.on_failed_wish(*failed)

    def _soon(self, now_s: float) -> bool:
        """May a stream be opened for what comes next? The filler has no end to wait for."""
        if self._current is None or is_filler(self._track):
            return True
        return self._urgent is not None or self._skips > 0 or self._remaining_s(now_s) < SOON_S

    def _refresh_library(self) -> None:
        tracks = self._source.tracks
        if tracks is self._lineup.tracks:
            return
        self._lineup.refresh(tracks)
        current = self._current
        if current is not None and not is_filler(current.track):
            known = next((track for track in tracks if track.id == current.track.id), None)
            if known is not None:
                current.prepared.track = known

    def _follow(self, now_s: float) -> None:
        """See whether what was armed has begun to sound."""
        if self._armed is None or self.mixer.lead is not self._armed:
            return
        voice, self._armed = self._armed, None
        sought = self.seeking.taken(voice.deck)
        if sought is not None:
            self._current = Playing(sought, voice, grown_at_s=now_s)
            return
        prepared = self._lineup.pop_next()
        self._left = self._track
        self._current = Playing(prepared, voice, grown_at_s=now_s)
        self._urgent = None
        self.seeking.drop()
        if not is_filler(prepared.track):
            self._chooser.mark_played(prepared.track, now_s)
        self._on_decision(replace(prepared.decision, at_s=now_s))

    def _end_s(self, now_s: float) -> float:
        return 0.0 if self._current is None else self._current.end_s(now_s, paused=self._paused)

    def _remaining_s(self, now_s: float) -> float:
        return 0.0 if self._current is None else self._end_s(now_s) - self._current.voice.position_s

    def _guard(self, now_s: float) -> None:
        """Never silence: leave a track that breaks off; the filler stands in for a missing next one."""
        current, coming = self._current, self._lineup.next
        ready = coming is not None and coming.ready
        if current is None:
            if not ready and now_s - (self._began_s or 0.0) > FIRST_PATIENCE_S:
                self._lineup.put_filler(now_s, Reason("filler_first"))
            return
        if is_filler(current.track):
            if ready and not is_filler(coming.track if coming else None):
                self._urgent = self._urgent or "recovery"
            return
        ending = self._remaining_s(now_s) < ARM_S
        if ending and not ready:
            self._lineup.put_filler(now_s, Reason("filler_late"))
        broken = current.broken
        if broken is not None and not current.struck:
            current.struck = True
            self._lineup.strike(current.track, broken, now_s)
        if broken is not None and ending:
            self._urgent = self._urgent or "recovery"

    def _steer(self, now_s: float) -> None:
        """Once a second: may the wearer's mood change the music, now or next?"""
        current = self._current
        if current is None or self._urgent is not None or now_s - self._steered_s < STEER_EVERY_S:
            return
        self._steered_s = now_s
        if is_filler(current.track):
            return
        situation = self._chooser.wearer.situation(now_s)
        if current.played_s >= DWELL_S:
            reason = self._chooser.wants_change(now_s, current.track, current.played_s)
            if reason is not None:
                self._lineup.rechoose(now_s, current.track, "mood_change")
                self._urgent = "mood_change"
                return
        ending = self._remaining_s(now_s) < self.settings.crossfade_s + REVIEW_BEFORE_S
        if situation != self._situation or self._asked or (ending and not current.reviewed):
            current.reviewed = ending
            self._situation, self._asked = situation, False
            self._lineup.rechoose(now_s, current.track, self._kind(now_s))

    def _skip(self, now_s: float) -> None:
        if not self._skips or self._current is None:
            return
        if self.mixer.fading is not None:
            self.mixer.hasten(round(HASTE_S * MIX_RATE_HZ))
        elif self._armed is not None and self.mixer.cancel() is not None:
            self._armed = None
        coming = self._lineup.next
        if self._armed is None and not self.mixer.armed and coming is not None and coming.ready:
            self._skips -= 1
            coming.decision = as_skip(coming.decision, now_s)
            self._urgent = "skip"

    def _grant(self, now_s: float) -> None:
        """Put the track somebody asked for in the place of the next one."""
        track = self._wanted
        if track is None:
            return
        if self.mixer.fading is not None:
            self.mixer.hasten(round(HASTE_S * MIX_RATE_HZ))
        elif self._armed is not None and self.mixer.cancel() is not None:
            self._armed = None
        if self._armed is not None or self.mixer.armed:
            return
        self._wanted = None
        decision = self._chooser.decision(now_s, track, "skip", Reason("wished"), track.mood)
        self._lineup.put(track, decision, max(0.0, track.cue_in_s))
        self._urgent = "skip"

    def _arm(self, now_s: float) -> None:
        """Hand the next change to the mixer when it is time, or nearly."""
        current = self._current
        if self._armed is not None or self.mixer.armed or (current and self._armed_seek(current, now_s)):
            return
        coming = self._lineup.next
        if coming is None or coming.deck is None or not coming.ready or coming.unheard(now_s):
            return
        if current is None:
            self._change(coming, coming.deck, Transition(0.0, START_FADE_S, 0.0, 0.0, 0.0, "equal_power"), 0)
            return
        if self._joined(current, coming, coming.deck):
            return
        forced = self._urgent is not None
        fade_s = SKIP_FADE_S if self._urgent == "skip" else self.settings.crossfade_s
        if current.broken_off:
            forced, fade_s = True, MICRO_FADE_S
        position_s = max(0.0, current.voice.position_s)
        ending_there = current.track_ending_at(self._end_s(now_s))
        transition = plan(ending_there, coming.track, position_s, fade_s, forced)
        if forced:
            self._change(coming, coming.deck, transition, self.mixer.frame)
        elif transition.start_at_s - position_s <= ARM_S:
            self._change(coming, coming.deck, transition, current.voice.frame_of(transition.start_at_s))

    def _change(self, coming: PreparedTrack, deck: Deck, transition: Transition, start_frame: int) -> None:
        coming.without_lead()
        self._armed = self.mixer.change_to(
            deck,
            gain_db=self._gain_db(coming.track, deck),
            start_frame=start_frame,
            fade_frames=round(transition.fade_s * MIX_RATE_HZ),
            start_s=coming.start_s,
            curve=self.settings.curve,
            shape_leaving=transition.curve != "natural_out",
        )

    def _gain_db(self, track: Track, deck: Deck) -> float:
        """Of the track, by what it begins with where nobody measured it, or of the album where that plays."""
        if track.album and self._chooser.keeps(track):
            return album_gain_db([part for part in self._lineup.tracks if part.album == track.album])
        if track.loudness_lufs is not None:
            return gain_db(track)
        return unmeasured_gain_db(track, deck.look(round(LISTEN_S * MIX_RATE_HZ)), self._loudness_of)

    def _joined(self, current: Playing, coming: PreparedTrack, deck: Deck) -> bool:
        """Whether the next part of an album goes on at the very frame at which the current one ends."""
        if self._urgent is not None or not goes_on(current, coming):
            return False
        if current.deck.complete and current.deck.buffered_frames() <= ARM_S * MIX_RATE_HZ:
            self._armed = self.mixer.join(deck, coming.lead_frames)
        return True

    def _armed_seek(self, current: Playing, now_s: float) -> bool:
        """Bring in a seek that is ready; True if that was done."""
        seek = self.seeking.ready(now_s)
        if seek is None or seek.deck is None:
            return False
        self._armed = self.mixer.change_to(
            seek.deck,
            gain_db=20 * math.log10(current.voice.gain),
            start_frame=self.mixer.frame,
            fade_frames=round(SEEK_FADE_S * MIX_RATE_HZ),
            start_s=seek.start_s,
        )
        return True
