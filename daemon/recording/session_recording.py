"""What of a live session goes into its recording, and when one begins and ends."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from acquisition.recording.consent import Consent, write_consent
from acquisition.recording.recording_file import PART, Happened, RecordingNews, RecordingStartError
from acquisition.recording.recording_key import RecordingKeyError
from acquisition.recording.recovery import recover_all
from acquisition.recording.session_recorder import SessionRecorder
from acquisition.signal import FeedItem, HeadsetStatus
from daemon.engine.events import CommandGiven, EngineEvents, PipelineChosen, PlayerSaid
from daemon.engine.prepared import PreparedPipeline
from daemon.mqtt import codec, commands, documents
from daemon.recording.keys import recording_key
from daemon.recording.lines import command_words, prepared_words, sounding_words, write_reading
from daemon.recording.recording_mark import RecordingMark
from daemon.safe_text import persons_word
from daemon.settings import Settings
from daemon.wearers.keeping import Keeping
from daemon.wearers.wearer import wearer_of
from inference.emotion import Reading
from player.location import printable_spec

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


def _shareable(status: HeadsetStatus) -> HeadsetStatus:
    """Without the folders of this machine: a recording may be given to others."""
    if status.info is None:
        return status
    return replace(status, info=replace(status.info, source=printable_spec(status.info.source)))


def recover_recordings(settings: Settings) -> threading.Thread:
    """Close what a crash has left open, and say so; beside the session, for hours of EEG take a while."""

    def mend() -> None:
        for done in recover_all(wearer_of(settings).recordings):
            if done.why:
                log.warning("%s", done.why)

    thread = threading.Thread(target=mend, name="recovery", daemon=True)
    thread.start()
    return thread


def recording_of(settings: Settings, *, simulated: bool, keeping: Keeping | None = None) -> SessionRecording:
    """The recorder of a session, which begins at once if that was asked for by ``--record``.

    A later life of the engine goes on with what an earlier one recorded, in a file of its own, while the
    consent to it stands; what a person has ended stays ended.
    """
    mark = RecordingMark(settings)
    recording = SessionRecording(settings, simulated=simulated, mark=mark, keeping=keeping)
    earlier = mark.earlier() if settings.again else None
    if not settings.again:
        mark.drop()
    consent, stem = (
        Consent("", "asked for by --record or session.record", simulated=simulated),
        settings.record,
    )
    if (earlier is not None and earlier.consent is None) or (keeping is not None and not keeping.on):
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
    """Listens to the engine, and writes down what happens while somebody has agreed to it."""

    def __init__(
        self,
        settings: Settings,
        *,
        simulated: bool,
        mark: RecordingMark | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        self._settings, self._simulated = settings, simulated
        self._keeping = keeping or Keeping()
        self._mark = mark or RecordingMark(settings)
        self._recorder: SessionRecorder | None = None
        self._prepared: PreparedPipeline | None = None
        self._status: HeadsetStatus | None = None
        self._reading = True
        self._dwell: CommandGiven | None = None
        self._sounding: tuple[Any, ...] = ()
        self._closing: list[threading.Thread] = []
        self.note = ""

    @property
    def recording(self) -> bool:
        """Whether what happens now reaches the disk."""
        return self._recorder is not None and self._recorder.recording and self._reading

    def handle_command(self, command: commands.RecordCommand) -> None:
        """Start or stop in the middle of a session. Raises ``MessageError`` where that cannot be."""
        running = self._recorder is not None and self._recorder.active
        if not self._keeping.on:
            raise codec.MessageError("the wearer was forgotten: nothing more of this session is kept")
        if command.action == "stop":
            if self._recorder is None:
                raise codec.MessageError("nothing is being recorded")
            self.end()
            self._mark.ended()
            return
        who, words = persons_word(command.who), persons_word(command.consent)
        if not who or not words:
            raise codec.MessageError(
                "a recording needs who agrees to it, and to what, in letters or digits: it was not begun"
            )
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
        path = _free_path(wearer_of(self._settings).recordings, stem)
        replayed = {name: getattr(self._settings, name) for name in REPLAYED}
        replayed["source"] = printable_spec(self._settings.source)
        if self._prepared is not None:
            replayed |= {"begun_in_session": True}
        beside = write_consent(path, replace(consent, given_at=consent.given_at or now.isoformat()))
        try:
            key = recording_key(self._settings)
            self._recorder = SessionRecorder(path, now.isoformat(), replayed, on_news=self.on_news, key=key)
        except RecordingStartError:
            beside.unlink(missing_ok=True)
            raise
        except RecordingKeyError as error:
            beside.unlink(missing_ok=True)
            raise RecordingStartError(f"nothing is recorded: {error}") from None
        self.note = ""
        self._mark.begun(stem, path)
        self._catch_up(self._recorder)
        log.info("REC: this session is recorded to %s", path)

    def _catch_up(self, recorder: SessionRecorder) -> None:
        """What a recording that begins late must know of what came before."""
        if self._status is not None:
            recorder.on_item(self._status)
        if self._dwell is not None:
            recorder.event("command", command_words(self._dwell))
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

    def on_news(self, news: RecordingNews) -> None:
        """Something went wrong with the recording, or right again; called from its thread as well."""
        text = NEWS[news.happened].format(name=news.name, reason=news.reason)
        self.note = "" if news.happened == "resumed" else text
        log.warning("%s", text)

    def listen(self, events: EngineEvents) -> None:
        """Write down what happens from now on, whenever there is a file for it."""
        events.item.listen(self._on_item)
        events.reading.listen(self._on_reading)
        events.pipeline.listen(self._on_pipeline)
        events.command.listen(self._on_command)
        events.player.listen(self._on_player)

    def close(self) -> None:
        """Finish what is open, and wait for it."""
        self.end()
        for thread in self._closing:
            thread.join()

    def _on_item(self, item: FeedItem) -> None:
        if isinstance(item, HeadsetStatus):
            item = _shareable(item)
            known = self._status.info if self._status is not None else None
            self._status = item if item.info is not None else replace(item, info=known)
        if self._recorder is not None and (self._reading or isinstance(item, HeadsetStatus)):
            self._recorder.on_item(item)

    def _on_reading(self, reading: Reading) -> None:
        if self._recorder is not None:
            write_reading(self._recorder, reading)

    def _on_pipeline(self, chosen: PipelineChosen) -> None:
        self._prepared = chosen.prepared
        if self._recorder is not None:
            self._recorder.event("prepared", prepared_words(chosen.prepared, first=chosen.first))

    def _on_command(self, given: CommandGiven) -> None:
        command = given.command
        if self._recorder is not None and not isinstance(command, commands.RecordCommand):
            self._recorder.event("command", command_words(given))
        if isinstance(command, commands.DwellCommand):
            self._dwell = given
        if isinstance(command, commands.SessionCommand):
            self._reading = command.action == "start"

    def _on_player(self, said: PlayerSaid) -> None:
        """A decision as it stands, and a marker when another track sounds, is paused, or begins to fade."""
        recorder = self._recorder
        if recorder is None:
            return
        if isinstance(said.document, documents.PlayerState):
            words = sounding_words(said.document)
            sounding = tuple(words[name] for name in ("track", "paused", "fading"))
            if sounding != self._sounding:
                self._sounding = sounding
                recorder.text("AudioMarkers", json.dumps(words, ensure_ascii=False))
        elif isinstance(said.document, documents.Decision) and self._reading:
            recorder.text("PlayerDecision", said.payload.decode("utf-8", "replace"))
