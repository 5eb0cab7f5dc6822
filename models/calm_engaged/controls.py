"""The controls that need a second training: residue alone, and shuffled labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from inference.pipeline import PipelineSettings
from models.calm_engaged.fisher import FisherSettings, StatePair
from models.calm_engaged.montages import ShippedMontage
from models.calm_engaged.people import People, load_residue
from models.calm_engaged.protocol import PersonResult, leave_one_out, people_mean
from models.calm_engaged.training import RecipeSettings, train
from models.evaluation.evidence import HORIZONS_S, LogitFunction

RESIDUE_BANDS = 5
"""2 Hz each, as many as the classical bands of the reference."""
OTHER_RESIDUE_BANDS = (1, 10)
"""Reported beside it: how much of a residue can be read depends on how finely it is told."""
SHUFFLES = 8


def results_of(
    people: People,
    settings: RecipeSettings,
    choices: Mapping[str, FisherSettings],
    baseline_s: float = 60.0,
) -> list[PersonResult]:
    """Leave one person out with the whole recipe; ``choices`` are what the others chose without that one."""

    def fit(pairs: Sequence[StatePair], without: str) -> LogitFunction:
        return train(pairs, replace(settings, fisher=choices[without])).logit

    return list(
        leave_one_out(
            people,
            fit,
            settings.sequence_length,
            train_baselines_s=settings.train_baselines_s,
            test_baseline_s=baseline_s,
        )
    )


def exchanged(pairs: Sequence[StatePair], versions: int, rng: np.random.Generator) -> list[StatePair]:
    """Rest and task of half of the people exchanged, by lot.

    Of an odd number the odd one is exchanged by lot as well: were it always kept, the true labels would have
    a majority of one, enough to read 0.53 where nothing is to be read.
    """
    n = len(pairs) // versions
    n_exchanged = n // 2 + int(rng.integers(2)) * (n % 2)
    swap = np.repeat(rng.permutation(n) < n_exchanged, versions)
    return [(task, rest) if s else (rest, task) for (rest, task), s in zip(pairs, swap, strict=True)]


def shuffled(
    people: People,
    settings: RecipeSettings,
    choices: Mapping[str, FisherSettings],
    seed: int,
    draws: int = SHUFFLES,
) -> dict[str, float]:
    """Balanced accuracy when rest and task of half of the training people are exchanged, by lot."""
    rng = np.random.default_rng(seed)
    versions = len(settings.train_baselines_s)
    scores = []
    for _ in range(draws):

        def fit(pairs: Sequence[StatePair], without: str) -> LogitFunction:
            mixed = exchanged(pairs, versions, rng)
            return train(mixed, replace(settings, fisher=choices[without])).logit

        scores.append(
            by_horizon(
                list(
                    leave_one_out(
                        people,
                        fit,
                        settings.sequence_length,
                        train_baselines_s=settings.train_baselines_s,
                    )
                )
            )
        )
    return {h: round(float(np.mean([score[h] for score in scores])), 4) for h in HORIZONS_S}


def residue_people(
    path: Path, montage: ShippedMontage, settings: RecipeSettings, n_bands: int = RESIDUE_BANDS
) -> People:
    """The people told by 52-62 Hz alone."""
    return load_residue(path, montage.channels, settings.schema, PipelineSettings(), n_bands)


def by_horizon(results: Sequence[PersonResult]) -> dict[str, float]:
    """Balanced accuracy for every length of evidence."""
    return {h: round(people_mean(results, h), 4) for h in HORIZONS_S}
