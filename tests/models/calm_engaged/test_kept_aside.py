"""Judging on people kept aside: who is, what comes through a network, and what muscle does to it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acquisition.signal import FloatArray
from inference.features.schemas import schema_named
from inference.offline import FeatureSequence
from models.calm_engaged.card import LIMIT, kept, not_reaching
from models.calm_engaged.controls import taught
from models.calm_engaged.fisher import FisherSettings
from models.calm_engaged.kept_aside.frequencies import through_the_network
from models.calm_engaged.kept_aside.parts import PeoplePart, learned, pairs_of, parts_of
from models.calm_engaged.kept_aside.settled import Settled, summary
from models.calm_engaged.network import CalmEngaged
from models.calm_engaged.people import People, Person
from models.calm_engaged.protocol import balanced_accuracy
from models.calm_engaged.selection import Choice, select
from models.calm_engaged.training import RecipeSettings

CHANNELS, SCHEMA, N = ("Fp1", "Fp2"), "symde22@1", 22
ABOVE = np.array([low >= 20 for low, _ in schema_named(SCHEMA).bands])
"""Where muscle reaches."""
BRAIN = np.array([8 <= low < 12 for low, _ in schema_named(SCHEMA).bands])
ONE_REST = RecipeSettings(train_baselines_s=(60.0,))
MUSCLE = np.where(ABOVE, 1.5, 0.0)
PEOPLE = 12


def made_up(brain: float, muscle: float, seed: int = 5) -> tuple[People, People]:
    """Alpha falls by ``brain`` in everybody's task and muscle tenses by ``muscle``, which also comes and goes
    by itself; and the same people told by that muscle alone, in one band.
    """
    rng = np.random.default_rng(seed)
    people, alone = [], []
    for i in range(PEOPLE):
        parts, tension = [], []
        for seconds, task in ((180.0, 0.0), (60.0, 1.0)):
            end_s = np.arange(2.0, seconds + 1e-9, 0.5)
            tense = np.cumsum(rng.normal(0, 0.03, len(end_s)))
            tense = tense - tense.mean() + muscle * task * rng.uniform(0.8, 1.2)
            features = rng.normal(0, 1, (len(end_s), N)) - brain * task * BRAIN + np.outer(tense, ABOVE)
            parts.append(FeatureSequence.of_accepted(end_s, features, 2.0))
            seen = tense + rng.normal(0, 0.5, len(end_s))
            tension.append(FeatureSequence.of_accepted(end_s, seen[:, np.newaxis], 2.0))
        people.append(Person(f"P{i:02}", *parts))
        alone.append(Person(f"P{i:02}", *tension))
    shifts = {person.name: MUSCLE[np.newaxis] for person in people}
    made = People(tuple(people), CHANNELS, SCHEMA, 2.0, 0.5, shifts=shifts, tensions=shifts)
    return made, replace(
        made, people=tuple(alone), shifts={}, tensions={}, alone=True, _rests={}, _baselines={}
    )


def with_choice(fisher: FisherSettings) -> RecipeSettings:
    return replace(ONE_REST, fisher=fisher)


def part_of(people: People, settings: RecipeSettings) -> PeoplePart:
    aside = tuple(person.name for person in people.people[:4])
    others = people.only(lambda name: name not in aside)
    network = learned(others, settings)
    return PeoplePart(aside, settings, network, None, others.population()[1])  # type: ignore[arg-type]


def share_engaged(people: People, network: CalmEngaged, moved: FloatArray) -> float:
    _, scale = people.population()
    said = []
    for person in people.people:
        base = people.baseline(person, "rest", 60.0, scale)
        said.append(network.direction.along(base.z(person.rest.clean(60) + moved)) > 0)
    return float(np.mean(np.concatenate(said)))


def test_everyone_is_kept_aside_once_whatever_the_order() -> None:
    names = [f"S{i:02}" for i in range(26)]
    parts = parts_of(names)
    assert sorted(name for part in parts for name in part) == names
    assert parts_of(names[::-1]) == parts
    assert {len(part) for part in parts} == {8, 9}


def test_nothing_above_what_is_heard_has_a_weight() -> None:
    people, _ = made_up(brain=1.0, muscle=1.0)
    network = learned(people, with_choice(FisherSettings(hears_hz=(4.0, 30.0))))
    inside = people.is_heard((4.0, 30.0))
    assert inside.sum() == 15
    assert not network.direction.weights[~inside].any()
    assert network.direction.weights[inside].all()


def test_a_network_that_was_shown_muscle_does_not_take_it_for_engagement() -> None:
    people, _ = made_up(brain=1.0, muscle=1.0)
    plain = learned(people, with_choice(FisherSettings(disturbed=0.0)))
    shown = learned(people, with_choice(FisherSettings(disturbed=1.0)))
    still = np.zeros(N)
    assert share_engaged(people, plain, MUSCLE) > share_engaged(people, plain, still) + 0.4
    assert share_engaged(people, shown, MUSCLE) < share_engaged(people, shown, still) + 0.1


def test_what_hears_muscle_that_tells_the_states_apart_is_not_eligible() -> None:
    people, alone = made_up(brain=1.0, muscle=1.5)
    silent = replace(alone, people=tuple(map(_quiet, alone.people)), _rests={}, _baselines={})
    chosen, found = select(people, silent, "", (60.0,))
    assert chosen.hears_hz[1] <= 30
    assert chosen.disturbed > 0
    loud = [figures for one, figures in found.items() if one.hears_hz[1] > 30]
    assert min(figures.muscle_alone for figures in loud) > 0.8
    assert not any(Choice().eligible(figures) for figures in loud)


def _quiet(person: Person) -> Person:
    rng = np.random.default_rng(len(person.name))
    rest, task = (
        replace(part, features=rng.normal(0, 1, part.features.shape)) for part in (person.rest, person.task)
    )
    return Person(person.name, rest, task)


@pytest.mark.parametrize(
    ("fisher", "brain", "reads"),
    [(FisherSettings(), 0.2, True), (FisherSettings(disturbed=3.0), 1.0, False)],
)
def test_through_the_network_comes_what_it_leans_on(
    fisher: FisherSettings, brain: float, reads: bool
) -> None:
    people, alone = made_up(brain, muscle=2.0)
    part = part_of(people, with_choice(fisher))
    along, beside = through_the_network(alone, people, part, part.network.logit)
    assert set(along) == set(beside) == set(part.aside)
    accuracy = np.mean([balanced_accuracy(one.rest, one.task) for one in along.values()])
    assert (accuracy > 0.7) if reads else (accuracy < 0.6)
    if not reads:
        assert np.mean([balanced_accuracy(one.rest, one.task) for one in beside.values()]) > 0.8


def test_those_aside_have_no_part_in_what_is_learned() -> None:
    people, _ = made_up(brain=1.0, muscle=0.5)
    settings = with_choice(FisherSettings(disturbed=1.0))
    part = part_of(people, settings)
    strange = tuple(_quiet(person) if person.name in part.aside else person for person in people.people)
    again = part_of(replace(people, people=strange, _rests={}, _baselines={}), settings)
    assert again.network.direction.weights == pytest.approx(part.network.direction.weights)
    assert again.network.gain == pytest.approx(part.network.gain)


def test_leaving_one_out_leaves_out_what_disturbs_that_one() -> None:
    people, _ = made_up(brain=1.0, muscle=0.5)
    settings = with_choice(FisherSettings(disturbed=1.0))
    _, scale = people.population("P00")
    others = people.only(lambda name: name != "P00")
    wild = {**people.shifts, "P00": 100 * people.shifts["P00"]}
    pairs = pairs_of(others, settings, scale)
    calm = taught(people, pairs, settings, "P00")
    disturbed = taught(replace(people, shifts=wild), pairs, settings, "P00")
    assert disturbed.direction.weights == pytest.approx(calm.direction.weights)


def test_a_network_ships_by_the_low_end_of_its_residue_on_people_kept_aside() -> None:
    reaches = {
        name: {"10s": limit, "interval_95": [limit - 0.05, limit + 0.05]} for name, limit in LIMIT.items()
    }
    assert not_reaching(reaches) == ""
    above = reaches | {"residue": {"10s": 0.62, "interval_95": [0.56, 0.68]}}
    assert not_reaching(above) == "residue is at least 0.56 on people kept aside, its limit is 0.55"
    near = reaches | {"residue": {"10s": 0.60, "interval_95": [0.52, 0.68]}}
    told_of = kept(near, "26 people kept aside")
    assert told_of["on"] == "26 people kept aside"
    assert told_of["mean_inside"]["residue"] is False
    assert told_of["interval_reaches"]["residue"] is True


def test_those_who_never_settle_count_among_people_but_not_in_seconds() -> None:
    nan = float("nan")
    found = [
        Settled("A", {"rest": 1.0, "arith": 0.5}, {"rest": 0.0, "arith": 0.2}, {"rest": 4.0, "arith": 10.0}),
        Settled("B", {"rest": 0.5, "arith": 0.0}, {"rest": 0.1, "arith": 1.0}, {"rest": 6.0, "arith": nan}),
    ]
    document = summary(found)
    assert document["rest"]["share_right"] == 0.75
    assert document["rest"]["settles_s_median"] == 5.0
    assert document["task"]["people_who_reach_it"] == 1
    assert document["task"]["settles_s_median"] == 10.0
    assert document["task"]["share_wrong"] == 0.6
