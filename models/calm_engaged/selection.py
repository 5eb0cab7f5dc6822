"""Chooses what is heard and how it is learned by an inner leave-one-person-out, never by a quoted figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from acquisition.signal import BoolArray, FloatArray
from models.calm_engaged.fisher import FisherSettings, Moments, direction_from
from models.calm_engaged.people import People
from models.calm_engaged.protocol import BASELINE_S, Scored, balanced_accuracy, scored_windows
from models.calm_engaged.training import all_moments
from models.evaluation.evidence import moving_mean, windows_in

SHRINKAGES = (0.2, 0.5, 0.7)
CHOSEN_BY_S = (10.0, 30.0)
SHORT_REST_S = 10.0
RESIDUE_BAR = 0.53
"""Stricter than the 0.55 of the control itself: the inner figure has an error of its own."""


HEARD_HZ = ((1.0, 45.0), (1.0, 30.0), (4.0, 30.0))
DISTURBED = (0.0, 0.3, 1.0)
MUSCLE_HZ = (30.0, 45.0)
MUSCLE_BAR = 0.12
"""How much more rest may be called engaged once muscle tenses: the mean of what was shown, which reaches
lower than the control's.
"""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPerson:
    """What an inner round needs of one person: windows (n, n_features) to score, moments to train on, how
    disturbances scatter, and how muscle everywhere moves the rest (n_levels, n_features). ``short`` are the
    windows against 10 s of rest alone.
    """

    rest: FloatArray
    task: FloatArray
    short: Scored
    moments: tuple[Moments, ...]
    disturbance: FloatArray
    tensed: FloatArray


@dataclass(frozen=True, slots=True)
class Figures:
    """One candidate among the people who choose, each read by the others."""

    balanced_accuracy: float
    """Mean of those after 10 s, after 30 s, and after 10 s of evidence with but 10 s of rest."""
    residue: float
    muscle: float
    """By how much the share of rest that is called engaged grows once muscle tenses."""
    muscle_alone: float
    """What 30-45 Hz alone would say to one that hears it; 0.5 for one that does not."""


def candidates() -> tuple[FisherSettings, ...]:
    """One for each shrinkage, stretch of the spectrum and weight of disturbances."""
    return tuple(
        FisherSettings(shrinkage=shrinkage, hears_hz=hears_hz, disturbed=disturbed)
        for shrinkage in SHRINKAGES
        for hears_hz in HEARD_HZ
        for disturbed in DISTURBED
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """What there is to choose from, and what makes a candidate eligible."""

    among: tuple[FisherSettings, ...] = field(default_factory=candidates)
    residue_bar: float = RESIDUE_BAR
    """Also of what 30-45 Hz alone may say to one that hears it, where muscle is looked at."""
    muscle_bar: float | None = MUSCLE_BAR
    """None: muscle is not looked at."""

    def eligible(self, figures: Figures) -> bool:
        if figures.residue > self.residue_bar or self.muscle_bar is None:
            return figures.residue <= self.residue_bar
        return figures.muscle_alone <= self.residue_bar and figures.muscle <= self.muscle_bar


def prepared(people: People, without: str, baselines_s: Sequence[float]) -> list[PreparedPerson]:
    """Every person's z-scores, moments and disturbances, once, for all inner rounds."""
    _, scale = people.population(without)
    told = []
    for person in people.people:
        if person.name == without:
            continue
        usual = scored_windows(people, person, BASELINE_S, scale)
        sets = [scored_windows(people, person, seconds, scale) for seconds in baselines_s]
        moments = all_moments([(s.rest, s.task) for s in sets], len(sets))
        told.append(
            PreparedPerson(
                usual.rest,
                usual.task,
                scored_windows(people, person, SHORT_REST_S, scale),
                tuple(moments),
                people.disturbance(person, scale),
                people.tensed(person, scale),
            )
        )
    return told


def inner_score(
    told: Sequence[PreparedPerson], heard: BoolArray, settings: FisherSettings, n_windows: Sequence[int]
) -> tuple[list[float], float]:
    """Leaving one of these people out: balanced accuracy by each number of windows of evidence, then by the
    first with a short rest; and how much more of rest that one calls engaged once muscle tenses. ``heard`` is
    (n_features,).
    """
    table: list[list[float]] = []
    more: list[float] = []
    total = np.sum([person.disturbance for person in told], axis=0)
    for index, person in enumerate(told):
        others = [m for place, other in enumerate(told) if place != index for m in other.moments]
        disturbance = (total - person.disturbance) / (len(told) - 1)
        direction = direction_from(others, settings, heard, disturbance)
        rest, task = direction.along(person.rest), direction.along(person.task)
        short = [direction.along(windows) for windows in (person.short.rest, person.short.task)]
        tries: list[tuple[FloatArray, FloatArray, int]] = [
            *((rest, task, n) for n in n_windows),
            (short[0], short[1], n_windows[0]),
        ]
        table.append(
            [balanced_accuracy(moving_mean(calm, n), moving_mean(busy, n)) for calm, busy, n in tries]
        )
        places = moving_mean(rest, n_windows[0])
        if len(places) and len(person.tensed):
            moved = places[:, np.newaxis] + person.tensed @ direction.weights
            more.append(float(np.mean(moved > 0) - np.mean(places > 0)))
    means: list[float] = np.nanmean(table, axis=0).tolist()
    return means, float(np.mean(more)) if more else 0.0


def select(
    people: People,
    residue: People,
    without: str,
    baselines_s: Sequence[float],
    choice: Choice | None = None,
) -> tuple[FisherSettings, Mapping[FisherSettings, Figures]]:
    """The candidate with the best mean of 10 s, 30 s and a short rest among the people but ``without``.

    One that reads the 52-62 Hz residue of those people above its bar, or hears 30-45 Hz and that alone says
    as much, or takes muscle for engagement, is not eligible; where all do, the one that reads it least is.
    """
    n_windows = [windows_in(seconds, people.window_s, people.hop_s) for seconds in CHOSEN_BY_S]
    told, told_residue = prepared(people, without, baselines_s), prepared(residue, without, baselines_s)
    everything = np.ones(residue.n_features, dtype=np.bool_)
    found: dict[FisherSettings, Figures] = {}
    alone: dict[float, tuple[float, float]] = {}
    choice = choice or Choice()
    for one in choice.among:
        if one.shrinkage not in alone:
            plain = FisherSettings(shrinkage=one.shrinkage)
            heard = ((told_residue, everything), (told, people.is_heard(MUSCLE_HZ)))
            residue_read, muscle_read = (
                inner_score(who, what, plain, n_windows[:1])[0][0] for who, what in heard
            )
            alone[one.shrinkage] = (residue_read, muscle_read)
        scores, muscle = inner_score(told, people.is_heard(one.hears_hz), one, n_windows)
        residue_read, muscle_read = alone[one.shrinkage]
        found[one] = Figures(
            float(np.mean(scores)),
            residue_read,
            muscle,
            muscle_read if one.hears_hz[1] > MUSCLE_HZ[0] else 0.5,
        )
    eligible = [one for one, figures in found.items() if choice.eligible(figures)]
    deaf = [one for one in found if found[one].muscle_alone == 0.5] or list(found)
    eligible = eligible or [min(deaf, key=lambda one: (found[one].residue, found[one].muscle))]
    return max(eligible, key=lambda one: found[one].balanced_accuracy), found
