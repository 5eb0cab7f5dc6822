"""The player role: emotion states in, music out, and what is played and why on MQTT.

EEG and MQTT only suggest: with neither, the music goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import msgspec

from daemon.mqtt import codec, commands, documents, topics
from daemon.mqtt.codec import MessageError
from daemon.mqtt.information import info_document
from daemon.mqtt.inlet import Inlet
from daemon.mqtt.outlet import Outlet
from daemon.music.announcement_watch import AnnouncementWatch
from daemon.music.documents import decision_document, state_document
from player.choice.reasons import track_name
from player.choice.targets import NAMED_TARGETS, POLICIES
from player.choice.taste import Taste
from player.location import printable_text
from player.mixing.announcements import AnnouncementError, AnnouncementName
from player.music import Decision, PlaybackState, Track, WearerMood

STATE_EVERY_S = 1.0
OBEYED_S = 5.0
"""So long, on a busy machine, for the music to do what it was asked for, before the old state is said."""
RECORD = "cmd/record"
ANNOUNCEMENT_TOPICS = (topics.SESSION, topics.HEADSET)
HEADSET_ANNOUNCEMENTS = ("headset_lost", "headset_back")
"""Who wants to fall asleep is not woken for these."""
MAX_EARLY = 8
"""Decisions taken before there was a link: the newest so many are told once there is one."""


class Music(Protocol):
    """The running playback as the role sees it. Every call returns at once."""

    def on_mood(self, wearer: WearerMood) -> None: ...

    def skip(self) -> None: ...

    def pause(self, paused: bool | None) -> None: ...

    def set_volume(self, volume: float) -> None: ...

    def set_policy(self, policy: str) -> None: ...

    def set_target(self, target: str | tuple[float | None, float] | None) -> None: ...

    def set_crossfade(self, seconds: float) -> None: ...

    def seek(self, position_s: float) -> None: ...

    def play(self, track_id: str) -> None: ...

    def like(self, track_id: str | None, liked: bool) -> None: ...

    def ban(self, track_id: str | None, banned: bool) -> None: ...

    @property
    def taste(self) -> Taste: ...

    def rescan(self) -> None: ...

    def speak(self, cue: AnnouncementName) -> None: ...

    def when_obeyed(self, tell: Callable[[], None]) -> None: ...

    def state(self) -> PlaybackState: ...

    @property
    def output(self) -> str: ...

    @property
    def library_tracks(self) -> int: ...


class PlayerRole:
    """Tells the playback what the wearer feels and obeys commands; publishes state and decisions."""

    def __init__(
        self,
        outlet: Outlet,
        music: Music,
        *,
        simulated: bool,
        end_log: Callable[[], None] = lambda: None,
        guest: bool = False,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outlet = outlet
        self._music = music
        self._simulated = simulated
        self._end_log = end_log
        self._guest = guest
        self._wall = wall
        self._clock = clock
        self._inlet = Inlet(outlet, wall, lambda: self._simulated)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._early: deque[Decision] = deque(maxlen=MAX_EARLY)
        self._changed = asyncio.Event()
        self._obeyed = asyncio.Event()
        self._commands_taken = self._commands_obeyed = 0
        self._announcements = AnnouncementWatch()

    @property
    def subscriptions(self) -> list[str]:
        """What the role wants to hear: its commands, the settled mood, what cues are about, and the end of a
        recording.
        """
        node = self._outlet.node
        commands = [node.command(name) for name in topics.PLAYER_COMMANDS]
        return [
            *commands,
            node.full(RECORD),
            *(node.full(name) for name in (topics.EMOTION, *ANNOUNCEMENT_TOPICS)),
        ]

    async def run(self) -> None:
        """Publish the state on every change and each second, until cancelled."""
        self._loop = asyncio.get_running_loop()
        self._outlet.retain(
            topics.PLAYER_INFO,
            info_document(
                self._wall(),
                topics.PLAYER_COMMANDS,
                simulated=self._simulated,
                policies=POLICIES,
                targets=tuple(NAMED_TARGETS),
            ),
        )
        while self._early:
            self._publish_decision(self._early.popleft())
        try:
            while True:
                await self._wait_obeyed()
                self._outlet.retain(topics.PLAYER_STATE, self._state())
                self._give_announcement()
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), timeout=STATE_EVERY_S)
        finally:
            if self._guest:
                state = msgspec.structs.replace(self._state(), track=None, next=None, target=None)
                nothing = {"position_s": 0.0, "target_valence": None, "target_arousal": None}
                nothing |= {"leaving": None, "chosen": None}
                self._outlet.retain(topics.PLAYER_STATE, msgspec.structs.replace(state, **nothing))

    async def _wait_obeyed(self) -> None:
        """Wait until the last command that was taken is obeyed; the word of an earlier one is not enough."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(OBEYED_S):
                while self._commands_obeyed < self._commands_taken:
                    self._obeyed.clear()
                    await self._obeyed.wait()
        self._commands_obeyed = self._commands_taken

    def on_decision(self, decision: Decision) -> None:
        """A track was chosen. May be called from the audio thread."""
        if self._loop is None:
            self._early.append(decision)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._publish_decision, decision)

    def on_failed_wish(self, track: Track, why: str) -> None:
        """A track that was asked for cannot be played. May be called from the audio thread."""
        self._refuse_later("play", f"{track_name(track)} could not be played: {printable_text(why)}")

    def on_failed_seek(self, track: Track, why: str) -> None:
        """A place that was asked for cannot be gone to. May be called from the audio thread."""
        self._refuse_later("seek", f"{track_name(track)} stays where it is: {printable_text(why)}")

    def _refuse_later(self, command: str, answer: str) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._inlet.refuse, command, answer)

    def _publish_decision(self, decision: Decision) -> None:
        document = decision_document(decision, self._wall(), simulated=self._simulated)
        self._outlet.publish(topics.PLAYER_DECISION, document, qos=1)
        self._changed.set()

    def on_message(self, topic: str, payload: bytes, retained: bool) -> None:
        """A message from the broker: a command or the settled mood."""
        name = self._outlet.node.short(topic) or ""
        if name in (topics.EMOTION, *ANNOUNCEMENT_TOPICS):
            with contextlib.suppress(MessageError):
                self._on_engine(codec.decode(name, payload))
            return
        if name == RECORD:
            self._on_record(payload, retained)
            return
        if self._inlet.handle(name, payload, retained, self._handle_command):
            self._commands_taken += 1
            self._music.when_obeyed(partial(self._on_obeyed, self._commands_taken))

    def _on_obeyed(self, number: int) -> None:
        """The music does what the command of this number asked for. Called from the audio thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, number)

    def _wake(self, number: int) -> None:
        self._commands_obeyed = max(self._commands_obeyed, number)
        self._obeyed.set()
        self._changed.set()

    def _on_record(self, payload: bytes, retained: bool) -> None:
        """The engine obeys it and answers; here ends what is written beside the recording."""
        with contextlib.suppress(MessageError):
            command = codec.decode_command("record", payload)
            if isinstance(command, commands.RecordCommand) and command.action == "stop" and not retained:
                self._end_log()

    def _on_engine(self, document: documents.Document) -> None:
        age_s = max(0.0, (self._wall() - document.at).total_seconds())
        if isinstance(document, documents.Emotion):
            self._on_emotion(document, age_s)
        else:
            self._announcements.on_document(document, age_s, self._clock())

    def _give_announcement(self) -> None:
        cue = self._announcements.due(self._clock())
        target = self._music.state().target
        if cue is None or (cue in HEADSET_ANNOUNCEMENTS and target is not None and target.name == "sleep"):
            return
        with contextlib.suppress(AnnouncementError):
            self._music.speak(cue)

    def _on_emotion(self, emotion: documents.Emotion, age_s: float) -> None:
        self._simulated, self._outlet.replayed = emotion.simulated, emotion.replayed
        self._music.on_mood(
            WearerMood(
                at_s=self._clock() - age_s,
                valence=emotion.valence,
                arousal=emotion.arousal,
                confidence=emotion.confidence,
                status=emotion.status,
                emotion=emotion.emotion,
            )
        )

    def _handle_command(self, command: commands.Command) -> None:
        match command:
            case commands.SkipCommand():
                self._music.skip()
            case commands.PauseCommand():
                self._music.pause(command.paused)
            case commands.VolumeCommand():
                self._music.set_volume(command.volume)
            case commands.PolicyCommand():
                self._music.set_policy(command.policy)
            case commands.TargetCommand():
                self._music.set_target(_target(command))
            case commands.CrossfadeCommand():
                self._music.set_crossfade(command.seconds)
            case commands.SeekCommand():
                self._music.seek(command.position_s)
            case _:
                self._handle_track_command(command)

    def _handle_track_command(self, command: commands.Command) -> None:
        match command:
            case commands.PlayCommand():
                self._music.play(command.id)
            case commands.LikeCommand():
                self._music.like(command.id, command.liked)
            case commands.BanCommand():
                self._music.ban(command.id, command.banned)
            case commands.LibraryRescanCommand():
                self._music.rescan()
            case commands.SpeakCommand():
                self._music.speak(command.cue)

    def _state(self) -> documents.PlayerState:
        return state_document(
            self._music.state(),
            self._wall(),
            simulated=self._simulated,
            output=self._music.output,
            library_tracks=self._music.library_tracks,
            taste=self._music.taste,
        )


def _target(command: commands.TargetCommand) -> str | tuple[float | None, float] | None:
    if command.name is not None:
        return command.name
    if command.arousal is None:
        if command.valence is not None:
            raise MessageError("a target point needs an arousal")
        return None
    return command.valence, command.arousal
