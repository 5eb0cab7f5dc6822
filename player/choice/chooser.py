"""The chooser: which track comes next and when to leave one early. Pure: time and seed are arguments."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from player.choice.policies import CALM, NEUTRAL, AimRule
from player.choice.reasons import choice_sentence, mood_words, policy_words, wearer_words
from player.choice.scoring import (
    Floats,
    ScoreWeights,
    TrackTable,
    distance_to,
    mood_distance,
    softmax_pick,
)
from player.choice.targets import parse_policy, parse_target, point_target
from player.choice.taste import Taste
from player.choice.wearer import WearerModel, WearerSettings
from player.music import Candidate, Decision, Mood, PolicyName, Target, Track, WearerMood

DecisionKind = Literal["first", "next", "mood_change", "skip", "recovery", "neutral"]
SHOWN_CANDIDATES = 8
NOTES = {
    "skip": "Skipped",
    "recovery": "The last track could not go on",
    "mood_change": "Changed early",
}


class NoPlayableTrackError(LookupError):
    """There is no track to choose: the library is empty or every track is quarantined."""


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """When music may change for the wearer's sake. Distances in the valence-arousal plane, times in s."""

    policy: PolicyName = "match"
    target: str | None = None
    change_distance: float = 0.35
    settle_distance: float = 0.2
    held_s: float = 20.0
    min_played_s: float = 60.0
    between_forced_s: float = 90.0
    useful_gain: float = 0.15
    no_repeat: int = 20
    artist_spacing: int = 2
    temperature: float = 0.06
    wearer: WearerSettings = field(default_factory=WearerSettings)
    weights: ScoreWeights = field(default_factory=ScoreWeights)

    def __post_init__(self) -> None:
        if not 0 <= self.settle_distance <= self.change_distance:
            raise ValueError(f"settle_distance {self.settle_distance} must be 0..change_distance")
        if not 0 < self.temperature <= 10:
            raise ValueError(f"temperature must be above 0 and at most 10, got {self.temperature}")


