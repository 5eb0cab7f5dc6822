"""What the controls need beside the recordings: frequencies alone, shuffled labels, disturbed recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from acquisition.readers.npz_people import open_people
from acquisition.signal import FloatArray
from inference.features.schemas import schema_named
from inference.offline import feature_sequence
from inference.pipeline import PipelineSettings
from models.calm_engaged.fisher import FisherSettings, StatePair
from models.calm_engaged.montages import ShippedMontage
from models.calm_engaged.network import CalmEngaged
from models.calm_engaged.people import FIRST_S, RESIDUE_HZ, People, load_residue
from models.calm_engaged.protocol import PersonResult, leave_one_out, people_mean
from models.calm_engaged.training import RecipeSettings, train
from models.datasets.disturbances import with_muscle, without_electrode
from models.evaluation.evidence import HORIZONS_S, LogitFunction

RESIDUE_BANDS = 5
"""2 Hz each, as many as the classical bands of the reference."""
ALONE_HZ = {"52-62Hz": RESIDUE_HZ, "30-45Hz": (30.0, 45.0)}
"""What a network could read that is not the brain's: what cleaning left above the filters, and muscle."""
SHUFFLES = 8
SHOWN_MUSCLE = (0.5, 1.5)
"""Times an electrode's own power between 30 and 45 Hz that is added while a network learns."""
SHOWN_OFF = 0.3
"""How often an electrode is off, beside muscle that always tenses: it costs accuracy to be ready for it."""


def results_of(
    people: People,
    settings: RecipeSettings,
    choices: Mapping[str, FisherSettings],
    baseline_s: float = 60.0,
) -> list[PersonResult]:
    """Leave one person out with the whole recipe; ``choices`` are what the others chose without that one."""

    def fit(pairs: Sequence[StatePair], without: str) -> LogitFunction:
        return taught(people, pairs, replace(settings, fisher=choices[without]), without).logit

    return list(
        leave_one_out(
            people,
            fit,
            settings.sequence_length,
            train_baselines_s=settings.train_baselines_s,
            test_baseline_s=baseline_s,
        )
    )


def taught(
    people: People, pairs: Sequence[StatePair], settings: RecipeSettings, without: str = ""
) -> CalmEngaged:
    """The network of these people's ``pairs``, shown what disturbs all but one of them."""
    _, scale = people.population(without)
    others = [person for person in people.people if person.name != without]
    disturbance = np.mean([people.disturbance(person, scale) for person in others], axis=0)
    return train(pairs, settings, people.is_heard(settings.fisher.hears_hz), disturbance)


def exchanged(pairs: Sequence[StatePair], versions: int, rng: np.random.Generator) -> list[StatePair]:
    """Rest and task of half of the people exchanged, by lot.

    Of an odd number the odd one is exchanged by lot as well: were it always kept, the true labels would have
    a majority of one, enough to read 0.53 where nothing is to be read.
    """
    n = len(pairs) // versions
    n_exchanged = n // 2 + int(rng.integers(2)) * (n % 2)
    swap = np.repeat(rng.permutation(n) < n_exchanged, versions)
    return [(task, rest) if s else (rest, task) for (rest, task), s in zip(pairs, swap, strict=True)]


def with_disturbances(people: People, path: Path, seed: int) -> People:
    """The people with what muscle and a lost electrode do to the first minute of their rest.

    Muscle tenses everywhere, and at one region alone; one of the electrodes comes off.
    """
    opened = open_people(path)
    rows = [opened.channels.index(channel) for channel in people.channels]
    rng = np.random.default_rng(seed)
    n = round((FIRST_S + people.window_s) * opened.rate_hz)
    shifts, tensions = {}, {}
    for person in people.people:
        rest_uv = opened.part_uv(f"{person.name}_rest")[rows][:, :n]
        muscle = [with_muscle(rest_uv, opened.rate_hz, times, rng) for times in SHOWN_MUSCLE]
        lost = [without_electrode(rest_uv, row) for row in range(len(rows))]
        plain, *moved = (_mean_of(people, uv, opened.rate_hz) for uv in (rest_uv, *muscle, *lost))
        tensed, dropped = np.array(moved[: len(muscle)]) - plain, np.array(moved[len(muscle) :]) - plain
        tensions[person.name] = np.nan_to_num(tensed)
        shifts[person.name] = np.nan_to_num(
            np.concatenate(
                [_everywhere_and_alone(people, tensed), dropped * np.sqrt(SHOWN_OFF / len(dropped))]
            )
        )
    return replace(people, shifts=shifts, tensions=tensions)


def _mean_of(people: People, samples_uv: FloatArray, rate_hz: float) -> FloatArray:
    """The mean of each feature (n_features,) over accepted windows; NaN where it was never seen."""
    settings = PipelineSettings(window_s=people.window_s, hop_s=people.hop_s)
    features = feature_sequence(samples_uv, rate_hz, people.channels, people.schema, settings).clean()
    seen = np.isfinite(features)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: FloatArray = np.where(seen, features, 0).sum(axis=0) / seen.sum(axis=0)
    return mean


def _everywhere_and_alone(people: People, tensed: FloatArray) -> FloatArray:
    """Shifts (n, n_features) of all regions at once, then of each alone, weighed so that both count alike."""
    n_bands = len(schema_named(people.schema).bands)
    n_regions = tensed.shape[1] // n_bands
    region = np.repeat(np.eye(n_regions), n_bands, axis=1)
    alone = tensed[:, np.newaxis] * region / np.sqrt(n_regions)
    result: FloatArray = np.concatenate([tensed, alone.reshape(-1, tensed.shape[1])]) / np.sqrt(len(tensed))
    return result


def alone(
    path: Path,
    montage: ShippedMontage,
    settings: RecipeSettings,
    n_bands: int = RESIDUE_BANDS,
    hz: tuple[float, float] = RESIDUE_HZ,
) -> People:
    """The people told by these frequencies alone, 52-62 Hz where nothing else is said."""
    return load_residue(path, montage.channels, settings.schema, PipelineSettings(), n_bands, hz)


def by_horizon(results: Sequence[PersonResult]) -> dict[str, float]:
    """Balanced accuracy for every length of evidence."""
    return {h: round(people_mean(results, h), 4) for h in HORIZONS_S}
