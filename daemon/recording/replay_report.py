"""What a replay tells: states from the EEG, decisions from those states, and whether both are as recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from acquisition.recording.encryption import line_opener
from acquisition.signal import StreamInfo
from daemon import places
from daemon.engine.documents import two_digits
from daemon.engine.prepared import PreparedPipeline
from daemon.recording.session_replay import SessionReplay
from daemon.settings import Settings
from daemon.wearers.wearer import wearer_of_file
from inference.pipeline import TooLate
from player.choice.chooser_replay import ChooserReplay
from player.music import WearerMood

MAX_SHOWN = 5


@dataclass
class _Tally:
    total: int = 0
    differing: int = 0
    shown: list[str] = field(default_factory=list)

    def add(self, now: str, then: str | None) -> None:
        self.total += 1
        if now != then:
            self.differing += 1
            if len(self.shown) < MAX_SHOWN:
                self.shown.append(f"now      {now}\nrecorded {then}")


def decisions_log(recording: Path) -> Path:
    """Where the player wrote down what its chooser was asked in the session of a recording."""
    stem = re.sub(r"-\d{1,2}$", "", recording.name.removesuffix(".part").removesuffix(".xdf"))
    for name in (recording.name.removesuffix(".part").removesuffix(".xdf"), stem):
        path = recording.with_name(f"{name}.decisions.jsonl")
        if path.exists():
            return path
    return recording.with_name(f"{stem}.decisions.jsonl")


class ReplayReport:
    """Runs the replay of one session; ``write`` hears each line."""

    def __init__(self, path: Path, write: Callable[[str], Any] | None = None) -> None:
        self._path, self._write = path, write
        self._replay = SessionReplay(path, partial(_pipelines, path))
        self._states, self._decisions = _Tally(), _Tally()
        self._moods: list[dict[str, Any]] = []
        self._problems: list[str] = []

    @property
    def same(self) -> bool:
        """Whether everything came out as it was recorded."""
        return not (self._states.differing or self._decisions.differing or self._problems)

    def run(self) -> Iterator[float]:
        """Replay; yields the stream time of each state as it comes."""
        for state in self._replay.run():
            self._states.add(state.line, state.recorded)
            self._moods.append(json.loads(state.line))
            self._add("emotion", state.line)
            yield state.at_s
        self._problems += self._replay.problems
        log = decisions_log(self._path)
        if log.exists():
            for now, then in ChooserReplay(
                log, _Rereader(self._moods, self._problems).reread, line_opener(log)
            ).run():
                self._decisions.add(now, then)
                self._add("decision", now)

    def lines(self) -> list[str]:
        """What a person should know."""
        found = [_verdict("states", self._states)]
        if self._decisions.total:
            found.append(_verdict("decisions", self._decisions))
        return [*found, *self._states.shown, *self._decisions.shown, *self._problems[:MAX_SHOWN]]

    def _add(self, kind: str, line: str) -> None:
        if self._write is not None:
            self._write(f'{{"{kind}": {line}}}')


def _verdict(what: str, tally: _Tally) -> str:
    if not tally.differing:
        return f"{tally.total} {what}: the same as recorded, byte for byte"
    return f"{tally.total} {what}: {tally.differing} differ from the recording"


NUMBERS = ("valence", "arousal", "confidence")


class _Rereader:
    """Finds, for each mood the player heard, the state that the EEG gives now, to the digits said."""

    def __init__(self, moods: list[dict[str, Any]], problems: list[str]) -> None:
        self._moods, self._problems, self._at = moods, problems, 0

    def reread(self, heard: WearerMood) -> WearerMood:
        """The same mood out of the replayed states; what claims nothing needs none."""
        for at in range(self._at, len(self._moods)):
            mood = self._moods[at]
            said = [two_digits(mood[name]) for name in NUMBERS]
            same = said == [two_digits(getattr(heard, name)) for name in NUMBERS]
            if same and (mood["status"], mood["emotion"]) == (heard.status, heard.emotion):
                self._at = at
                return heard
        if heard.arousal is not None:
            self._problems.append(f"the player heard a mood that does not come again: {heard}")
        return heard


def _pipelines(path: Path, settings: Settings, too_late: TooLate) -> Callable[[StreamInfo], PreparedPipeline]:
    from daemon.engine.network_choice import PipelineMaker

    own = wearer_of_file(path, places.state_dir()).networks
    return PipelineMaker(settings, (*own, Path(str(resources.files("models"))) / "pretrained"), too_late)
