"""The next track, chosen and decoded ahead, and what becomes of tracks that cannot be played."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from player.choice.albums import joins
from player.choice.chooser import Chooser, DecisionKind, NoPlayableTrackError
from player.choice.reason_words import NO_PART
from player.choice.reasons import sentence
from player.deck import MIX_RATE_HZ, Deck, DeckError, DeckMaker, is_stream
from player.decks.filler_deck import FILLER, LOCATION
from player.music import Decision, Mood, Reason, ReasonNote, Track
from player.playback.transition import LEAST_LISTEN_S
from player.reading.http_asking import shut_out

PREBUFFER_S = 0.5
SHORTEST_S = 1.0
OPEN_TIMEOUT_S = 5.0
STRIKES = 2
BENCH_S = (60.0, 600.0)
"""So long a track rests after its first and each later failure: a disk or a server may come back."""
RETRIES_S = (0.0, 0.0, 0.25, 0.5, 1.0, 2.0)
FILLER_RETRY_S = 1.0
AMNESTY_S = 10.0
"""Where everything has failed, all get another chance so often: a disk or a server may be back."""

log = logging.getLogger(__name__)


class TrackSource(Protocol):
    """The library as playback sees it."""

    @property
    def tracks(self) -> Sequence[Track]: ...


@dataclass(slots=True)
class PreparedTrack:
    """A chosen track and the deck that decodes it, once it is opened."""

    track: Track
    decision: Decision
    start_s: float
    deck: Deck | None = None
    opened_s: float = 0.0
    lead_frames: int = 0
    """So many of the deck's first frames are of the sound that it goes on from."""

    def without_lead(self) -> None:
        """Begin with the track itself: it does not go on from what its deck was opened after."""
        if self.deck is not None:
            self.deck.read(self.lead_frames)
        self.lead_frames = 0

    @property
    def ready(self) -> bool:
        """True when it may begin to sound."""
        if self.deck is None or self.too_little:
            return False
        return self.deck.complete or self.deck.buffered_frames() >= PREBUFFER_S * MIX_RATE_HZ

    def unheard(self, now_s: float) -> bool:
        """True while too little is decoded to say how loud it is, of a track that nobody measured.

        A second is the most that is waited for it.
        """
        if self.track.loudness_lufs is not None or self.deck is None or self.deck.complete:
            return False
        little = self.deck.buffered_frames() < LEAST_LISTEN_S * MIX_RATE_HZ
        return little and now_s - self.opened_s < 1.0

    @property
    def too_little(self) -> bool:
        """True when decoding has ended with next to nothing."""
        if self.deck is None or not self.deck.complete:
            return False
        least_s = SHORTEST_S if self.deck.error is not None else 0.05
        return self.deck.buffered_frames() < least_s * MIX_RATE_HZ

    def failure(self, now_s: float) -> str | None:
        """Why it cannot be played, if that is so."""
        if self.deck is None:
            return None
        if self.too_little:
            return self.deck.error or "holds next to no sound"
        if not self.ready and now_s - self.opened_s > OPEN_TIMEOUT_S:
            away = shut_out(self.track.location) if is_stream(self.track.location) else ""
            return f"gives no sound within {OPEN_TIMEOUT_S:.0f} s{away}"
        return None


