"""The recipe on people made up for the test: it finds what is common to them, and its controls can fail."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from acquisition.signal import FloatArray
from inference.baseline.baseline import fit_baseline
from inference.offline import FeatureSequence
from models.calm_engaged.card import LIMIT, built_in_controls, kept
from models.calm_engaged.controls import exchanged
from models.calm_engaged.fisher import FisherSettings, StatePair, direction_from, moments_of
from models.calm_engaged.people import People, Person
from models.calm_engaged.protocol import leave_one_out, people_mean
from models.calm_engaged.training import RecipeSettings, train
from models.datasets.against_rest import sequences
from models.evaluation.evidence import LogitFunction, evidence_logits, windows_in

WINDOW_S, HOP_S = 2.0, 0.5
CHANNELS = ("Fp1", "Fp2")
SCHEMA = "symde22@1"
N = 22


def made_up(step: float, file_shift: float, n_people: int = 12, seed: int = 4) -> People:
    """``step`` moves three features the same way in everyone's task; ``file_shift`` moves each person's task
    by that much in a random direction, as a file that was cleaned by itself is.
    """
    rng = np.random.default_rng(seed)
    people = []
    for i in range(n_people):
        common = np.zeros(N)
        common[:3] = -step
        own = rng.choice([-1.0, 1.0], N) * file_shift
        parts = []
        for seconds, shift in ((180.0, np.zeros(N)), (60.0, common + own)):
            end_s = np.arange(WINDOW_S, seconds + 1e-9, HOP_S)
            features = rng.normal(0, 1, (len(end_s), N)) + shift
            parts.append(FeatureSequence.of_accepted(end_s, features, WINDOW_S))
        people.append(Person(f"P{i:02}", *parts))
    return People(tuple(people), CHANNELS, SCHEMA, WINDOW_S, HOP_S)


def recipe(pairs: Sequence[StatePair], without: str) -> LogitFunction:
    return train(pairs, RecipeSettings(train_baselines_s=(60.0,))).logit


def by_distance(pairs: Sequence[StatePair], without: str) -> LogitFunction:
    """What must not ship: engaged is whatever lies far from the baseline."""
    calm = np.mean([np.abs(rest.reshape(-1, N)).mean() for rest, _ in pairs])
    engaged = np.mean([np.abs(task.reshape(-1, N)).mean() for _, task in pairs])

    def logit(runs: FloatArray) -> FloatArray:
        result: FloatArray = np.abs(runs).mean(axis=(1, 2)) - (calm + engaged) / 2
        return result

    return logit


def test_what_is_common_to_people_is_found_in_one_nobody_trained_on() -> None:
    results = list(leave_one_out(made_up(step=1.0, file_shift=0.3), recipe, 17))
    assert people_mean(results, "10s") > 0.9
    controls = built_in_controls(results)
    assert controls["swapped_baseline"]["10s"] < 0.15
    assert 0.4 < controls["early_against_late_rest"]["10s"] < 0.6


def test_without_anything_common_the_recipe_is_at_chance_but_distance_is_not() -> None:
    people = made_up(step=0.0, file_shift=1.0)
    honest = list(leave_one_out(people, recipe, 17))
    cheat = list(leave_one_out(people, by_distance, 17))
    assert people_mean(honest, "10s") < 0.7
    assert people_mean(cheat, "10s") > 0.9


def test_the_swapped_baseline_control_catches_the_one_that_reads_distance() -> None:
    cheat = list(leave_one_out(made_up(step=0.0, file_shift=1.0), by_distance, 17))
    controls = built_in_controls(cheat)
    assert controls["swapped_baseline"]["10s"] > LIMIT["swapped_baseline"]
    assert kept(controls, "nobody")["mean_inside"]["swapped_baseline"] is False


def test_the_network_is_monotone_in_one_direction_and_never_certain() -> None:
    people = made_up(step=1.0, file_shift=0.3)
    rng = np.random.default_rng(1)
    pairs = [(rng.normal(0, 1, (50, N)), rng.normal(0.5, 1, (50, N))) for _ in people.people]
    network = train(pairs, RecipeSettings(train_baselines_s=(60.0,)))
    run = rng.normal(0, 1, (1, 17, N))
    along = np.sign(network.direction.weights)
    logits = [float(network.logit(run + size * along)[0]) for size in np.linspace(-3, 3, 13)]
    assert logits == sorted(logits)
    assert max(abs(value) for value in logits) <= 4.0


def test_a_direction_needs_two_people() -> None:
    pair = (np.zeros((5, 2)), np.ones((5, 2)))
    with pytest.raises(ValueError, match="at least 2 people, got 1"):
        direction_from([moments_of(*pair)], FisherSettings())


def test_evidence_hears_only_the_windows_of_its_seconds() -> None:
    windows = np.arange(40.0)[:, np.newaxis]
    heard: list[FloatArray] = []

    def logit(runs: FloatArray) -> FloatArray:
        heard.append(runs)
        result: FloatArray = runs.mean(axis=(1, 2))
        return result

    one = evidence_logits(windows, logit, 17, windows_in(0.0, WINDOW_S, HOP_S))
    assert one.tolist() == windows[:, 0].tolist()
    assert windows_in(10.0, WINDOW_S, HOP_S) == 17
    ten = evidence_logits(windows, logit, 17, 17)
    assert ten.tolist() == sequences(windows, 17).mean(axis=(1, 2)).tolist()
    thirty = evidence_logits(windows, logit, 17, 20)
    assert thirty == pytest.approx(np.convolve(ten, np.ones(4) / 4, "valid"))
    assert len(evidence_logits(windows, logit, 17, 57)) == 0


@pytest.mark.train
def test_the_keras_twin_answers_as_the_recipe_does() -> None:
    pytest.importorskip("tensorflow")
    rng = np.random.default_rng(2)
    pairs = [(rng.normal(0, 1, (50, N)), rng.normal(0.5, 1, (50, N))) for _ in range(4)]
    network = train(pairs, RecipeSettings(train_baselines_s=(60.0,)))
    runs = rng.normal(0, 1, (5, 17, N))
    model = network.keras_model()
    p = np.array([np.asarray(model(run[np.newaxis].astype(np.float32)))[0, 1] for run in runs])
    assert np.log(p / (1 - p)) == pytest.approx(network.logit(runs), abs=1e-3)


def test_the_baseline_is_the_live_one() -> None:
    people = made_up(step=1.0, file_shift=0.3, n_people=3)
    person = people.people[0]
    _, scale = people.population(without=person.name)
    live = fit_baseline(
        person.rest.clean(0, 60),
        schema=SCHEMA,
        channels=CHANNELS,
        seconds=60.0,
        population_scale=scale,
    )
    mine = people.baseline(person, "rest", 60.0, scale)
    assert mine.centre == pytest.approx(live.centre)
    assert mine.scale == pytest.approx(live.scale)


def test_exchanged_labels_favour_neither_side() -> None:
    """With an odd number of people the odd one counts as often for one side as for the other."""
    pairs = [(np.zeros((1, 1)), np.ones((1, 1)))] * 25
    rng = np.random.default_rng(3)
    kept = [sum(float(task[0, 0]) for _, task in exchanged(pairs, 1, rng)) for _ in range(400)]
    assert set(kept) == {12.0, 13.0}
    assert np.mean(kept) == pytest.approx(12.5, abs=0.1)
