"""The controls that need a second training: residue alone, and shuffled labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inference.pipeline import PipelineSettings
from models.calm_engaged.fisher import StatePair
from models.calm_engaged.montages import ShippedMontage
from models.calm_engaged.people import People, load_residue
from models.calm_engaged.protocol import PersonResult, leave_one_out, people_mean
from models.calm_engaged.training import RecipeSettings, train
from models.evidence import HORIZONS_S, LogitFunction

RESIDUE_BANDS = 5
"""2 Hz each, as many as the classical bands; the table of what was tried has other numbers."""
SHUFFLES = 3


def results_of(people: People, settings: RecipeSettings, baseline_s: float = 60.0) -> list[PersonResult]:
    """Leave one person out with the whole recipe, calibration included."""

    def fit(pairs: Sequence[StatePair]) -> LogitFunction:
        return train(pairs, settings).logit

    return list(
        leave_one_out(
            people,
            fit,
            settings.sequence_length,
            train_baselines_s=settings.train_baselines_s,
            test_baseline_s=baseline_s,
        )
    )


def residue(
    path: Path, montage: ShippedMontage, settings: RecipeSettings, n_bands: int = RESIDUE_BANDS
) -> dict[str, float]:
    """Balanced accuracy of the same recipe on 52-62 Hz alone; brain states should leave it at chance."""
    people = load_residue(path, montage.channels, settings.schema, PipelineSettings(), n_bands)
    return _by_horizon(results_of(people, settings))


def shuffled(people: People, settings: RecipeSettings, seed: int, draws: int = SHUFFLES) -> dict[str, float]:
    """Balanced accuracy when rest and task of half of the training people are exchanged, by lot."""
    rng = np.random.default_rng(seed)
    scores = []
    for _ in range(draws):

        def fit(pairs: Sequence[StatePair]) -> LogitFunction:
            swap = rng.permutation(len(pairs)) < len(pairs) // 2
            mixed = [(task, rest) if s else (rest, task) for (rest, task), s in zip(pairs, swap, strict=True)]
            return train(mixed, settings).logit

        results = list(leave_one_out(people, fit, settings.sequence_length))
        scores.append(_by_horizon(results))
    return {h: round(float(np.mean([score[h] for score in scores])), 4) for h in HORIZONS_S}


def _by_horizon(results: Sequence[PersonResult]) -> dict[str, float]:
    return {h: round(people_mean(results, h), 4) for h in HORIZONS_S}
