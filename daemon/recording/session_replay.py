"""Reads a recorded session through the same pipeline again, each state beside the recorded one."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from acquisition.port import UnknownSourceError
from acquisition.recording.session_file import Line, SessionItem, read_head, read_session
from acquisition.signal import EegChunk, Gap, HeadsetStatus, StreamInfo
from daemon.engine.baseline_store import BaselineStore
from daemon.engine.prepared import PreparedPipeline
from daemon.engine.state_commands import StateCommands
from daemon.errors import BadInputError
from daemon.mqtt.commands import COMMANDS
from daemon.places import private_folder
from daemon.recording.lines import LEFT_OUT, state_line
from daemon.settings import Settings
from daemon.wearers.wearer import Wearer, wearer_of
from inference.baseline.baseline import Baseline
from inference.classification.valence import ValenceNetwork, ValenceReader
from inference.emotion import EmotionState, Estimate
from inference.pipeline import Pipeline, TooLate
from inference.port import ClassifierError

MakePipelines = Callable[[Settings, TooLate], Callable[[StreamInfo], PreparedPipeline]]


class _Rest(msgspec.Struct, frozen=True):
    """A baseline as it was written down; None stands for a feature that was unknown."""

    schema: str
    channels: tuple[str, ...]
    centre: list[float | None]
    scale: list[float]
    seconds: float


class _Event(msgspec.Struct, frozen=True):
    """What of an event a replay goes by. The file may be anybody's: nothing in it is taken on trust."""

    kind: str
    first: bool = False
    model: str = ""
    sha256: str = ""
    baseline: _Rest | None = None
    valence: ValenceNetwork | None = None
    command: str = ""
    words: dict[str, Any] = {}
    at_s: float | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """A state as it comes out now, and as it was recorded (None where nothing was)."""

    at_s: float
    line: str
    recorded: str | None

    @property
    def same(self) -> bool:
        return self.line == self.recorded


class SessionReplay:
    """One recorded session. ``problems`` tells, after the run, what could not be as it was."""

    def __init__(self, path: Path, make_pipelines: MakePipelines) -> None:
        self._path, self._make_pipelines = path, make_pipelines
        self._recorded_settings = read_head(path).settings
        self.problems: list[str] = []

    @property
    def settings(self) -> dict[str, Any]:
        """What the session ran with."""
        return dict(self._recorded_settings)

    def run(self) -> Iterator[Replayed]:
        """Every settled state, in order."""
        recorded = _recorded_states(self._path)
        with tempfile.TemporaryDirectory(prefix="neuroplayer-replay-") as folder:
            settings = self._settings(folder)
            make = self._make_pipelines(settings, _left_out(self._path).__contains__)
            engine = _Engine(wearer_of(settings), make, self.problems)
            for item in read_session(self._path):
                for state in self._push(engine, item):
                    yield Replayed(state.at_s, state_line(state), next(recorded, None))
            engine.close()
        if self._recorded_settings.get("begun_in_session"):
            self.problems.append("the recording begins in the middle of a session: its first states differ")
        left = sum(1 for _ in recorded)
        if left:
            self.problems.append(f"{left} recorded states did not come again")

    def _push(self, engine: _Engine, item: SessionItem) -> Sequence[EmotionState]:
        try:
            return engine.push(item)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise UnknownSourceError(f"{self._path}: damaged: {item!s:.120}: {error}") from error

    def _settings(self, state_dir: str) -> Settings:
        known = {"baseline", "seed", "dwell_s"} & set(self._recorded_settings)
        given = {name: self._recorded_settings[name] for name in known}
        try:
            # a rest that was stored then was written down: it is used whatever the session was asked to take
            return msgspec.convert({"state_dir": state_dir, "rest_again": True, **given}, type=Settings)
        except msgspec.ValidationError as error:
            raise BadInputError(f"{self._path}: its settings cannot be used: {error}") from None


