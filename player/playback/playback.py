"""Playback that runs by itself: the engine in a thread, its mixer in another, every call returns at once."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from player.choice.chooser import Chooser
from player.choice.targets import parse_policy, parse_target, point_target
from player.choice.taste import Taste, TasteFile
from player.deck import MIX_RATE_HZ, Deck, DeckError
from player.decks.filler_deck import filler_loop
from player.location import quoted
from player.mixing.announcements import (
    ANNOUNCEMENT_KINDS,
    AnnouncementError,
    AnnouncementName,
    AnnouncementSound,
    announcement_sound,
    check_announcement,
)
from player.music import AnnouncementKind, Mood, PlaybackCounts, PlaybackState, Track, WearerMood
from player.outputs.outputs import Outputs
from player.playback.audio_loop import AudioLoop
from player.playback.auto_dj import AutoDj, EngineSettings
from player.playback.resume_point import ResumeFile, ResumePoint
from player.playback.stars import Stars, title_of
from player.playback.transition import is_endless

TICK_S = 0.03
PRIORITY = -10
MAX_COMMANDS = 256
FADE_OUT_S = 0.5
OPEN_OUTPUTS_S = 1.0
END_S = 6.0
"""A thread ends within a moment of being told to; a machine that is busy otherwise may need longer."""

log = logging.getLogger(__name__)


class LibraryView(Protocol):
    """What playback needs of a library."""

    @property
    def tracks(self) -> tuple[Track, ...]: ...

    @property
    def missing(self) -> tuple[str, ...]: ...

    def rescan(self) -> None: ...

    def close(self) -> None: ...


class UnknownTrackError(ValueError):
    """The library has no such track. The message names it."""


class CannotSeekError(ValueError):
    """What sounds has no places to go to. The message says why."""


class Playback:
    """Music that never ends. ``start`` it, tell it what the wearer feels, ``close`` it within a second."""

    def __init__(
        self,
        engine: AutoDj,
        chooser: Chooser,
        library: LibraryView,
        outputs: Outputs,
        closer: DeckCloser,
        *,
        place: ResumeFile | None = None,
        taste: TasteFile | None = None,
        cues: AnnouncementKind = "off",
        on_like: Callable[[str, bool], None] = lambda track_id, liked: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._chooser = chooser
        self._library = library
        self._outputs = outputs
        self._closer = closer
        self._place = place
        self._taste_file = taste
        self._taste = taste.read() if taste is not None else Taste()
        self._stars = Stars()
        chooser.set_taste(self._taste)
        self._on_like = on_like
        self._clock = clock
        self._announcements = cues
        self._announcement_making = threading.Lock()
        self._commands = _Commands(maxlen=MAX_COMMANDS)
        self._obeyed: list[Callable[[], None]] = []
        self._loop = AudioLoop(engine.mixer, outputs)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._state = engine.state()
        self._title = ""

    def listen_for_failed_wishes(self, listener: Callable[[Track, str], None]) -> None:
        """Have this called, from the engine's thread, with each track asked for in vain, and why it was."""
        self._engine.on_failed_wish = listener

    def listen_for_failed_seeks(self, listener: Callable[[Track, str], None]) -> None:
        """Have this called, from the same thread, where a place cannot be gone to: the track, and why."""
        self._engine.seeking.on_failed = listener

    def start(self) -> None:
        """Begin to play, where the last player was killed if that was just now."""
        threading.Thread(target=filler_loop, name="filler", daemon=True).start()
        place = None if self._place is None else self._place.read()
        if place is not None:
            self._go_back(place)
        self._outputs.wait_ready(OPEN_OUTPUTS_S)
        with _raised_priority():
            self._loop.start()
            self._thread.start()

    def _go_back(self, place: ResumePoint) -> None:
        self._engine.set_volume(place.volume)
        if place.paused:
            self._engine.pause(True)
        track = next((track for track in self._library.tracks if track.id == place.track_id), None)
        if track is not None and (not track.duration_s or place.position_s < track.duration_s - 5):
            self._engine.resume_at(track, place.position_s, self._clock())

    def _run(self) -> None:
        while not self._stopping.wait(TICK_S):
            try:
                self._once()
            except Exception:  # whatever is wrong, the music goes on
                log.exception("the engine stumbled and goes on")

    def _once(self) -> None:
        now_s = self._clock()
        while self._commands:
            try:
                self._commands.popleft()()
            except (ValueError, DeckError) as error:
                log.warning("a command was refused: %s", error)
        if self._stars.look(self._library.tracks):
            self._chooser.set_taste(self.taste)
        self._engine.tick(now_s)
        missing = ("music_folder_missing",) if self._library.missing else ()
        state = self._state = self._engine.state((*self._outputs.degraded, *missing))
        if (title := title_of(state.track)) != self._title:
            self._title = title
            self._outputs.set_title(title)
        obeyed, self._obeyed = self._obeyed, []
        for tell in obeyed:
            tell()
        if self._place is not None and state.track is not None:
            self._place.save(state.track.id, state.position_s, state.volume, paused=state.paused, now_s=now_s)

    # what the wearer feels, and what people ask for; from any thread

    def when_obeyed(self, tell: Callable[[], None]) -> None:
        """Have this called, from the engine's thread, once ``state`` shows all that was asked for so far."""
        self._commands.append(lambda: self._obeyed.append(tell))

    def on_mood(self, wearer: WearerMood) -> None:
        """Take in one state of the wearer, of the same clock."""
        self._commands.append(lambda: self._chooser.on_mood(wearer))

    def skip(self) -> None:
        """Go to the next track."""
        self._commands.append(self._engine.skip)

    def play(self, track_id: str) -> None:
        """Crossfade to this track of the library. Raises UnknownTrackError."""
        track = next((track for track in self._library.tracks if track.id == track_id), None)
        if track is None:
            raise UnknownTrackError(f"the library has no track {quoted(track_id)}")
        self._commands.append(lambda: self._engine.play(track))

    def like(self, track_id: str | None, liked: bool) -> None:
        """Play it more gladly, or no longer so; without an id what sounds.

        Raises UnknownTrackError, TasteError.
        """
        known = self._known(track_id)
        self._stars.note(known, liked)
        self._set_taste(self._taste.like(known, liked))
        self._on_like(known, liked)

    def ban(self, track_id: str | None, banned: bool) -> None:
        """Never play it again, or allow it again. Raises UnknownTrackError, TasteError."""
        known = self._known(track_id)
        self._set_taste(self._taste.ban(known, banned))
        sounding = self._state.track
        if banned and sounding is not None and sounding.id == known:
            self.skip()

    @property
    def taste(self) -> Taste:
        """What is liked and banned, with what servers say is liked."""
        return Taste(self._taste.liked | self._stars.liked - self._taste.banned, self._taste.banned)

    def _known(self, track_id: str | None) -> str:
        if track_id is None and self._state.track is not None:
            return self._state.track.id
        if track_id is None or all(track.id != track_id for track in self._library.tracks):
            raise UnknownTrackError(f"the library has no track {quoted(track_id or 'that sounds')}")
        return track_id

    def forget_wearer(self) -> None:
        """The listener is to be forgotten: likes and bans are dropped, and nothing more is written."""
        self._taste_file = None
        if self._place is not None:
            self._place.stop()
        self._set_taste(Taste())

    def _set_taste(self, taste: Taste) -> None:
        self._taste = taste
        if self._taste_file is not None:
            self._taste_file.write(taste)
        believed = self.taste
        self._commands.append(lambda: self._chooser.set_taste(believed))
        self._commands.append(self._engine.choose_anew)

    def pause(self, paused: bool | None) -> None:
        """Pause, go on, or (None) the other of the two."""
        self._commands.append(lambda: self._engine.pause(paused))

    def seek(self, position_s: float) -> None:
        """Go to a place in what sounds. Raises CannotSeekError for a stream without an end."""
        track = self._state.track
        if track is None or is_endless(track):
            why = "nothing sounds yet" if track is None else "what sounds has no end, and no place to go to"
            raise CannotSeekError(why)
        self._commands.append(lambda: self._engine.seek(position_s))

    def speak(self, cue: AnnouncementName) -> None:
        """Announce over the music. Raises AnnouncementError for no such name, and where they are off."""
        check_announcement(cue, self._announcements)
        if self._announcement_making.acquire(blocking=False):
            threading.Thread(target=self._make_announcement, args=(cue,), name="cue", daemon=True).start()

    def _make_announcement(self, cue: AnnouncementName) -> None:
        try:
            sound = announcement_sound(cue, self._announcements)
        finally:
            self._announcement_making.release()
        self._commands.append(lambda: self._speak(sound))

    def _speak(self, sound: AnnouncementSound) -> None:
        if not self._engine.speak(sound):
            log.info("a cue was left out: another one sounds, or the music is paused")

    def set_cues(self, kind: AnnouncementKind) -> None:
        """Chimes, a voice, or none from now on. Raises AnnouncementError."""
        if kind not in ANNOUNCEMENT_KINDS:
            raise AnnouncementError(
                f"cues must be one of {', '.join(ANNOUNCEMENT_KINDS)}; got {quoted(kind, 40)}"
            )
        self._announcements = kind

    def set_volume(self, volume: float) -> None:
        """0..1. Raises ValueError."""
        EngineSettings(volume=volume)
        self._commands.append(lambda: self._engine.set_volume(volume))

    def set_crossfade(self, seconds: float) -> None:
        """0..``MAX_CROSSFADE_S``. Raises ValueError."""
        EngineSettings(crossfade_s=seconds)
        self._commands.append(lambda: self._engine.set_crossfade(seconds))

    def set_policy(self, policy: str) -> None:
        """Raises UnknownPolicyError."""
        name = parse_policy(policy)
        self._commands.append(lambda: self._chooser.set_policy(name))
        self._commands.append(self._engine.choose_anew)

    def set_target(self, target: str | tuple[float | None, float] | None) -> None:
        """A name, a point (valence, arousal) or nothing. Raises UnknownTargetError."""
        goal = None if target is None else target if isinstance(target, str) else Mood(*target)
        if isinstance(goal, str):
            parse_target(goal)
        elif goal is not None:
            point_target(goal)
        self._commands.append(lambda: self._chooser.set_target(goal))
        self._commands.append(self._engine.choose_anew)

    def rescan(self) -> None:
        """Look at the music folders again."""
        self._library.rescan()
        self._commands.append(self._engine.rescanned)

    def state(self) -> PlaybackState:
        """What sounds now, at most 30 ms old."""
        return self._state

    @property
    def counts(self) -> PlaybackCounts:
        """What went wrong so far."""
        return PlaybackCounts(
            self._engine.mixer.underruns,
            self._outputs.count("underruns"),
            self._outputs.count("dropped_frames"),
            self._commands.dropped,
        )

    @property
    def output(self) -> str:
        """The names of the outputs."""
        return self._outputs.name

    @property
    def tracks(self) -> tuple[Track, ...]:
        """What can be played now."""
        return self._library.tracks

    @property
    def library_tracks(self) -> int:
        """How many tracks can be played."""
        return len(self._library.tracks)

    def close(self) -> None:
        """Fade out within half a second and let everything go. Safe to call twice."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(END_S)
            mixer = self._engine.mixer
            mixer.pause(True, round(FADE_OUT_S * MIX_RATE_HZ))
            until_s = time.monotonic() + 2 * FADE_OUT_S
            while not mixer.silent and time.monotonic() < until_s:
                time.sleep(TICK_S)
            self._loop.stop()
            self._outputs.drain()
        self._outputs.close()
        self._engine.close()
        self._closer.close()
        self._library.close()
        if self._place is not None:
            self._place.forget()  # it was ended on purpose: the next session begins with what fits then


class _Commands(deque[Callable[[], None]]):
    """More than so many unheard commands say nothing new: the oldest are dropped, and counted."""

    dropped = 0

    def append(self, command: Callable[[], None], /) -> None:
        self.dropped += len(self) == self.maxlen
        super().append(command)


class DeckCloser:
    """Closes decks in a thread of its own: one that hangs for three seconds makes nothing late."""

    def __init__(self) -> None:
        self._decks: queue.Queue[Deck | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="deck-closer", daemon=True)
        self._thread.start()

    def __call__(self, deck: Deck) -> None:
        """Close it soon."""
        self._decks.put(deck)

    def _run(self) -> None:
        while (deck := self._decks.get()) is not None:
            try:
                deck.close()
            except Exception:  # the next ones are to be closed all the same
                log.exception("a decoder could not be closed")

    def close(self, patience_s: float = 1.5) -> None:
        """Close what is left; what hangs is left behind."""
        self._decks.put(None)
        self._thread.join(patience_s)


@contextlib.contextmanager
def _raised_priority() -> Iterator[None]:
    """Where we may, the threads begun here, and the decoders they begin, go before the rest of the machine.

    All of them, for each may hold the interpreter while sound is due.
    """
    me = threading.get_native_id()
    before = None
    with contextlib.suppress(OSError, AttributeError):
        before = os.getpriority(os.PRIO_PROCESS, me)
        os.setpriority(os.PRIO_PROCESS, me, min(before, PRIORITY))
    try:
        yield
    finally:
        if before is not None:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, me, before)
