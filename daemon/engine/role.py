"""The engine role: headset in, emotion states on MQTT."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from acquisition.signal import EegChunk, Gap, HeadsetStatus, StreamInfo
from daemon.engine.labels import write_label
from daemon.engine.prepared import Prepared
from daemon.mqtt import bounds, codec, commands, documents, topics
from daemon.mqtt.codec import MessageError
from daemon.mqtt.inlet import Inlet
from daemon.mqtt.outlet import Outlet
from inference.emotion import (
    BaselineProgress,
    EmotionState,
    Estimate,
    LeftOut,
    ModelId,
    Reading,
    SignalQuality,
)

REPEAT_S = 10.0
"""An unchanged emotion is said again so often."""
SIGNAL_EVERY_S = 1.0
LATE_NOTE_S = 30.0
"""The note goes once so long nothing was left out."""

log = logging.getLogger(__name__)


class HeadsetFeed(Protocol):
    """What the role needs of ``acquisition.stream.feed.Feed``."""

    def __aiter__(self) -> AsyncIterator[HeadsetStatus | EegChunk | Gap]: ...

    def hear(self, valence: float | None, arousal: float | None) -> None: ...


class EngineRole:
    """Publishes what the feed and the pipeline say, and obeys session, recalibrate, record and label."""

    def __init__(
        self,
        outlet: Outlet,
        feed: HeadsetFeed,
        prepare: Callable[[StreamInfo], Prepared],
        *,
        simulated: bool,
        labels_file: Path,
        tap: Callable[[HeadsetStatus | EegChunk | Gap], None] = lambda _item: None,
        recording: Callable[[], tuple[bool, str]] = lambda: (False, ""),
        record: Callable[[commands.RecordCommand], None] = lambda _command: None,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outlet = outlet
        self._feed = feed
        self._prepare = prepare
        self._simulated = simulated
        self._labels_file = labels_file
        self._tap = tap
        self._recording, self._recorded = recording, (False, "")
        self._record = record
        self._wall = wall
        self._clock = clock
        self._inlet = Inlet(outlet, wall, lambda: self._simulated)
        self._prepared: Prepared | None = None
        self._info: StreamInfo | None = None
        self._active = True
        self._started: datetime | None = None
        self._progress = BaselineProgress(0.0, 0.0, done=False)
        self._signal_at = -SIGNAL_EVERY_S
        self._said_at = -REPEAT_S
        self._said: documents.Emotion | None = None
        self._dwell_s: float | None = None
        self._said_stream_s = 0.0
        self._trouble = ""
        self._late = 0
        self._late_at: float | None = None

    @property
    def subscriptions(self) -> list[str]:
        """What the role wants to hear: its commands, and what is played."""
        node = self._outlet.node
        return [*map(node.command, topics.ENGINE_COMMANDS), node.full(topics.PLAYER_STATE)]

    async def run(self) -> None:
        """Until cancelled, or until a recording has been read to its end and nothing can follow."""
        self._say_emotion(self._unknown("warming_up"))
        self._say_session()
        repeat = asyncio.create_task(self._repeat())
        try:
            async for item in self._feed:
                self._take(item)
                self._tap(item)
                await self._load()
            await asyncio.Event().wait()
        finally:
            repeat.cancel()
            self._close()

    def hear(self, topic: str, payload: bytes, retained: bool) -> None:
        """A message from the broker: a command or the player's state."""
        name = self._outlet.node.short(topic) or ""
        if name == topics.PLAYER_STATE:
            with contextlib.suppress(MessageError):
                self._hear_player(codec.decode(name, payload))
            return
        self._inlet.handle(name.removeprefix("cmd/"), payload, retained, self._obey)

    def _hear_player(self, state: documents.Document) -> None:
        if isinstance(state, documents.PlayerState):
            mood = state.track.mood if state.track and not state.paused else None
            self._feed.hear(mood.valence if mood else None, mood.arousal if mood else None)

    def _obey(self, command: commands.Command) -> None:
        match command:
            case commands.SessionCommand(action="stop"):
                self._active = False
                self._say_emotion(self._unknown("stale"))
            case commands.SessionCommand():
                self._active = True
                self._close()
                self._open()
            case commands.RecalibrateCommand():
                if self._prepared is None:
                    raise MessageError("no headset is streaming yet, so there is no baseline to take anew")
                self._prepared.pipeline.recalibrate()
                self._progress = BaselineProgress(self._prepared.baseline_s, 0.0, done=False)
            case commands.DwellCommand():
                self._dwell_s = command.seconds
                self._keep_dwell()
            case commands.RecordCommand():
                self._record(command)
            case commands.LabelCommand():
                write_label(self._labels_file, command, self._wall(), simulated=self._simulated)
        self._say_session()

    def _keep_dwell(self) -> None:
        if self._prepared is not None and self._dwell_s is not None:
            self._prepared.pipeline.dwell_s = self._dwell_s

    def _take(self, item: HeadsetStatus | EegChunk | Gap) -> None:
        if isinstance(item, HeadsetStatus):
            self._take_status(item)
        elif self._prepared is not None and self._active:
            began = time.perf_counter()
            readings = self._prepared.pipeline.push(item)
            compute_ms = (time.perf_counter() - began) * 1e3
            for reading in readings:
                self._say(reading, compute_ms)
            if self._prepared.pipeline.trouble != self._trouble:
                self._trouble = self._prepared.pipeline.trouble
                self._say_session()

    def _take_status(self, status: HeadsetStatus) -> None:
        if status.info is not None and status.info != self._info:
            self._info = status.info
            self._simulated = status.info.simulated
            self._close()
            self._open()
        if status.state in ("stale", "lost", "ended") and self._prepared is not None:
            now_s = self._said_stream_s
            self._say(self._prepared.pipeline.mark_stale(now_s), 0.0)
        info = self._info
        document = documents.Headset(
            at=self._wall(),
            simulated=self._simulated,
            state=status.state,
            source=info.source if info else "",
            device=info.device if info else "",
            rate_hz=info.rate_hz if info else None,
            channels=list(info.channels) if info else [],
            battery_percent=status.battery_percent,
            gap_s=status.gap_s,
            reason=status.reason,
        )
        self._outlet.retain(topics.HEADSET, document)

    def _open(self) -> None:
        if self._info is None:
            return
        self._prepared = self._prepare(self._info)
        self._started = self._wall()
        wanted_s = self._prepared.baseline_s
        self._progress = BaselineProgress(wanted_s, 0.0, done=wanted_s == 0)
        self._keep_dwell()
        self._say_session()

    async def _load(self) -> None:
        """Wait for a network before more samples are taken; the sources buffer meanwhile."""
        waiting = self._prepared
        if waiting is not None and waiting.load is not None:
            swap = await asyncio.to_thread(waiting.load)
            if self._prepared is waiting:
                self._replace(swap())

    def _replace(self, prepared: Prepared) -> None:
        old, self._prepared = self._prepared, prepared
        if old is None or old.pipeline is not prepared.pipeline:
            wanted_s = prepared.baseline_s
            self._progress = BaselineProgress(wanted_s, 0.0, done=wanted_s == 0)
        self._keep_dwell()
        self._say_session()

    def _close(self) -> None:
        if self._prepared is not None:
            self._prepared.close()
            self._prepared = None

    def _say(self, reading: Reading, compute_ms: float) -> None:
        match reading:
            case EmotionState():
                self._said_stream_s = reading.at_s
                self._say_state(reading, compute_ms)
            case Estimate():
                self._said_stream_s = reading.at_s
                self._say_estimate(reading)
            case SignalQuality():
                self._say_signal(reading)
            case BaselineProgress():
                self._say_progress(reading)
            case LeftOut():
                self._note_late()

    def _note_late(self) -> None:
        """A window was left out. Said once, then it is a note of the session while it lasts."""
        if self._late == 0:
            log.warning("%s", documents.LATE_NOTE)
        self._late += 1
        noted, self._late_at = self._late_at is not None, self._clock()
        if not noted:
            self._say_session()

    def _say_progress(self, progress: BaselineProgress) -> None:
        if progress == self._progress:
            return
        self._progress = progress
        if progress.done and self._prepared is not None:
            self._prepared.on_baseline()
        self._say_session()

    def _say_state(self, state: EmotionState, compute_ms: float) -> None:
        now = self._wall()
        latency = {**state.latency_ms, "compute": compute_ms}
        document = documents.Emotion(
            at=now,
            simulated=self._simulated,
            emotion=state.emotion,
            valence=state.affect.valence,
            arousal=state.affect.arousal,
            confidence=state.confidence,
            status=state.status,
            since=now - timedelta(seconds=max(0.0, state.at_s - state.since_s)),
            seq=state.seq,
            model=_model(state.model),
            latency_ms={name: round(value, 3) for name, value in latency.items()},
        )
        if self._worth_saying(document):
            self._say_emotion(document)

    def _worth_saying(self, new: documents.Emotion) -> bool:
        """On change and each 10 s. A drift of the numbers counts as change once it can be seen."""
        old = self._said
        if old is None or self._clock() - self._said_at >= REPEAT_S:
            return True
        if (new.emotion, new.status, new.model) != (old.emotion, old.status, old.model):
            return True
        drift = max(_moved(new.arousal, old.arousal), _moved(new.valence, old.valence))
        return (
            max(drift, abs(new.confidence - old.confidence)) >= 0.02 and self._clock() - self._said_at >= 0.9
        )

    def _say_emotion(self, document: documents.Emotion) -> None:
        self._said, self._said_at = document, self._clock()
        self._outlet.retain(topics.EMOTION, document)

    def _say_estimate(self, estimate: Estimate) -> None:
        document = documents.Estimate(
            at=self._wall(),
            simulated=self._simulated,
            probabilities=dict(estimate.probabilities),
            valence=estimate.affect.valence,
            arousal=estimate.affect.arousal,
            confidence=estimate.confidence,
            status=estimate.status,
            model=_model(estimate.model),
        )
        self._outlet.publish(topics.ESTIMATE, document)

    def _say_signal(self, quality: SignalQuality) -> None:
        if self._clock() - self._signal_at < SIGNAL_EVERY_S:
            return
        self._signal_at = self._clock()
        document = documents.Signal(
            at=self._wall(),
            simulated=self._simulated,
            overall=quality.overall,
            worn=quality.worn,
            late=self._late,
            electrodes=[
                documents.Electrode(channel=c.channel, score=c.score, reasons=list(c.reasons))
                for c in quality.channels
            ],
        )
        self._outlet.retain(topics.SIGNAL, document)

    def _say_session(self) -> None:
        prepared, progress = self._prepared, self._progress
        self._recorded = recording, recording_note = self._recording()
        late = self._late_at is not None
        notes = [*(prepared.notes if prepared else ()), self._trouble, recording_note]
        notes += [documents.LATE_NOTE] if late else []
        document = documents.Session(
            at=self._wall(),
            simulated=self._simulated,
            active=self._active,
            phase=self._phase(),
            started=self._started,
            baseline_wanted_s=progress.wanted_s,
            baseline_trusted_s=progress.trusted_s,
            baseline_done=progress.done,
            model=_model(prepared.model) if prepared else None,
            notes=[note for note in notes if note],
            recording=recording,
            dwell_s=prepared.pipeline.dwell_s if prepared else None,
            late=late,
        )
        self._outlet.retain(topics.SESSION, document)

    def _phase(self) -> Literal["waiting", "calibrating", "running", "stopped"]:
        if not self._active:
            return "stopped"
        if self._prepared is None:
            return "waiting"
        return "running" if self._progress.done else "calibrating"

    def _unknown(self, status: bounds.StatusName) -> documents.Emotion:
        now = self._wall()
        return documents.Emotion(
            at=now,
            simulated=self._simulated,
            emotion="unknown",
            valence=None,
            arousal=None,
            confidence=0.0,
            status=status,
            since=now,
            seq=self._said.seq if self._said else 0,
            model=_model(self._prepared.model)
            if self._prepared
            else documents.Model(name="none", sha256=None),
            latency_ms={},
        )

    async def _repeat(self) -> None:
        """Say an unchanged state again, also while no sample comes."""
        while True:
            await asyncio.sleep(1.0)
            renewed = self._prepared.renew() if self._prepared else None
            if renewed is not None:
                self._replace(renewed)
            elif self._recording() != self._recorded:
                self._say_session()
            elif self._late_at is not None and self._clock() - self._late_at > LATE_NOTE_S:
                self._late_at = None
                self._say_session()
            if self._said and self._clock() - self._said_at >= REPEAT_S:
                self._say_emotion(msgspec.structs.replace(self._said, at=self._wall()))


def _model(model: ModelId) -> documents.Model:
    return documents.Model(name=model.name, sha256=model.sha256 or None)


def _moved(new: float | None, old: float | None) -> float:
    if new is None or old is None:
        return 0.0 if new is old else 2.0
    return abs(new - old)