class _Engine:
    """Does to the pipeline what the engine's role did, in the recorded order."""

    def __init__(
        self, wearer: Wearer, prepare: Callable[[StreamInfo], PreparedPipeline], problems: list[str]
    ) -> None:
        self._wearer, self._prepare, self._problems = wearer, prepare, problems
        self._info: StreamInfo | None = None
        self._prepared: PreparedPipeline | None = None
        self._commands = StateCommands()
        self._valence: ValenceNetwork | None = None
        self._said_s = 0.0

    def push(self, item: SessionItem) -> Sequence[EmotionState]:
        """What one recorded item leads to."""
        if isinstance(item, Line):
            if item.stream == "SessionEvents":
                self._event(msgspec.json.decode(item.text, type=_Event))
            return ()
        if isinstance(item, HeadsetStatus):
            return self._status(item)
        return self._samples(item)

    def close(self) -> None:
        """Let the classifier go."""
        if self._prepared is not None:
            self._prepared.close()
            self._prepared = None

    def _status(self, status: HeadsetStatus) -> Sequence[EmotionState]:
        if status.info is not None and status.info != self._info:
            self._info = status.info
            self.close()
        if status.state in ("stale", "lost", "ended") and self._prepared is not None:
            return (self._prepared.pipeline.mark_stale(self._said_s),)
        return ()

    def _samples(self, item: EegChunk | Gap) -> Sequence[EmotionState]:
        if self._prepared is None or not self._commands.active:
            return ()
        states: list[EmotionState] = []
        for reading in self._prepared.pipeline.push(item):
            if isinstance(reading, EmotionState | Estimate):
                self._said_s = reading.at_s
            if isinstance(reading, EmotionState):
                states.append(reading)
        return states

    def _event(self, event: _Event) -> None:
        if event.kind == "prepared":
            self._begin(event) if event.first else self._swap(event)
        elif event.kind == "command":
            self._handle_event(event)

    def _handle_event(self, event: _Event) -> None:
        kind = COMMANDS.get(event.command)
        if kind is None:
            self._problems.append(f"a command that is not known here: {event.command!r:.80}")
            return
        pipeline = self._prepared.pipeline if self._prepared is not None else None
        self._commands.handle_command(msgspec.convert(event.words, type=kind), pipeline)

    def _begin(self, event: _Event) -> None:
        if self._info is None:
            return
        self.close()
        self._store(self._info, event.baseline)
        self._keep_valence(event.valence)
        self._prepared = self._prepare(self._info)
        self._commands.hold(self._prepared.pipeline)

    def _swap(self, event: _Event) -> None:
        """The network took over here."""
        if self._prepared is not None and self._prepared.load is not None and event.sha256:
            self._prepared = self._prepared.load()()
            self._commands.hold(self._prepared.pipeline)
        if event.valence != self._valence:
            self._use_valence(event.valence)
        now = self._prepared.model if self._prepared is not None else None
        if now is None or now.sha256 != event.sha256:
            self._problems.append(
                f"the session was read by {event.model} ({event.sha256[:12] or 'a rule'}), "
                f"now by {now.name if now else 'nothing'} ({now.sha256[:12] if now else ''})"
            )

    def _keep_valence(self, network: ValenceNetwork | None) -> None:
        """Have the pipeline that begins find the wearer's calibration that it found then, and no other."""
        self._valence, path = network, self._wearer.valence
        path.unlink(missing_ok=True)
        if network is not None:
            private_folder(path.parent)
            path.write_bytes(msgspec.json.encode(network))

    def _use_valence(self, network: ValenceNetwork | None) -> None:
        """The wearer has calibrated anew, or taken a calibration back."""
        self._keep_valence(network)
        pipeline = self._prepared.pipeline if self._prepared is not None else None
        try:
            if isinstance(pipeline, Pipeline):
                pipeline.use_valence(None if network is None else ValenceReader(network))
        except ClassifierError as error:
            self._problems.append(f"the recorded valence calibration cannot be used: {error}")

    def _store(self, info: StreamInfo, rest: _Rest | None) -> None:
        """Have the pipeline that begins find the rest that it found then, and no other."""
        folder = self._wearer.baselines
        shutil.rmtree(folder, ignore_errors=True)
        if rest is None or not rest.seconds > 0:  # of a population, not of the wearer: it comes by itself
            return
        centre = np.array([np.nan if value is None else value for value in rest.centre])
        baseline = Baseline(rest.schema, rest.channels, centre, np.array(rest.scale), rest.seconds)
        BaselineStore(folder).save(info, baseline)


def _recorded_states(path: Path) -> Iterator[str]:
    for item in read_session(path):
        if isinstance(item, Line) and item.stream == "EmotionState":
            yield item.text


def _left_out(path: Path) -> frozenset[float]:
    """When the windows ended that the live session did not read, because it was late."""
    found: set[float] = set()
    for item in read_session(path):
        if isinstance(item, Line) and item.stream == "SessionEvents":
            with contextlib.suppress(msgspec.MsgspecError, RecursionError):  # the replay itself tells of it
                event = msgspec.json.decode(item.text, type=_Event)
                if event.kind == LEFT_OUT and event.at_s is not None:
                    found.add(event.at_s)
    return frozenset(found)
