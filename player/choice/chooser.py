"""The chooser: which track comes next and when to leave one early. Pure: time and seed are arguments."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from player.choice.albums import Albums, is_mix
from player.choice.policies import CALM, NEUTRAL, RULES, Policy
from player.choice.reasons import sentence
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
from player.music import (
    Candidate,
    Decision,
    Mood,
    PolicyName,
    Reason,
    ReasonNote,
    Target,
    Track,
    WearerMood,
)

DecisionKind = Literal["first", "next", "mood_change", "skip", "recovery", "neutral"]
SHOWN_CANDIDATES = 8
Change = Literal["mood_moved", "aim_changed", "came_along"]
"""Why a track is left early."""


class NoPlayableTrackError(LookupError):
    """There is no track to choose: of ``known`` tracks, ``failed`` are quarantined, which is all of them."""

    def __init__(self, known: int, failed: int) -> None:
        super().__init__(f"no playable track: {known} known, {failed} quarantined")
        self.known, self.failed = known, failed


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
        self._policy = self.settings.policy
        self._rule: Policy = RULES[self._policy](target)
        self._rng = np.random.default_rng(seed)
        self._table = TrackTable(())
        self._albums = Albums(())
        self._history: deque[tuple[str, str]] = deque(maxlen=max(self.settings.no_repeat, 20))
        self._quarantined: set[str] = set()
        self._taste = Taste()
        self._planned: dict[str, tuple[Mood | None, bool]] = {}
        self._reference: Mood | None = None
        self._apart_since_s: float | None = None
        self._met_since_s: float | None = None
        self._forced_at_s: float | None = None
        self._asked = False
        self._change: Change = "mood_moved"

    @property
    def policy(self) -> PolicyName:
        """The policy in force."""
        return self._policy

    @property
    def target(self) -> Target | None:
        """The target in force, if any."""
        return self._rule.target

    def on_mood(self, wearer: WearerMood) -> None:
        """Take in one state of the wearer. What cannot be trusted moves nothing."""
        self.wearer.on_mood(wearer)

    def set_policy(self, name: str) -> None:
        """Start the policy afresh, with the target there is. Raises UnknownPolicyError."""
        self._policy = parse_policy(name)
        self._rule = RULES[self._policy](self._rule.target)
        self._asked = True

    def set_target(self, target: str | Mood | None) -> None:
        """A name, a point ``valence,arousal`` or nothing. Raises UnknownTargetError."""
        if target is None:
            self._rule.set_target(None)
            return
        self._rule.set_target(point_target(target) if isinstance(target, Mood) else parse_target(target))
        self._asked = True

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
        rows, all_banned = self._free_rows(tracks, current)
        if current is not None and kind != "mood_change" and self.keeps(current):
            part = self._albums.after(current, self._out)
            if part is not None:
                return self._decision(now_s, part, kind, Reason("album_goes_on"), part.mood, ())
        if self._rule.keeps_albums:
            rows = self._beginnings(rows)
        aim = self._aim(now_s, kind, advance=True)
        if kind == "mood_change" and current is not None and aim is not None:
            rows = self._nearer(rows, current, aim)
        recent = [artist for _, artist in list(self._history)[-self.settings.artist_spacing :]]
        parts = self._table.parts(aim, recent, next_already, self.settings.weights)
        parts["liked"] = self._liked_part()
        scores: Floats = np.sum(list(parts.values()), axis=0)
        order = rows[np.argsort(-scores[rows], kind="stable")][:SHOWN_CANDIDATES]
        rank = softmax_pick(scores[order], self.settings.temperature, self._rng)
        chosen = self._table.tracks[int(order[rank])]
        if kind == "mood_change":
            self._forced_at_s = now_s
        if kind in ("mood_change", "first"):
            self._asked = False
        self._planned[chosen.id] = (aim, self.wearer.situation(now_s) == "steering")
        candidates = tuple(self._candidate(int(row), scores, parts) for row in order)
        reason = replace(self._reason(now_s, kind, aim), weighed=len(rows), rank=rank, all_banned=all_banned)
        return self._decision(now_s, chosen, kind, reason, aim or NEUTRAL, candidates)

    def keeps(self, track: Track) -> bool:
        """True for what is never cut for a mood, and followed by the next part of its album."""
        return self._rule.keeps_albums or is_mix(track)

    def decision(
        self, now_s: float, chosen: Track, kind: DecisionKind, reason: Reason, aim: Mood
    ) -> Decision:
        """A decision that was taken without choosing, its sentence made from the reason."""
        return self._decision(now_s, chosen, kind, reason, aim, ())

    def _decision(
        self,
        now_s: float,
        chosen: Track,
        kind: DecisionKind,
        reason: Reason,
        aim: Mood,
        candidates: tuple[Candidate, ...],
    ) -> Decision:
        why = sentence(chosen, reason)
        return Decision(now_s, chosen, kind, reason, why, self.policy, aim, candidates, self.seed)

    def wants_change(self, now_s: float, current: Track, played_s: float) -> Change | None:
        """A reason to leave ``current`` early, or None: then the mood only influences what comes next."""
        change = self._wanted_change(now_s, current, played_s)
        self._change = change or self._change
        return change

    def _wanted_change(self, now_s: float, current: Track, played_s: float) -> Change | None:
        aim = self._aim(now_s, "next", advance=False)
        if aim is None or not (self._rule.follows_wearer or self._asked) or self._rule.keeps_albums:
            return None
        if self._asked:
            self._asked = False
            return "aim_changed" if self._gain(current, aim) >= self.settings.useful_gain else None
        if self.wearer.situation(now_s) != "steering" or is_mix(current):
            self._apart_since_s = self._met_since_s = None
            return None
        apart, met = self._held_apart(now_s, aim), self._held_met(now_s)
        rested = self._forced_at_s is None or now_s - self._forced_at_s >= self.settings.between_forced_s
        if not (apart or met) or not rested or played_s < self.settings.min_played_s:
            return None
        if not apart:
            return self._next_step(now_s, current)
        return "mood_moved" if self._gain(current, aim) >= self.settings.useful_gain else None

    def _next_step(self, now_s: float, current: Track) -> Change | None:
        """A led wearer who has come along need not wait for the end of the track."""
        aim = self._aim(now_s, "mood_change", advance=True)
        if aim is None or self._gain(current, aim) < self.settings.useful_gain:
            return None
        return "came_along"

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

    def _nearer(self, rows: np.ndarray, current: Track, aim: Mood) -> np.ndarray:
        """Those of the rows for which it is worth leaving ``current``; all of them where there is none."""
        least = distance_to(current, aim) - self.settings.useful_gain
        nearer = rows[self._table.distances(aim)[rows] <= least]
        return nearer if len(nearer) else rows

    def _aim(self, now_s: float, kind: DecisionKind, *, advance: bool) -> Mood | None:
        situation = self.wearer.situation(now_s)
        if kind == "neutral":
            return NEUTRAL
        if not self._rule.follows_wearer:
            return self._rule.aim(None, advance=advance)
        if situation in ("calibrating", "unheard"):
            return CALM
        return self._rule.aim(self.wearer.mood(now_s), advance=advance)

    def _free_rows(self, tracks: Sequence[Track], current: Track | None) -> tuple[np.ndarray, bool]:
        """Rows to choose from, and whether they are all banned: silence is not what anybody asked for."""
        if tracks is not self._table.tracks:
            self._table, self._albums = TrackTable(tracks), Albums(tracks)
        for rows in (self._rows_without(current), self._rows(self._out)):
            if len(rows):
                return rows, False
        banned = self._rows(self._quarantined)
        if not len(banned):
            failed = len(self._table.rows_of(self._quarantined))
            raise NoPlayableTrackError(len(self._table.tracks), failed)
        return banned, True

    def _rows_without(self, current: Track | None) -> np.ndarray:
        """Rows free to play: neither quarantined, nor current, nor among the last min(20, n/2) heard."""
        out = self._out
        span = min(self.settings.no_repeat, (len(self._table.tracks) - len(out)) // 2)
        recent = {track_id for track_id, _ in list(self._history)[-span:]} if span > 0 else set()
        if current is not None:
            recent.add(current.id)
        rows = self._rows(out | recent)
        return rows if len(rows) else self._rows(out | ({current.id} if current else set()))

    def _beginnings(self, rows: np.ndarray) -> np.ndarray:
        """Those of the rows with which an album begins; all of them where there is none."""
        begins = [self._albums.begins(self._table.tracks[row], self._out) for row in rows]
        return rows[np.array(begins, dtype=bool)] if any(begins) else rows

    @property
    def _out(self) -> set[str]:
        return self._quarantined | self._taste.banned

    def _liked_part(self) -> Floats:
        part: Floats = np.zeros(len(self._table.tracks))
        part[self._table.rows_of(self._taste.liked)] = self.settings.weights.liked
        return part

    def _rows(self, excluded: set[str]) -> np.ndarray:
        free = np.ones(len(self._table.tracks), dtype=bool)
        free[self._table.rows_of(excluded)] = False
        return np.flatnonzero(free)

    def _candidate(self, row: int, scores: Floats, parts: dict[str, Floats]) -> Candidate:
        named = {name: round(float(values[row]), 4) for name, values in parts.items()}
        return Candidate(self._table.tracks[row], round(float(scores[row]), 4), named)

    def _reason(self, now_s: float, kind: DecisionKind, aim: Mood | None) -> Reason:
        """What is known of the wearer and wanted of the music."""
        last = self.wearer.last
        note: ReasonNote = "none"
        if kind == "mood_change":
            note = self._change
        elif kind == "recovery":
            note = "next_failed"
        return Reason(
            note=note,
            wearer=self.wearer.code(now_s),
            mood=None if kind == "neutral" else self.wearer.mood(now_s),
            confidence=None if last is None else min(1.0, max(0.0, last.confidence)),
            policy=self.policy,
            target=self.target,
            aim=aim,
        )
