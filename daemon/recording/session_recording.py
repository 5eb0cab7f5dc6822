"""What of a live session goes into its recording, hooked in between the engine's parts."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np

from acquisition.recording.consent import Consent, write_consent
from acquisition.recording.recording_file import PART, Happened, RecordingNews, RecordingStartError
from acquisition.recording.recovery import recover_all
from acquisition.recording.session_recorder import SessionRecorder
from acquisition.signal import EegChunk, Gap, HeadsetStatus, StreamInfo
from daemon.engine.prepared import Prepared
from daemon.mqtt import codec, commands, documents, topics
from daemon.places import recordings_dir
from daemon.recording.recorded_pipeline import RecordedPipeline
from daemon.recording.recording_mark import RecordingMark
from daemon.settings import Settings

log = logging.getLogger(__name__)

REPLAYED = ("source", "seed", "baseline", "policy", "target", "crossfade_s", "speed", "dwell_s")
"""What of the settings a replay must know; nothing of the broker, no paths of music."""

NEWS: dict[Happened, str] = {
    "paused": "{name}: the recording is paused: {reason}",
    "resumed": "{name}: the recording goes on",
    "stopped": "{name}: the recording has stopped: {reason}",
    "deleted": "{name}: the file was deleted, so the recording has stopped",
    "not_closed": "{name}: the recording could not be closed: {reason}",
}

Prepare = Callable[[StreamInfo], Prepared]
Hear = Callable[[str, bytes, bool], None]


class Items(Protocol):
    """A feed as the engine reads it."""

    def __aiter__(self) -> AsyncIterator[HeadsetStatus | EegChunk | Gap]: ...

    def hear(self, valence: float | None, arousal: float | None) -> None: ...


def recover_recordings(settings: Settings) -> threading.Thread:
    """Close what a crash has left open, and say so; beside the session, for hours of EEG take a while."""

    def mend() -> None:
        for done in recover_all(recordings_dir(settings.state_dir)):
            if done.why:
                log.warning("%s", done.why)

    thread = threading.Thread(target=mend, name="recovery", daemon=True)
    thread.start()
    return thread


def recording_of(settings: Settings, node: topics.Topics, *, simulated: bool) -> SessionRecording:
    """The recorder of a session, which begins at once if that was asked for by ``--record``.

    A later life of the engine goes on with what an earlier one recorded, in a file of its own, while the
    consent to it stands; what a person has ended stays ended.
    """
    mark = RecordingMark(settings)
    recording = SessionRecording(settings, node, simulated=simulated, mark=mark)
    earlier = mark.earlier() if settings.again else None
    if not settings.again:
        mark.drop()
    consent, stem = (
        Consent("", "asked for by --record or session.record", simulated=simulated),
        settings.record,
    )
    if earlier is not None and earlier.consent is None:
        return recording
    if earlier is not None and earlier.consent is not None and earlier.consent.simulated == simulated:
        consent, stem = earlier.consent, earlier.stem
    if stem:
        try:
            recording.begin(consent, stem)
        except OSError as error:
            recording.note = str(error)
            log.warning("%s", error)
    return recording


def _free_path(folder: Path, stem: str) -> Path:
    """A name that no recording has: an engine that was started again goes on in a file of its own."""
    path, number = folder / f"{stem}.xdf", 1
    # the unfinished one first: it may be closed, and with that renamed, in this very moment
    while path.with_name(path.name + PART).exists() or path.exists():
        number += 1
        path = folder / f"{stem}-{number}.xdf"
    return path


class SessionRecording:
    """Stands between feed, pipeline, broker and engine, and writes down what passes."""

    def __init__(
        self, settings: Settings, node: topics.Topics, *, simulated: bool, mark: RecordingMark | None = None
    ) -> None:
        self._settings, self._node, self._simulated = settings, node, simulated
        self._mark = mark or RecordingMark(settings)
        self._recorder: SessionRecorder | None = None
        self._pipelines: dict[int, RecordedPipeline] = {}
        self._prepared: Prepared | None = None
        self._status: HeadsetStatus | None = None
        self._reading = True
        self._sounding: tuple[Any, ...] = ()
        self._closing: list[threading.Thread] = []
        self.note = ""

    @property
    def recording(self) -> bool:
        """Whether what happens now reaches the disk."""
        return self._recorder is not None and self._recorder.recording and self._reading

    def obey(self, command: commands.RecordCommand) -> None:
        """Start or stop in the middle of a session. Raises ``MessageError`` where that cannot be."""
        running = self._recorder is not None and self._recorder.active
        if command.action == "stop":
            if self._recorder is None:
                raise codec.MessageError("nothing is being recorded")
            self.end()
            self._mark.ended()
            return
        who, words = (" ".join(text.split()) for text in (command.who, command.consent))
        if not who or not words:
            raise codec.MessageError("a recording needs who agrees to it, and to what: it was not begun")
        if running:
            raise codec.MessageError("this session is being recorded already")
        self.end()
        try:
            self.begin(Consent("", words, simulated=self._simulated, who=who))
        except OSError as error:
            raise codec.MessageError(str(error)) from None

    def begin(self, consent: Consent, stem: str = "") -> None:
        """Write the consent, with the time it is now where it has none, and open the file.

        Raises ``OSError``.
        """
        now = datetime.now(UTC)
        stem = stem or f"{now:%Y-%m-%dT%H-%M-%SZ}-{self._settings.node}"
        path = _free_path(recordings_dir(self._settings.state_dir), stem)
        replayed = {name: getattr(self._settings, name) for name in REPLAYED}
        if self._prepared is not None:
            known = getattr(self._prepared.pipeline, "baseline", None) is not None
            replayed |= {"begun_in_session": True} | ({"baseline": "last"} if known else {})
        beside = write_consent(path, replace(consent, given_at=consent.given_at or now.isoformat()))
        try:
            self._recorder = SessionRecorder(path, now.isoformat(), replayed, say=self.tell)
        except RecordingStartError:
            beside.unlink(missing_ok=True)
            raise
        self.note = ""
        self._mark.begun(stem, path)
        self._catch_up(self._recorder)
        log.info("REC: this session is recorded to %s", path)

    def _catch_up(self, recorder: SessionRecorder) -> None:
        """What a recording that begins late must know of what came before."""
        if self._status is not None:
            recorder.hear(self._status)
        if self._prepared is not None:
            recorder.event("prepared", prepared_words(self._prepared, first=True))
            if self._prepared.model.sha256:
                recorder.event("prepared", prepared_words(self._prepared, first=False))

    def end(self) -> None:
        """Finish the file, beside the session: a slow disk holds nothing up."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            thread = threading.Thread(target=self._finish, args=(recorder,), name="recording-end")
            thread.start()
            self._closing.append(thread)

    def _finish(self, recorder: SessionRecorder) -> None:
        if (path := recorder.close()) is not None:
            log.info("the session was recorded to %s", path)

    def tell(self, news: RecordingNews) -> None:
        """Something went wrong with the recording, or right again; called from its thread as well."""
        text = NEWS[news.happened].format(name=news.name, reason=news.reason)
        self.note = "" if news.happened == "resumed" else text
        log.warning("%s", text)

    def feed(self, feed: Items) -> Items:
        """The feed, with everything it gives written down before the engine sees it."""
        return _RecordedFeed(feed, self._hear_item)

    def prepare(self, maker: Prepare) -> Prepare:
        """The maker of pipelines, with everything they say written down."""

        def prepare(info: StreamInfo) -> Prepared:
            self._pipelines.clear()
            return self._watched(maker(info))

        return prepare

    def hear(self, hear: Hear) -> Hear:
        """The engine's ear, with decisions, what sounds, and commands written down."""

        def heard(topic: str, payload: bytes, retained: bool) -> None:
            name = self._node.short(topic) or ""
            if not retained:
                self._hear_message(name, payload)
            if name != topics.PLAYER_DECISION:
                hear(topic, payload, retained)

        return heard

    @property
    def subscriptions(self) -> list[str]:
        """What is to be heard beside what the engine wants."""
        return [self._node.full(topics.PLAYER_DECISION)]

    def close(self) -> None:
        """Finish what is open, and wait for it."""
        self.end()
        for thread in self._closing:
            thread.join()

    def _hear_item(self, item: HeadsetStatus | EegChunk | Gap) -> None:
        if isinstance(item, HeadsetStatus):
            known = self._status.info if self._status is not None else None
            self._status = item if item.info is not None else replace(item, info=known)
        if self._recorder is not None and (self._reading or isinstance(item, HeadsetStatus)):
            self._recorder.hear(item)

    def _watched(self, prepared: Prepared) -> Prepared:
        known = self._pipelines.get(id(prepared.pipeline))
        watched = known or RecordedPipeline(prepared.pipeline, lambda: self._recorder)
        self._pipelines[id(prepared.pipeline)] = watched
        self._prepared = prepared
        if self._recorder is not None:
            self._recorder.event("prepared", prepared_words(prepared, first=known is None))
        load, renew = prepared.load, prepared.renew

        def loaded() -> Callable[[], Prepared]:
            swap = load() if load is not None else None
            return lambda: self._watched(swap() if swap is not None else prepared)

        def renewed() -> Prepared | None:
            new = renew()
            return None if new is None else self._watched(new)

        return msgspec.structs.replace(
            prepared, pipeline=watched, load=loaded if load is not None else None, renew=renewed
        )

    def _hear_message(self, name: str, payload: bytes) -> None:
        recorder = self._recorder
        if name == topics.PLAYER_DECISION:
            if recorder is not None and self._reading and (line := _checked(name, payload)) is not None:
                recorder.text("PlayerDecision", line)
        elif name == topics.PLAYER_STATE:
            if recorder is not None:
                self._hear_player(recorder, payload)
        elif name.removeprefix("cmd/") in topics.ENGINE_COMMANDS and len(payload) <= codec.MAX_COMMAND_BYTES:
            command = name.removeprefix("cmd/")
            try:
                obeyed = codec.decode_command(command, payload)
            except codec.MessageError:
                return
            if recorder is not None and not isinstance(obeyed, commands.RecordCommand):
                recorder.event("command", {"command": command, "words": msgspec.to_builtins(obeyed)})
            if isinstance(obeyed, commands.SessionCommand):
                self._reading = obeyed.action == "start"

    def _hear_player(self, recorder: SessionRecorder, payload: bytes) -> None:
        """A marker when another track sounds, is paused, or begins to fade."""
        try:
            state = codec.decode(topics.PLAYER_STATE, payload)
        except codec.MessageError:
            return
        if not isinstance(state, documents.PlayerState):
            return
        track = state.track
        sounding = (track.id if track else None, state.paused, state.fading is not None)
        if sounding != self._sounding:
            self._sounding = sounding
            words = {
                "track": track.id if track else None,
                "title": track.title if track else None,
                "position_s": state.position_s,
                "paused": state.paused,
                "fading": state.fading is not None,
                "volume": state.volume,
            }
            recorder.text("AudioMarkers", json.dumps(words, ensure_ascii=False))


