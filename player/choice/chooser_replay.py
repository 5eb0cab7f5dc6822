"""Makes the logged decisions of a chooser again, to be held against those that were logged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import msgspec

from player.choice.chooser import Chooser, PolicySettings
from player.choice.chooser_log import Words, decision_line
from player.choice.taste import Taste
from player.music import Mood, Reason, Track, WearerMood

_TRACK_FIELDS = frozenset(one.name for one in fields(Track))

MAX_BYTES = 512 * 1024 * 1024


class ChooserLogError(ValueError):
    """A log that cannot be read. The message names the file, the line and the rule."""


class ChooserReplay:
    """Makes the logged decisions again. ``reread`` gives, for each mood heard, the mood to use now.

    ``opened`` takes back what was done to each line when it was logged.
    """

    def __init__(
        self, path: Path, reread: Callable[[WearerMood], WearerMood], opened: Callable[[str], str] = str
    ) -> None:
        self._path, self._reread, self._opened = path, reread, opened
        self._chooser = Chooser()
        self._tracks: tuple[Track, ...] = ()

    def run(self) -> Iterator[tuple[str, str]]:
        """Each decision as it is made now and as it was logged. Raises ``ChooserLogError``."""
        if self._path.stat().st_size > MAX_BYTES:
            raise ChooserLogError(f"{self._path}: a log may have {MAX_BYTES} bytes at most")
        with self._path.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith("\n"):
                    return  # the last line of a player that was killed
                try:
                    made = self._call(json.loads(self._opened(line)))
                except (ValueError, KeyError, TypeError, LookupError) as error:
                    raise ChooserLogError(f"{self._path}, line {number}: {error!r}") from error
                if made is not None:
                    yield made

    def _call(self, words: Words) -> tuple[str, str] | None:
        chooser, call = self._chooser, words["call"]
        if call == "choose":
            return self._choose(words)
        if call == "decision":
            return self._decide(words)
        if call == "begin":
            settings = PolicySettings(policy=words["policy"], target=words["target"])
            self._chooser = Chooser(settings, int(words["seed"]))
        elif call == "tracks":
            self._tracks = tuple(_track(track) for track in words["tracks"])
        elif call == "hear":
            chooser.on_mood(self._reread(WearerMood(**words["wearer"])))
        elif call == "situation":
            chooser.wearer.situation(float(words["now_s"]))
        elif call == "mark_played":
            chooser.mark_played(_track(words["track"]), float(words["now_s"]))
        elif call == "wants_change":
            chooser.wants_change(float(words["now_s"]), _track(words["current"]), float(words["played_s"]))
        else:
            self._set(call, words)
        return None

    def _set(self, call: str, words: Words) -> None:
        chooser = self._chooser
        if call == "set_policy":
            chooser.set_policy(words["name"])
        elif call == "set_target":
            target = words["target"]
            chooser.set_target(Mood(**target) if isinstance(target, dict) else target)
        elif call == "set_taste":
            chooser.set_taste(msgspec.convert(words["taste"], Taste))
        elif call == "quarantine":
            chooser.quarantine(words["track"])
        elif call == "forgive":
            chooser.forgive(words["track"])
        else:
            raise ValueError(f"unknown call {call!r}")

    def _decide(self, words: Words) -> tuple[str, str]:
        """One that was taken without choosing: a wish, or what a player that was killed goes on with."""
        chosen, reason, aim = (
            _track(words["chosen"]),
            msgspec.convert(words["reason"], Reason),
            Mood(**words["aim"]),
        )
        decision = self._chooser.decision(float(words["now_s"]), chosen, words["kind"], reason, aim)
        return decision_line(decision), str(words["decision"])

    def _choose(self, words: Words) -> tuple[str, str] | None:
        current, already = words["current"], words["next"]
        try:
            decision = self._chooser.choose(
                float(words["now_s"]),
                self._tracks,
                words["kind"],
                None if current is None else _track(current),
                None if already is None else _track(already),
            )
        except LookupError:
            return None if words["decision"] is None else ("", str(words["decision"]))
        return decision_line(decision), str(words["decision"])


def _track(words: Words) -> Track:
    known = {key: value for key, value in words.items() if key in _TRACK_FIELDS}  # an older log says more
    return Track(**{**known, "mood": Mood(**words["mood"])})
