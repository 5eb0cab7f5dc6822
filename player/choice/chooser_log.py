"""Writes down everything a chooser was asked, so that its decisions can be made again, byte for byte.

The chooser is pure: the same settings, seed and calls give the same choices. One JSON line a call.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import msgspec

from player.choice.chooser import Change, Chooser, DecisionKind, PolicySettings
from player.choice.taste import Taste
from player.choice.wearer import Situation, WearerModel, WearerSettings
from player.music import Decision, Mood, Reason, Track, WearerMood

log = logging.getLogger(__name__)

Words = dict[str, Any]
Write = Callable[[Words], None]


class _LoggedWearer(WearerModel):
    """The first look at a wearer who has said nothing starts a clock, so it is written down."""

    def __init__(self, settings: WearerSettings, write: Write) -> None:
        super().__init__(settings)
        self._write, self._looked = write, False

    def situation(self, now_s: float) -> Situation:
        if not self._looked:
            self._looked = True
            self._write({"call": "situation", "now_s": now_s})
        return super().situation(now_s)


class LoggedChooser(Chooser):
    """A chooser that writes its calls. What cannot be written is left out: music comes first."""

    def __init__(self, settings: PolicySettings, seed: int, write: Write) -> None:
        super().__init__(settings, seed)
        self._write = write
        self._tracks: Sequence[Track] | None = None
        write({"call": "begin", "policy": settings.policy, "target": settings.target, "seed": seed})
        self.wearer = _LoggedWearer(settings.wearer, write)

    def on_mood(self, wearer: WearerMood) -> None:
        self._write({"call": "hear", "wearer": asdict(wearer)})
        super().on_mood(wearer)

    def set_policy(self, name: str) -> None:
        super().set_policy(name)
        self._write({"call": "set_policy", "name": name})

    def set_target(self, target: str | Mood | None) -> None:
        super().set_target(target)
        words = asdict(target) if isinstance(target, Mood) else target
        self._write({"call": "set_target", "target": words})

    def set_taste(self, taste: Taste) -> None:
        self._write({"call": "set_taste", "taste": msgspec.to_builtins(taste, order="deterministic")})
        super().set_taste(taste)

    def decision(
        self, now_s: float, chosen: Track, kind: DecisionKind, reason: Reason, aim: Mood
    ) -> Decision:
        decision = super().decision(now_s, chosen, kind, reason, aim)
        words: Words = {"call": "decision", "now_s": now_s, "chosen": track_words(chosen), "kind": kind}
        words |= {"reason": asdict(reason), "aim": asdict(aim), "decision": decision_line(decision)}
        self._write(words)
        return decision

    def quarantine(self, track_id: str) -> None:
        self._write({"call": "quarantine", "track": track_id})
        super().quarantine(track_id)

    def forgive(self, track_id: str | None = None) -> None:
        self._write({"call": "forgive", "track": track_id})
        super().forgive(track_id)

    def mark_played(self, track: Track, now_s: float) -> None:
        self._write({"call": "mark_played", "track": track_words(track), "now_s": now_s})
        super().mark_played(track, now_s)

    def choose(
        self,
        now_s: float,
        tracks: Sequence[Track],
        kind: DecisionKind,
        current: Track | None = None,
        next_already: Track | None = None,
    ) -> Decision:
        if tracks is not self._tracks:
            self._tracks = tracks
            self._write({"call": "tracks", "tracks": [track_words(track) for track in tracks]})
        words: Words = {"call": "choose", "now_s": now_s, "kind": kind}
        words |= {"current": track_words(current), "next": track_words(next_already)}
        try:
            decision = super().choose(now_s, tracks, kind, current, next_already)
        except LookupError:
            self._write({**words, "decision": None})
            raise
        self._write({**words, "decision": decision_line(decision)})
        return decision

    def wants_change(self, now_s: float, current: Track, played_s: float) -> Change | None:
        reason = super().wants_change(now_s, current, played_s)
        words = {"call": "wants_change", "now_s": now_s, "current": track_words(current)}
        self._write({**words, "played_s": played_s, "reason": reason})
        return reason


def decision_line(decision: Decision) -> str:
    """A decision as one line, with every score."""
    candidates = [[c.track.id, c.score, dict(c.parts)] for c in decision.candidates]
    return json.dumps(
        {
            "at_s": decision.at_s,
            "chosen": decision.chosen.id,
            "kind": decision.kind,
            "why": decision.why,
            "reason": asdict(decision.reason),
            "policy": decision.policy,
            "aim": [decision.aim.valence, decision.aim.arousal],
            "candidates": candidates,
            "seed": decision.seed,
        },
        ensure_ascii=False,
    )


class ChooserLog:
    """A log file, for its owner only; a disk that takes no more ends it, which is told once.

    Each line goes through ``seal``, which may make it unreadable for others.
    """

    def __init__(self, path: Path, seal: Callable[[str], str] = str) -> None:
        self._file: TextIO | None = None
        self._seal = seal
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._file = os.fdopen(fd, "w", encoding="utf-8", buffering=1, errors="replace")
        except OSError as error:
            log.warning("what is chosen, and why, is not kept beside the recording (%s)", error.strerror)

    def write(self, words: Words) -> None:
        """Add one line."""
        file = self._file
        if file is None:
            return
        try:
            # a file that was deleted must not go on: that is how consent is withdrawn
            if os.fstat(file.fileno()).st_nlink == 0:
                raise OSError("deleted")
            file.write(self._seal(json.dumps(words, ensure_ascii=False)) + "\n")
        except (OSError, ValueError):
            self.close()

    def close(self) -> None:
        """End the log, from any thread."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError:
                return


def track_words(track: Track | None) -> Words | None:
    """A track without its place on this machine."""
    return None if track is None else {**asdict(track), "location": ""}
