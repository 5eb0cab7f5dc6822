"""One calibration from options to verdicts: labelled trials, networks fitted to them, what is kept."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from acquisition.port import EegSource, SourceError
from acquisition.signal import StreamInfo
from daemon import places
from daemon.calibration import lines
from daemon.calibration.guide import guide, protocol
from daemon.calibration.lines import Outcome
from daemon.calibration.listening import Jukebox, Listening
from daemon.calibration.taker import Step
from daemon.calibration.talk import Talk, TerminalTalk, page_talk
from daemon.errors import BadInputError
from inference.port import ClassifierError
from models.datasets.trial import Trial
from models.errors import ModelsError, TrainingError

if TYPE_CHECKING:
    from daemon.wearers.wearer import Wearer
    from inference.networks.manifest import Manifest
    from models.model_personalization import Verdict
    from models.personal.personal_calibration import PersonalExamples
    from models.personal.personal_store import PersonalStore

STATE_HEADS = ("emotion", "state")
Options = Mapping[str, Any]


class Room(Protocol):
    """Where a calibration takes place: whom it talks to and what plays the music."""

    @property
    def talk(self) -> Talk: ...

    def jukebox(self, options: Options) -> contextlib.AbstractContextManager[Jukebox]: ...


@dataclass
class Result:
    """What came of it: a document for programs, lines for people, an outcome a network for the page."""

    document: dict[str, Any] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    state: Outcome | None = None
    valence: Outcome | None = None
    in_use: str = ""


def calibrate_with(store: PersonalStore, options: Options, room: Room) -> Result:
    """Take or read the labelled trials and fit what they allow.

    Raises ``BadInputError``, ``ModelsError``, ``ClassifierError`` and ``SourceError``.
    """
    made_up = False
    if options["recorded"]:
        channels, rate_hz, trials = _recorded(options)
    else:
        info, trials = _guided(options, room)
        channels, rate_hz, made_up = info.channels, info.rate_hz, info.simulated
    base = _base(store, options["network"], channels)
    fit = _Fit(Result(in_use=base.name), store, base, channels, rate_hz, room.talk)
    state = [trial for trial in trials if set(STATE_HEADS) & set(trial.labels)]
    music = [trial for trial in trials if "valence" in trial.labels]
    if state:
        _fit_state(fit, state)
    rated = any(trial.ratings for trial in trials)
    if music or rated:
        _fit_valence(fit, music)
    fit.result.document |= {"simulated": made_up, "lines": fit.result.words}
    if made_up:
        fit.result.words.append(
            "the wearer was simulated: nothing of this fits a person, so undo what was kept"
        )
    return fit.result


@dataclass(frozen=True)
class _Fit:
    """What the fits of one calibration share: where they tell their verdict, and what they start from."""

    result: Result
    store: PersonalStore
    base: Manifest
    channels: tuple[str, ...]
    rate_hz: float
    talk: Talk

    def examples(self, trials: Sequence[Trial], head: str) -> PersonalExamples:
        """What the base network hears of these trials."""
        from models.personal.personal_calibration import personal_examples

        return personal_examples(self.base, trials, self.channels, self.rate_hz, head)


def _fit_state(fit: _Fit, trials: Sequence[Trial]) -> None:
    from models.personal.personal_calibration import calibrate

    result, talk = fit.result, fit.talk
    head = next(head for head in STATE_HEADS if head in trials[0].labels)
    made = calibrate(fit.base, fit.examples(trials, head), fit.store, notify=talk.notify, fitted=talk.trained)
    result.document |= made.as_json()
    result.in_use = made.name or fit.base.name
    result.state = _outcome(made.verdict)
    result.words += [made.verdict.reason, f"in use now: {result.in_use}"]
    if made.name:
        result.words.append("undo with: neuroplayer calibrate --undo")


def _fit_valence(fit: _Fit, trials: Sequence[Trial]) -> None:
    from models.personal.personal_calibration import calibrate_valence, check_pieces, store_valence

    result = fit.result
    try:
        check_pieces([trial.labels["valence"] for trial in trials])
        examples = fit.examples(trials, "valence")
        model, verdict = calibrate_valence(examples, fitted=fit.talk.trained)
    except TrainingError as error:
        if result.state is None:
            raise
        result.document["valence"] = {"kept": False, "path": None, "verdict": None, "reason": str(error)}
        result.valence = Outcome(kept=False, reason=lines.cut(str(error)))
        result.words.append(f"{error}; valence stays unknown")
        return
    path = store_valence(fit.store, fit.base, model, verdict, examples) if verdict.kept else None
    result.document["valence"] = {
        "kept": verdict.kept,
        "path": str(path) if path else None,
        "verdict": verdict.as_json(),
        "reason": verdict.reason,
    }
    result.valence = _outcome(verdict)
    stored = f", stored as {path}" if path else "; valence stays unknown"
    result.words.append(f"valence {verdict.reason}{stored}")


def _outcome(verdict: Verdict) -> Outcome:
    return Outcome(
        kept=verdict.kept,
        reason=lines.cut(verdict.reason),
        before=verdict.base_accuracy,
        after=verdict.personal_accuracy,
        p_value=min(1.0, verdict.p_value),
        trials=verdict.n_trials,
    )


def _base(store: PersonalStore, name: str | None, channels: tuple[str, ...]) -> Manifest:
    """The network to start from: a shipped one, never a personal one that was itself tuned."""
    from inference.networks.manifest import require_channels
    from inference.networks.model_store import ModelStore

    if name is not None:
        base = store.live.get(name)
        require_channels(base, channels)
        return base
    chosen = ModelStore(store.live.roots[-1:]).choose_for(channels)
    if chosen is None:
        raise BadInputError(f"calibrate: no shipped network fits the electrodes {', '.join(channels[:8])}")
    return chosen


def _recorded(options: Options) -> tuple[tuple[str, ...], float, tuple[Trial, ...]]:
    from models.datasets import open_dataset

    source = open_dataset(options["recorded"])
    person = options["person"]
    trials: list[Trial] = []
    people: set[str] = set()
    for trial in source.trials():
        people.add(trial.person)
        if person in (None, trial.person):
            trials.append(trial)
        if person is None and len(people) > 1:
            raise BadInputError("calibrate: the recordings are of several people; choose with --person")
    if not trials:
        raise BadInputError(
            f"calibrate: no trial of person {person!r}; there are {', '.join(sorted(people))}"
        )
    return source.info.channels, source.info.rate_hz, tuple(trials)


def _guided(options: Options, room: Room) -> tuple[StreamInfo, tuple[Trial, ...]]:
    from models.networks.keras_backend import keras

    source = _source(options)
    keras()  # better to learn that the train extra is missing now than after twelve minutes
    with contextlib.ExitStack() as stack:
        listening = None
        if options["pieces"]:
            jukebox = stack.enter_context(room.jukebox(options))
            listening = Listening(jukebox, room.talk, options["pieces"], options["listen_s"])
        info, trials = guide(source, _steps(options), listening=listening, show=room.talk.show)
    _keep_ratings(options["whose"], trials, info)
    return info, trials


def _steps(options: Options) -> tuple[Step, ...]:
    return protocol(options["rest_s"], options["block_s"], options["pairs"])


def _source(options: Options) -> EegSource:
    if options["source"] is None:
        raise BadInputError(
            "calibrate: name your headset with --source, as for run; session takes that of the session which"
            " runs, simulated only shows how it goes"
        )
    if options["source"] == "session":
        from daemon.calibration.session_source import SessionSource
        from daemon.engine.eeg_frames import socket_path
        from daemon.mqtt.topics import TopicError, checked_node

        try:
            session = SessionSource(socket_path(str(places.state_dir()), checked_node(options["node"])))
            session.need()
            return session
        except TopicError as error:
            raise BadInputError(str(error)) from None
    from acquisition.opening import make_source
    from acquisition.source_spec import parse_source
    from daemon.configuration.values import parse_speed

    spec = parse_source(options["source"])
    return make_source(spec, speed=parse_speed(options["speed"]), seed=options["seed"])


def _keep_ratings(wearer: Wearer, trials: Sequence[Trial], info: StreamInfo) -> None:
    """The wearer's words go where those said on the page go."""
    from daemon.engine.labels import write_label
    from daemon.mqtt.commands import LabelCommand

    for trial in trials:
        if trial.ratings:
            valence, arousal = ((trial.ratings[axis] - 3) / 2 for axis in ("valence", "arousal"))
            said = LabelCommand(valence=valence, arousal=arousal, text="calibration")
            write_label(wearer.labels, said, datetime.now(UTC), simulated=info.simulated)


