"""The engine role: headset in, emotion states on MQTT."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec

from acquisition.signal import FeedItem, HeadsetStatus, StreamInfo
from daemon.engine import documents as said
from daemon.engine.events import CommandGiven, EngineEvents, PipelineChosen, PlayerSaid
from daemon.engine.labels import write_label
from daemon.engine.prepared import PreparedPipeline
from daemon.engine.state_commands import StateCommands
from daemon.mqtt import bounds, codec, commands, documents, topics
from daemon.mqtt.codec import MessageError
from daemon.mqtt.information import info_document, installed_version
from daemon.mqtt.inlet import Inlet
from daemon.mqtt.outlet import Outlet
from daemon.wearers.keeping import Keeping
from inference.emotion import BaselineProgress, EmotionState, Estimate, LeftOut, Reading, SignalQuality

REPEAT_S = 10.0
"""An unchanged emotion is said again so often."""
SIGNAL_EVERY_S = 1.0
SEEN_DRIFT = 0.02
"""Numbers that have moved so far can be seen to have moved; more than that is not told each 0.9 s."""
DRIFT_EVERY_S = 0.9
PLAYER_TOPICS = (topics.PLAYER_STATE, topics.PLAYER_DECISION)
ANOTHER_TIME = timedelta(seconds=5)
"""A moment that seems to have moved so far is another one: of a new stream, or by a clock that was set."""
LOOK_EVERY_S = 600.0
LATE_NOTE_S = 30.0
"""The note goes once so long nothing was left out."""

log = logging.getLogger(__name__)


class HeadsetFeed(Protocol):
    """What the role needs of ``acquisition.stream.feed.Feed``."""

    def __aiter__(self) -> AsyncIterator[FeedItem]: ...

    def on_music(self, valence: float | None, arousal: float | None) -> None: ...


class EngineRole:
    """Publishes what the feed and the pipeline say, and obeys session, recalibrate, record and label."""

    def __init__(
        self,
        outlet: Outlet,
        feed: HeadsetFeed,
        prepare: Callable[[StreamInfo], PreparedPipeline],
        *,
        simulated: bool,
        labels_file: Path,
        events: EngineEvents | None = None,
        recording: Callable[[], tuple[bool, str]] = lambda: (False, ""),
        record: Callable[[commands.RecordCommand], None] = lambda _command: None,
        keeping: Keeping | None = None,
        guest: bool = False,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outlet = outlet
        self._feed = feed
        self._prepare = prepare
        self._simulated = simulated
        self._labels_file = labels_file
        self._events = events or EngineEvents()
        self._recording, self._recorded = recording, (False, "")
        self._record = record
        self._keeping = keeping or Keeping()
        self._guest = guest
        self._wall = wall
        self._clock = clock
        self._inlet = Inlet(outlet, wall, lambda: self._simulated)
        self._prepared: PreparedPipeline | None = None
        self._info: StreamInfo | None = None
        self._commands = StateCommands()
        self._started: datetime | None = None
        self._progress = BaselineProgress(0.0, 0.0, done=False)
        self._signal_at = -SIGNAL_EVERY_S
        self._said_at = -REPEAT_S
        self._said: documents.Emotion | None = None
        self._said_stream_s = 0.0
        self._since: tuple[float, datetime | None] = (0.0, None)
        self._trouble = ""
        self._installed, self._looked_at = "", clock()
        self._late = 0
        self._late_at: float | None = None

    @property
    def subscriptions(self) -> list[str]:
        """What the role wants to hear: its commands, what is played, and why."""
        node = self._outlet.node
        return [*map(node.command, topics.ENGINE_COMMANDS), *map(node.full, PLAYER_TOPICS)]

    async def run(self) -> None:
        """Until cancelled, or until a recording has been read to its end and nothing can follow."""
        self._publish_unknown("warming_up")
        self._publish_session()
        self._publish_info()
        repeat = asyncio.create_task(self._repeat())
        try:
            async for item in self._feed:
                self._events.item(item)
                self._on_item(item)
                self._events.item_done(item)
                await self._load()
            await asyncio.Event().wait()
        finally:
            repeat.cancel()
            self._close()

    def publish_end(self) -> None:
        """At the end: what the broker goes on keeping is that nothing is claimed of anybody."""
        self._commands.active, self._trouble = False, ""
        self._publish_unknown("stale")
        self._publish_session()
        if self._guest:
            self._outlet.retain(topics.SIGNAL, said.no_signal(self._wall(), simulated=self._simulated))

    def on_message(self, topic: str, payload: bytes, retained: bool) -> None:
        """A message from the broker: a command, the player's state or its decision."""
        name = self._outlet.node.short(topic) or ""
        if name in PLAYER_TOPICS:
            with contextlib.suppress(MessageError):
                self._on_player(PlayerSaid(codec.decode(name, payload), payload), retained)
            return
        act = partial(self._on_command, name.removeprefix("cmd/"))
        self._inlet.handle(name, payload, retained, act)

    def _on_player(self, player: PlayerSaid, retained: bool) -> None:
        if not retained:
            self._events.player(player)
        state = player.document
        if isinstance(state, documents.PlayerState):
            mood = state.track.mood if state.track and not state.paused else None
            self._feed.on_music(mood.valence if mood else None, mood.arousal if mood else None)

    def _on_command(self, name: str, command: commands.Command) -> None:
        self._events.command(CommandGiven(name, command))
        pipeline = self._prepared.pipeline if self._prepared is not None else None
        self._commands.handle_command(command, pipeline)
        match command:
            case commands.SessionCommand(action="stop"):
                self._publish_unknown("stale")
            case commands.SessionCommand():
                self._close()
                self._open()
            case commands.RecalibrateCommand():
                if self._prepared is None:
                    raise MessageError("no headset is streaming yet, so there is no baseline to take anew")
                self._progress = BaselineProgress(self._prepared.baseline_s, 0.0, done=False)
            case commands.RecordCommand():
                self._record(command)
            case commands.LabelCommand() if self._keeping.on:
                write_label(self._labels_file, command, self._wall(), simulated=self._simulated)
        self._publish_session()

    def _on_item(self, item: FeedItem) -> None:
        if isinstance(item, HeadsetStatus):
            self._on_status(item)
        elif self._prepared is not None and self._commands.active:
            began = time.perf_counter()
            readings = self._prepared.pipeline.push(item)
            self._on_readings(readings, (time.perf_counter() - began) * 1e3)
            if self._prepared.pipeline.trouble != self._trouble:
                self._trouble = self._prepared.pipeline.trouble
                self._publish_session()

    def _on_status(self, status: HeadsetStatus) -> None:
        if status.info is not None and status.info != self._info:
            self._info = status.info
            self._simulated = status.info.simulated
            self._close()
            self._open()
        if status.state in ("stale", "lost", "ended") and self._prepared is not None:
            self._on_readings((self._prepared.pipeline.mark_stale(self._said_stream_s),), 0.0)
        document = said.headset_document(status, self._info, self._wall(), simulated=self._simulated)
        self._outlet.retain(topics.HEADSET, document)

    def _open(self) -> None:
        if self._info is None:
            return
        prepared = self._prepare(self._info)
        self._started = self._wall()
        self._use(prepared)

    async def _load(self) -> None:
        """Wait for a network before more samples are taken; the sources buffer meanwhile."""
        waiting = self._prepared
        if waiting is not None and waiting.load is not None:
            swap = await asyncio.to_thread(waiting.load)
            if self._prepared is waiting:
                self._use(swap())

    def _use(self, prepared: PreparedPipeline) -> None:
        old, self._prepared = self._prepared, prepared
        first = old is None or old.pipeline is not prepared.pipeline
        self._events.pipeline(PipelineChosen(prepared, first))
        if first:
            wanted_s = prepared.baseline_s
            self._progress = BaselineProgress(wanted_s, 0.0, done=wanted_s == 0)
        self._commands.hold(prepared.pipeline)
        self._publish_session()
        self._publish_info()

    def _close(self) -> None:
        if self._prepared is not None:
            self._prepared.close()
            self._prepared = None

    def _on_readings(self, readings: tuple[Reading, ...], compute_ms: float) -> None:
        for reading in readings:
            self._events.reading(reading)
        for reading in readings:
            self._publish_reading(reading, compute_ms)

    def _publish_reading(self, reading: Reading, compute_ms: float) -> None:
        match reading:
            case EmotionState():
                self._said_stream_s = reading.at_s
                self._publish_state(reading, compute_ms)
            case Estimate():
                self._said_stream_s = reading.at_s
                document = said.estimate_document(reading, self._wall(), simulated=self._simulated)
                self._outlet.publish(topics.ESTIMATE, document)
            case SignalQuality():
                self._publish_signal(reading)
            case BaselineProgress():
                self._publish_progress(reading)
            case LeftOut():
                self._note_late()

    def _note_late(self) -> None:
        """A window was left out. Said once, then it is a note of the session while it lasts."""
        if self._late == 0:
            log.warning("%s", documents.LATE_NOTE)
        self._late += 1
        noted, self._late_at = self._late_at is not None, self._clock()
        if not noted:
            self._publish_session()

    def _publish_progress(self, progress: BaselineProgress) -> None:
        if progress == self._progress:
            return
        self._progress = progress
        if progress.done and self._prepared is not None:
            self._prepared.on_baseline()
        self._publish_session()

    def _publish_state(self, state: EmotionState, compute_ms: float) -> None:
        document = said.emotion_document(
            state, self._wall(), self._since_when(state), simulated=self._simulated, compute_ms=compute_ms
        )
        if self._worth_saying(document):
            self._publish_emotion(document)

    def _since_when(self, state: EmotionState) -> datetime:
        """By the wall clock, and the same for as long as it is the same moment of the stream."""
        since = self._wall() - timedelta(seconds=max(0.0, state.at_s - state.since_s))
        stream_s, before = self._since
        if before is None or stream_s != state.since_s or abs(since - before) > ANOTHER_TIME:
            self._since = stream_s, before = state.since_s, since
        return before

    def _worth_saying(self, new: documents.Emotion) -> bool:
        """On change and each 10 s. A drift of the numbers counts as change once it can be seen."""
        since_s = self._clock() - self._said_at
        if self._said is None or since_s >= REPEAT_S or said.differs(new, self._said):
            return True
        return said.drift(new, self._said) >= SEEN_DRIFT and since_s >= DRIFT_EVERY_S

    def _publish_emotion(self, document: documents.Emotion) -> None:
        self._said, self._said_at = document, self._clock()
        self._outlet.retain(topics.EMOTION, document)

    def _publish_unknown(self, status: bounds.StatusName) -> None:
        seq = self._said.seq if self._said else 0
        document = said.unknown_emotion(
            status, self._wall(), simulated=self._simulated, seq=seq, prepared=self._prepared
        )
        self._publish_emotion(document)

    def _publish_signal(self, quality: SignalQuality) -> None:
        if self._clock() - self._signal_at < SIGNAL_EVERY_S:
            return
        self._signal_at = self._clock()
        document = said.signal_document(quality, self._wall(), simulated=self._simulated, late=self._late)
        self._outlet.retain(topics.SIGNAL, document)

    def _publish_session(self) -> None:
        self._recorded = recording, recording_note = self._recording()
        document = said.session_document(
            self._prepared,
            self._progress,
            self._wall(),
            simulated=self._simulated,
            active=self._commands.active,
            started=self._started,
            recording=recording,
            notes=(self._trouble, recording_note),
            late=self._late_at is not None,
        )
        self._outlet.retain(topics.SESSION, document)

    def _look_for_upgrade(self) -> None:
        """Another version may lie on the disk by now, which a restart would run."""
        self._looked_at = self._clock()
        if installed_version() != self._installed:
            self._publish_info()

    def _publish_info(self) -> None:
        info, prepared = self._info, self._prepared
        document = info_document(
            self._wall(),
            topics.ENGINE_COMMANDS,
            simulated=self._simulated,
            headset=info.device if info else None,
            rate_hz=info.rate_hz if info else None,
            channels=len(info.channels) if info else None,
            model=said.model_document(prepared.model) if prepared else None,
        )
        self._installed = document.installed
        self._outlet.retain(topics.INFO, document)

    async def _repeat(self) -> None:
        """Say an unchanged state again, also while no sample comes."""
        while True:
            await asyncio.sleep(1.0)
            renewed = self._prepared.renew() if self._prepared else None
            if renewed is not None:
                self._use(renewed)
            elif self._recording() != self._recorded:
                self._publish_session()
            elif self._late_at is not None and self._clock() - self._late_at > LATE_NOTE_S:
                self._late_at = None
                self._publish_session()
            if self._clock() - self._looked_at >= LOOK_EVERY_S:
                self._look_for_upgrade()
            if self._said and self._clock() - self._said_at >= REPEAT_S:
                self._publish_emotion(msgspec.structs.replace(self._said, at=self._wall()))
