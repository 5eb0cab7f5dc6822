"""What frequencies that are no mood (52-62 Hz, 30-45 Hz) say by themselves, and through the network.

By themselves: the same recipe learns from them alone. Through the network: the part of its own features that
goes along with them, inside a person and a state, is all it is told. The first asks what a network of this
kind could do with them, the second what this one does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from acquisition.signal import FloatArray
from models.calm_engaged.controls import ALONE_HZ, RESIDUE_BANDS, alone
from models.calm_engaged.kept_aside.parts import PeoplePart, learned
from models.calm_engaged.montages import ShippedMontage
from models.calm_engaged.people import People, Person
from models.calm_engaged.protocol import BASELINE_S, PersonResult, read_person, scored_windows
from models.calm_engaged.training import RecipeSettings
from models.evaluation.evidence import LogitFunction, evidence_logits, moving_mean, windows_in

RIDGE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """Log-odds (n,) after 10 s of one person's rest and task."""

    rest: FloatArray
    task: FloatArray


def frequencies(
    data: Path, montage: ShippedMontage, settings: RecipeSettings, people: People
) -> dict[str, People]:
    """The people told by each stretch alone, as five bands and as one, at the windows of ``people``."""
    return {
        f"{name} in {n_bands}": at_windows_of(people, alone(data, montage, settings, n_bands, hz))
        for name, hz in ALONE_HZ.items()
        for n_bands in (RESIDUE_BANDS, 1)
    }


def at_windows_of(people: People, told: People) -> People:
    """``told`` with no other windows than those the gate let ``people`` have."""

    def matched(whole: Person, wanted: Person) -> Person:
        parts = []
        for state in ("rest", "task"):
            part, like = getattr(whole, state), getattr(wanted, state)
            place = np.searchsorted(part.end_s, like.end_s - 1e-6)
            parts.append(replace(like, features=part.features[place]))
        return Person(whole.name, *parts)

    both = zip(told.people, people.people, strict=True)
    return replace(told, people=tuple(matched(*one) for one in both), _rests={}, _baselines={})


def by_themselves(told: Mapping[str, People], part: PeoplePart) -> dict[str, list[PersonResult]]:
    """Those aside, read from these frequencies, (n, n_told), by what the recipe learned from the others'."""
    fisher = replace(part.settings.fisher, disturbed=0.0)
    settings = replace(part.settings, fisher=fisher)
    found = {}
    for name, people in told.items():
        others = people.only(part.is_other)
        _, scale = others.population()
        logit = learned(others, settings).logit
        found[name] = [
            read_person(people, person, logit, settings.sequence_length, scale, BASELINE_S)
            for person in people.people
            if part.is_aside(person.name)
        ]
    return found


def through_the_network(
    told: People, people: People, part: PeoplePart, logit: LogitFunction
) -> tuple[dict[str, Said], dict[str, Said]]:
    """By person: what the network says of the part of its features that goes along with ``told``, and of all
    that does not. ``logit`` is asked about runs (n, length, n_features).
    """
    _, told_scale = told.only(part.is_other).population()
    seen = [
        (
            scored_windows(people, one, BASELINE_S, part.scale),
            scored_windows(told, other, BASELINE_S, told_scale),
        )
        for one, other in zip(people.people, told.people, strict=True)
    ]
    names = [person.name for person in people.people]
    learning = [both for name, both in zip(names, seen, strict=True) if part.is_other(name)]
    n_windows = windows_in(10.0, people.window_s, people.hop_s)
    slopes = _slopes(
        [(getattr(a, s), getattr(b, s)) for a, b in learning for s in ("rest", "task")], n_windows
    )

    def answers(windows: FloatArray) -> FloatArray:
        return evidence_logits(windows, logit, part.network.sequence_length, n_windows)

    along, beside = {}, {}
    for name, (a, b) in zip(names, seen, strict=True):
        if part.is_aside(name):
            along[name] = Said(answers(b.rest @ slopes), answers(b.task @ slopes))
            beside[name] = Said(answers(a.rest - b.rest @ slopes), answers(a.task - b.task @ slopes))
    return along, beside


def _slopes(pairs: list[tuple[FloatArray, FloatArray]], n_windows: int) -> FloatArray:
    """By how much each feature goes along with each frequency (n_told, n_features): least squares over means
    of 10 s, inside each person and state, so that what tells the states apart has no part in it.
    """
    left: list[FloatArray] = []
    right: list[FloatArray] = []
    for features, told in pairs:
        if len(features) >= n_windows:
            for values, out in ((features, left), (told, right)):
                means = np.stack([moving_mean(column, n_windows) for column in values.T], axis=1)
                out.append((means - means.mean(axis=0)) / np.sqrt(len(means)))
    x, y = np.concatenate(right), np.concatenate(left)
    gram = x.T @ x
    ridge = RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    result: FloatArray = np.linalg.solve(gram + ridge, x.T @ y)
    return result