@dataclass(frozen=True)
class _Terminal:
    talk: TerminalTalk

    @contextlib.contextmanager
    def jukebox(self, options: Options) -> Iterator[Jukebox]:
        from daemon.calibration.own_jukebox import OwnJukebox
        from daemon.configuration.merging import settings_from

        if options["source"] == "session":
            raise BadInputError(
                "calibrate: with --source session its own player is sounding: calibrate on the page,"
                " or leave the music out with --pieces 0"
            )
        settings = settings_from({"music": options["music"], "output": options["output"]})
        own = OwnJukebox(
            settings.music,
            settings.output,
            Path(settings.cache_dir),
            listen_s=options["listen_s"],
            seed=options["seed"],
        )
        with contextlib.closing(own):
            yield own


def terminal(_options: Options, *, quiet: bool) -> Room:
    """At a terminal, with a player of its own."""
    return _Terminal(TerminalTalk(quiet=quiet))


@dataclass(frozen=True)
class _Page:
    talk: Any

    @contextlib.contextmanager
    def jukebox(self, _options: Options) -> Iterator[Jukebox]:
        yield self.talk


def run_for_page(store: PersonalStore, options: Options) -> None:
    """For the page that started this process: every word a line, errors too."""
    from daemon.processes.parent_death import die_with_parent

    die_with_parent()
    os.nice(10)  # music, page and engine go first
    talk = page_talk(len(_steps(options)) + options["pieces"])
    try:
        result = calibrate_with(store, options, _Page(talk))
    except (BadInputError, ModelsError, ClassifierError, SourceError, OSError) as error:
        talk.send(lines.ErrorLine(text=lines.cut(str(error))))
        return
    talk.send(lines.ResultLine(state=result.state, valence=result.valence, in_use=result.in_use))