class Lineup:
    """Keeps one track prepared, of ``tracks``, the library as last told. ``close`` takes decks away."""

    def __init__(
        self,
        chooser: Chooser,
        make_deck: DeckMaker,
        tracks: Sequence[Track],
        close: Callable[[Deck], None],
    ) -> None:
        self._chooser = chooser
        self._make_deck = make_deck
        self.tracks = tracks
        self._close = close
        self._strikes: dict[str, int] = {}
        self._benched: dict[str, float] = {}
        self._in_a_row = 0
        self._retry_at_s = 0.0
        self._amnesty_at_s: float | None = None
        self.next: PreparedTrack | None = None
        self.failed_wish: tuple[Track, str] | None = None
        """The track somebody asked for, and why it could not be played, until it is taken note of."""

    def tend(self, now_s: float, current: Track | None, kind: DecisionKind, *, soon: bool) -> None:
        """Choose where nothing is chosen, open what is chosen, and replace what failed.

        Streams are opened only when they are wanted ``soon``: a paused connection grows stale.
        """
        self._forgive(now_s)
        failure = None if self.next is None else self.next.failure(now_s)
        if self.next is not None and failure is not None:
            if self.next.decision.reason.note == "wished":
                self.failed_wish = self.next.track, failure
            self.strike(self.next.track, failure, now_s)
            self.drop()
            kind = "recovery"
        waiting_filler = self.next is not None and self.next.track is FILLER
        if (self.next is None or waiting_filler) and now_s >= self._retry_at_s:
            self._choose(now_s, current, kind)
        if (
            self.next is not None
            and self.next.deck is None
            and (soon or not is_stream(self.next.track.location))
        ):
            self._open(self.next, now_s)

    def rechoose(self, now_s: float, current: Track | None, kind: DecisionKind) -> None:
        """Choose again; what is prepared is kept unless another track fits clearly better."""
        kept = self.next
        already = None if kept is None or kept.track is FILLER else kept.track
        try:
            decision = self._chooser.choose(now_s, self.tracks, kind, current, already)
        except NoPlayableTrackError:
            return
        if kept is not None and decision.chosen.id == kept.track.id:
            kept.decision = decision
            return
        self.drop()
        self.next = PreparedTrack(decision.chosen, decision, _start_s(current, decision.chosen))

    def put(self, track: Track, decision: Decision, start_s: float) -> None:
        """Prepare this very track."""
        self.drop()
        self.next = PreparedTrack(track, decision, start_s)

    def put_filler(self, now_s: float, reason: Reason) -> None:
        """Prepare the filler, which is always ready."""
        if self.next is not None and self.next.track is FILLER:
            return
        decision = self._chooser.decision(now_s, FILLER, "recovery", reason, Mood(None, 0.0))
        self.put(FILLER, decision, 0.0)
        if self.next is not None:
            self._open(self.next, now_s)

    def pop_next(self) -> PreparedTrack:
        """Hand over what is prepared: it begins to sound. Raises LookupError if there is nothing."""
        taken, self.next = self.next, None
        if taken is None:
            raise LookupError("nothing is prepared")
        self._in_a_row = 0
        return taken

    def drop(self) -> None:
        """Let go of what is prepared."""
        dropped, self.next = self.next, None
        if dropped is not None and dropped.deck is not None:
            self._close(dropped.deck)

    def refresh(self, tracks: Sequence[Track]) -> None:
        """The library has changed: take over what is now known of what is prepared; drop it if it is gone."""
        self.tracks = tracks
        if self.next is None or self.next.track is FILLER:
            return
        known = next((track for track in tracks if track.id == self.next.track.id), None)
        if known is None:
            self.drop()
        else:
            self.next.track = known

    def strike(self, track: Track, why: str, now_s: float) -> None:
        """A track failed: let it rest, from the second time on for long."""
        strikes = self._strikes[track.id] = self._strikes.get(track.id, 0) + 1
        self._chooser.quarantine(track.id)
        final = strikes >= STRIKES
        self._benched[track.id] = now_s + BENCH_S[final]
        level = logging.WARNING if strikes <= STRIKES else logging.DEBUG
        log.log(level, "%s %s: %s", track.title, "is left out" if final else "is skipped", why)
        self._retry_at_s = now_s + RETRIES_S[min(self._in_a_row, len(RETRIES_S) - 1)]
        self._in_a_row += 1

    def forgive_all(self) -> None:
        """Give every track another chance, after a rescan."""
        self._strikes.clear()
        self._benched.clear()
        self._chooser.forgive()

    def _forgive(self, now_s: float) -> None:
        for track_id in [track_id for track_id, until_s in self._benched.items() if now_s >= until_s]:
            del self._benched[track_id]
            self._chooser.forgive(track_id)

    def _pardon(self, now_s: float) -> None:
        """Everything has failed: once in a while, let all be tried again."""
        if self._amnesty_at_s is None:
            self._amnesty_at_s = now_s + AMNESTY_S
        elif now_s >= self._amnesty_at_s:
            self._amnesty_at_s = None
            self._benched.clear()
            self._chooser.forgive()

    def _choose(self, now_s: float, current: Track | None, kind: DecisionKind) -> None:
        try:
            decision = self._chooser.choose(now_s, self.tracks, kind, current)
        except NoPlayableTrackError as error:
            self._retry_at_s = now_s + FILLER_RETRY_S
            self._pardon(now_s)
            if current is not FILLER:
                self.put_filler(now_s, Reason("filler_nothing", known=error.known, failed=error.failed))
            return
        self.put(decision.chosen, decision, _start_s(current, decision.chosen))

    def _open(self, prepared: PreparedTrack, now_s: float) -> None:
        try:
            prepared.deck = self._make_deck(prepared.track.location)
        except DeckError as error:
            self.strike(prepared.track, str(error), now_s)
            self.drop()
            return
        prepared.deck.open(prepared.track.location, prepared.start_s)
        prepared.opened_s = now_s


def _start_s(current: Track | None, coming: Track) -> float:
    """Where a track begins to be heard: the next part of an album at its first sample, silent or not."""
    return 0.0 if current is not None and joins(current, coming) else max(0.0, coming.cue_in_s)


def as_skip(decision: Decision, now_s: float) -> Decision:
    """The decision for a track that had been chosen before somebody skipped to it."""
    return noted(replace(decision, at_s=now_s, kind="skip"), "skipped")


def noted(decision: Decision, note: ReasonNote) -> Decision:
    """The decision with another note; one that is told whole, such as a wish, keeps its own."""
    if decision.reason.note in NO_PART:
        return decision
    reason = replace(decision.reason, note=note)
    return replace(decision, reason=reason, why=sentence(decision.chosen, reason))


def is_filler(track: Track | None) -> bool:
    """True for the built-in filler."""
    return track is not None and track.location == LOCATION