class Chooser:
    """Chooses tracks for a wearer. Same settings, seed and calls give the same choices.

    All times are seconds of the one clock that ``WearerMood.at_s`` is on.
    """

    def __init__(self, settings: PolicySettings | None = None, seed: int = 0) -> None:
        self.settings = settings or PolicySettings()
        self.seed = seed
        self.wearer = WearerModel(self.settings.wearer)
        target = None if self.settings.target is None else parse_target(self.settings.target)
        self._rule = AimRule(self.settings.policy, target)
        self._rng = np.random.default_rng(seed)
        self._table = TrackTable(())
        self._history: deque[tuple[str, str]] = deque(maxlen=max(self.settings.no_repeat, 20))
        self._quarantined: set[str] = set()
        self._taste = Taste()
        self._planned: dict[str, tuple[Mood | None, bool]] = {}
        self._reference: Mood | None = None
        self._apart_since_s: float | None = None
        self._met_since_s: float | None = None
        self._forced_at_s: float | None = None
        self._asked: str | None = None

    @property
    def policy(self) -> PolicyName:
        """The policy in force."""
        return self._rule.policy

    @property
    def target(self) -> Target | None:
        """The target in force, if any."""
        return self._rule.target

    def hear(self, wearer: WearerMood) -> None:
        """Take in one state of the wearer. What cannot be trusted moves nothing."""
        self.wearer.hear(wearer)

    def set_policy(self, name: str) -> None:
        """Raises UnknownPolicyError."""
        self._rule.set_policy(parse_policy(name))
        self._asked = f"you chose the policy {self._rule.policy}"

    def set_target(self, target: str | Mood | None) -> None:
        """A name, a point ``valence,arousal`` or nothing. Raises UnknownTargetError."""
        if target is None:
            self._rule.set_target(None)
            return
        self._rule.set_target(point_target(target) if isinstance(target, Mood) else parse_target(target))
        self._asked = f"you asked for {target if isinstance(target, str) else 'another mood'}"

    def set_taste(self, taste: Taste) -> None:
        """What is liked is chosen more gladly, what is banned never while there is anything else."""
        self._taste = taste

    def quarantine(self, track_id: str) -> None:
        """Never choose this track again, until ``forgive``."""
        self._quarantined.add(track_id)

    def forgive(self, track_id: str | None = None) -> None:
        """Let one quarantined track, or all, be chosen again (after the file changed)."""
        if track_id is None:
            self._quarantined.clear()
        else:
            self._quarantined.discard(track_id)

    def mark_played(self, track: Track, now_s: float) -> None:
        """A track begins to sound: it counts as heard, and its aim is what later moods are held against."""
        self._history.append((track.id, track.artist))
        aim, steered = self._planned.get(track.id, (track.mood, False))
        self._planned.clear()
        if aim is not None and steered:
            self._rule.begin_track(aim)
        self._reference = aim
        self._apart_since_s = self._met_since_s = None

    def choose(
        self,
        now_s: float,
        tracks: Sequence[Track],
        kind: DecisionKind,
        current: Track | None = None,
        next_already: Track | None = None,
    ) -> Decision:
        """Choose one of ``tracks``; raises NoPlayableTrackError if there is none.

        ``next_already`` is kept unless another fits clearly better. ``mood_change`` starts the pause between
        forced changes.
        """
        rows = self._free_rows(tracks, current)
        aim = self._aim(now_s, kind, advance=True)
        recent = [artist for _, artist in list(self._history)[-self.settings.artist_spacing :]]
        parts = self._table.parts(aim, current, recent, next_already, self.settings.weights)
        parts["liked"] = self._liked_part()
        scores: Floats = np.sum(list(parts.values()), axis=0)
        order = rows[np.argsort(-scores[rows], kind="stable")][:SHOWN_CANDIDATES]
        rank = softmax_pick(scores[order], self.settings.temperature, self._rng)
        chosen = self._table.tracks[int(order[rank])]
        if kind == "mood_change":
            self._forced_at_s = now_s
        if kind in ("mood_change", "first"):
            self._asked = None
        self._planned[chosen.id] = (aim, self.wearer.situation(now_s) == "steering")
        candidates = tuple(self._candidate(int(row), scores, parts) for row in order)
        why = self._why(now_s, kind, chosen, aim, len(rows), rank)
        return Decision(now_s, chosen, kind, why, self.policy, aim or NEUTRAL, candidates, self.seed)

    def wants_change(self, now_s: float, current: Track, played_s: float) -> str | None:
        """A reason to leave ``current`` early, or None: then the mood only influences what comes next."""
        aim = self._aim(now_s, "next", advance=False)
        if aim is None or (self.policy == "manual" and self._asked is None):
            return None
        if self._asked is not None:
            asked, self._asked = self._asked, None
            return asked if self._gain(current, aim) >= self.settings.useful_gain else None
        if self.wearer.situation(now_s) != "steering":
            self._apart_since_s = self._met_since_s = None
            return None
        apart, met = self._held_apart(now_s, aim), self._held_met(now_s)
        rested = self._forced_at_s is None or now_s - self._forced_at_s >= self.settings.between_forced_s
        if not (apart or met) or not rested or played_s < self.settings.min_played_s:
            return None
        if not apart:
            return self._next_step(now_s, current)
        if self._gain(current, aim) < self.settings.useful_gain:
            return None
        return (
            f"your mood has moved for {now_s - (self._apart_since_s or now_s):.0f} s, "
            f"so {mood_words(aim)} music fits better than {mood_words(current.mood)}"
        )

    def _next_step(self, now_s: float, current: Track) -> str | None:
        """A led wearer who has come along need not wait for the end of the track."""
        aim = self._aim(now_s, "mood_change", advance=True)
        if aim is None or self._gain(current, aim) < self.settings.useful_gain:
            return None
        return f"you have come along, so the music takes the next step, to {mood_words(aim)}"

    def _held_met(self, now_s: float) -> bool:
        """True when a led wearer has been where the music is for long enough."""
        mood = self.wearer.mood(now_s)
        if mood is None or not self._rule.has_met(mood, self.settings.settle_distance):
            self._met_since_s = None
            return False
        if self._met_since_s is None:
            self._met_since_s = now_s
        return now_s - self._met_since_s >= self.settings.held_s

    def _held_apart(self, now_s: float, aim: Mood) -> bool:
        """Schmitt trigger with a timer: starts above one distance, is reset only below the smaller one."""
        reference = aim if self._reference is None else self._reference
        apart = mood_distance(aim, reference)
        if apart < self.settings.settle_distance:
            self._apart_since_s = None
        elif apart > self.settings.change_distance and self._apart_since_s is None:
            self._apart_since_s = now_s
        held = self._apart_since_s is not None and now_s - self._apart_since_s >= self.settings.held_s
        return held and apart > self.settings.change_distance

    def _gain(self, current: Track, aim: Mood) -> float:
        """How much nearer to the aim the best free track is than the current one."""
        rows = self._rows_without(current)
        if not len(rows):
            return 0.0
        return distance_to(current, aim) - float(self._table.distances(aim)[rows].min())

    def _aim(self, now_s: float, kind: DecisionKind, *, advance: bool) -> Mood | None:
        situation = self.wearer.situation(now_s)
        if kind == "neutral":
            return NEUTRAL
        if self.policy == "manual":
            return self._rule.aim(None, advance=advance)
        if situation in ("calibrating", "unheard"):
            return CALM
        return self._rule.aim(self.wearer.mood(now_s), advance=advance)

    def _free_rows(self, tracks: Sequence[Track], current: Track | None) -> np.ndarray:
        if tracks is not self._table.tracks:
            self._table = TrackTable(tracks)
        rows = self._rows_without(current)
        if len(rows):
            return rows
        # to ban everything is to ban nothing: silence is not what anybody asked for
        everything = self._rows(self._out)
        if not len(everything):
            everything = self._rows(self._quarantined)
        if not len(everything):
            raise NoPlayableTrackError(
                f"no playable track: {len(self._table.tracks)} known, {len(self._quarantined)} quarantined"
            )
        return everything

    def _rows_without(self, current: Track | None) -> np.ndarray:
        """Rows free to play: neither quarantined, nor current, nor among the last min(20, n/2) heard."""
        out = self._out
        span = min(self.settings.no_repeat, (len(self._table.tracks) - len(out)) // 2)
        recent = {track_id for track_id, _ in list(self._history)[-span:]} if span > 0 else set()
        if current is not None:
            recent.add(current.id)
        rows = self._rows(out | recent)
        return rows if len(rows) else self._rows(out | ({current.id} if current else set()))

    @property
    def _out(self) -> set[str]:
        return self._quarantined | self._taste.banned

    def _liked_part(self) -> Floats:
        part: Floats = np.zeros(len(self._table.tracks))
        part[[self._table.rows[one] for one in self._taste.liked if one in self._table.rows]] = (
            self.settings.weights.liked
        )
        return part

    def _rows(self, excluded: set[str]) -> np.ndarray:
        free = np.ones(len(self._table.tracks), dtype=bool)
        free[[self._table.rows[track_id] for track_id in excluded if track_id in self._table.rows]] = False
        return np.flatnonzero(free)

    def _candidate(self, row: int, scores: Floats, parts: dict[str, Floats]) -> Candidate:
        named = {name: round(float(values[row]), 4) for name, values in parts.items()}
        return Candidate(self._table.tracks[row], round(float(scores[row]), 4), named)

    def _why(
        self, now_s: float, kind: DecisionKind, chosen: Track, aim: Mood | None, weighed: int, rank: int
    ) -> str:
        situation = self.wearer.situation(now_s)
        last = self.wearer.last
        told = wearer_words(
            self.wearer.mood(now_s), situation, None if last is None else min(1.0, max(0.0, last.confidence))
        )
        steered = situation in ("steering", "frozen") or self.policy == "manual"
        words = policy_words(self.policy, self.target, aim) if steered and kind != "neutral" else None
        if self.policy == "manual":
            told, words = (words or told), None
            told = told[:1].upper() + told[1:]
        return choice_sentence(chosen, told, words, weighed, rank, NOTES.get(kind, ""))