class _RecordedFeed:
    def __init__(self, feed: Items, hear_item: Callable[[HeadsetStatus | EegChunk | Gap], None]) -> None:
        self._feed, self._hear_item = feed, hear_item

    async def __aiter__(self) -> AsyncIterator[HeadsetStatus | EegChunk | Gap]:
        async for item in self._feed:
            self._hear_item(item)
            yield item

    def hear(self, valence: float | None, arousal: float | None) -> None:
        self._feed.hear(valence, arousal)


def prepared_words(prepared: Prepared, *, first: bool) -> dict[str, Any]:
    """What reads the wearer from here on; a stored rest is written down with it."""
    rest = getattr(prepared.pipeline, "baseline", None) if first else None
    stored = None
    if rest is not None:
        centre = [float(value) if np.isfinite(value) else None for value in rest.centre]
        stored = {
            "schema": rest.schema,
            "channels": list(rest.channels),
            "centre": centre,
            "scale": [float(value) for value in rest.scale],
            "seconds": float(rest.seconds),
        }
    return {
        "first": first,
        "model": prepared.model.name,
        "sha256": prepared.model.sha256,
        "notes": list(prepared.notes),
        "baseline": stored,
    }


def _checked(name: str, payload: bytes) -> str | None:
    """The document as its text, if it is one of the contract."""
    try:
        codec.decode(name, payload)
    except codec.MessageError:
        return None
    return payload.decode("utf-8", "replace")
